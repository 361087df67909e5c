import { randomUUID } from 'node:crypto';
import { type CertificateView, type FleetApi, hasEnded, type ImportView } from '@sociograph/api-client';
import { eventually } from '@sociograph/testing';

const LOOK_MS = 500;

export interface EndedImport {
  readonly view: ImportView;
  readonly certificate: CertificateView;
  readonly seconds: number;
}

/**
 * Imports of the same graph, the next one begun when few lists of the one before are left: there is work at every
 * moment, also while the views catch up with what was fetched.
 */
export class EndlessImports {
  /** The one that was begun last. */
  current: string | undefined;
  readonly #ends: Promise<EndedImport>[] = [];
  #loop: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(
    private readonly api: FleetApi,
    /** Body of the request that begins one. */
    private readonly order: object,
    /** So many lists done and the next one begins. */
    private readonly enoughLists: number,
  ) {}

  start(): this {
    this.#loop = this.#run();
    return this;
  }

  get begun(): number {
    return this.#ends.length;
  }

  /** Begins none any more and waits for those that were begun. Throws when one does not end in time. */
  async stop(timeoutMs: number): Promise<EndedImport[]> {
    this.#stopping = true;
    await this.#loop;
    const deadline = performance.now() + timeoutMs;
    const late = new Promise<never>((_, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`an import did not end within ${timeoutMs / 1000} s after the last fault`)),
        deadline - performance.now(),
      );
      void Promise.allSettled(this.#ends).then(() => clearTimeout(timer));
    });
    return Promise.race([Promise.all(this.#ends), late]);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const id = await this.#begin();
      if (id === undefined) return;
      this.current = id;
      const end = this.#watch(id);
      // Looked at in `stop`; until then a failure must not count as one that nobody handles.
      end.catch(() => undefined);
      this.#ends.push(end);
      await this.#untilNearlyOver(id);
    }
  }

  /** The same key until it is answered: begun once, whatever happens to the answers. */
  async #begin(): Promise<string | undefined> {
    const key = randomUUID();
    for (;;) {
      try {
        return (await this.api.create<{ id: string }>('/v1/imports', this.order, key)).id;
      } catch {
        if (this.#stopping) return undefined;
        await pause(LOOK_MS);
      }
    }
  }

  async #untilNearlyOver(id: string): Promise<void> {
    while (!this.#stopping) {
      await pause(LOOK_MS);
      const view = await this.api.import(id).catch(() => undefined);
      if (view === undefined) continue;
      if (hasEnded(view) || view.counters.lists.done >= this.enoughLists) return;
    }
  }

  async #watch(id: string): Promise<EndedImport> {
    const began = performance.now();
    const view = await this.api.ended(id, { timeoutMs: 3 * 3_600_000, everyMs: 1_000 });
    const seconds = (performance.now() - began) / 1000;
    const certificate = await eventually(() => this.api.certificate(id), {
      timeoutMs: 120_000,
      everyMs: 500,
    });
    return { view, certificate, seconds };
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
