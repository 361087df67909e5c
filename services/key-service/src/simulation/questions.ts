import type { ApiKey } from '../domain/api-key';
import type { LedgerSettle, LedgerVerdict, QuotaLedger } from '../domain/quota-ledger';
import type { KeyServiceProcess } from './key-service-process';
import type { Scenario } from './scenario';
import type { World } from './world';

const HEAD = { by: 'parser-service', session: 'after' };
const HOUR_MS = 3_600_000;
const TRIES = 10;

export interface Asked {
  verdict: LedgerVerdict;
  leaseId: string;
}

/** Asks key-services itself, one question at a time, when the workers are at rest. */
export class Questions {
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #services: () => KeyServiceProcess[];
  #asked = 0;

  constructor(world: World, scenario: Scenario, services: () => KeyServiceProcess[]) {
    this.#world = world;
    this.#scenario = scenario;
    this.#services = services;
  }

  /** The next one of its sequence. */
  next(): number {
    this.#asked += 1;
    return this.#asked;
  }

  async grant(workspaceId: string, method: string, egress: string): Promise<Asked> {
    const { rules } = this.#scenario;
    const sequence = this.next();
    const leaseId = `after-${sequence}`;
    const verdict = await this.answer(() =>
      this.#ledger.grant({
        ...HEAD,
        ...{ leaseId, workspaceId, rules, sequence, egress, first: true, importId: 'after', calls: 1 },
        kinds: rules.callers[method] ?? ['user'],
        methods: { [method]: 1 },
        deadlineAt: this.#world.time.micros / 1000 + HOUR_MS,
      }),
    );
    return { verdict, leaseId };
  }

  /** Those of these keys that nothing stands against. */
  async allowed(workspaceId: string, method: string, egress: string, keyIds: string[]): Promise<string[]> {
    const { rules } = this.#scenario;
    const methods = { [method]: 1 };
    const asked = { workspaceId, rules, methods, egress, keyIds, calls: 1 };
    const { keys } = await this.answer(() => this.#ledger.explain(asked));
    return keys.filter(({ reason }) => reason === undefined).map(({ keyId }) => keyId);
  }

  async settle(settles: LedgerSettle[]): Promise<void> {
    const { rules } = this.#scenario;
    const head = { ...HEAD, sequence: this.next() };
    await this.answer(() => this.#ledger.settle({ ...head, rules, settles }));
  }

  /** Ms from a send to the end of its window, as far as the pool has learned the path. */
  async chargedMs(): Promise<number> {
    const { windowMs, slackMs, marginMs } = this.#scenario.rules;
    const found = await this.answer(() => this.#ledger.learnedPath('vk').then((path) => ({ path })));
    return windowMs + slackMs + (found.path?.spreadMs ?? marginMs);
  }

  /** What the pool made of keys and nobody was told: its reply was lost. A key-service looks for it all the time. */
  differing(keys: ApiKey[]): ReturnType<QuotaLedger['define']> {
    return this.answer(() => this.#ledger.define(keys));
  }

  async tidy(): Promise<void> {
    await this.answer(() => (this.#services()[0] as KeyServiceProcess).tidy().then(() => true));
  }

  /** A pool that takes up its memory anew cannot say what it knows of keys: it is asked again until it has one. */
  async answer<T>(ask: () => Promise<T>): Promise<T> {
    const { time } = this.#world;
    for (let tries = 1; ; tries += 1) {
      let answer: T | undefined;
      let failure: Error | undefined;
      ask().then(
        (found) => (answer = found),
        (error: unknown) => (failure = error as Error),
      );
      time.woke();
      await time.runUntil(() => answer !== undefined || failure !== undefined);
      if (failure === undefined) return answer as T;
      if (tries === TRIES) throw failure;
      await this.wait(1_000_000);
    }
  }

  async wait(micros: number): Promise<void> {
    const { time } = this.#world;
    let over = false;
    time.after(micros, () => (over = true));
    await time.runUntil(() => over);
  }

  get #ledger(): KeyServiceProcess['ledger'] {
    return (this.#services()[0] as KeyServiceProcess).ledger;
  }
}
