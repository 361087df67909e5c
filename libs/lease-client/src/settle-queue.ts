import { AsyncResource } from 'node:async_hooks';
import { isDomainError } from '@sociograph/kernel';

export type SettleResult = 'settled' | 'already-settled' | 'late' | 'unknown';

export interface SettleQueueOptions {
  /** One request with several settles; a result each, in order. */
  ask: (settles: object[]) => Promise<SettleResult[]>;
  monotonicMs: () => number;
  /** For so long a settle that does not get through is repeated (ms, 30,000). */
  insistMs?: number;
  /** Told of each settle that was given up. */
  onGivenUp?: () => void;
}

interface Pending {
  entry: object;
  /** The trace it belongs to: a request goes in that of its first settle, not of whoever sent the one before. */
  scope: AsyncResource;
  urgent: boolean;
  /** Not to travel with others: with them it was malformed. */
  alone: boolean;
  since: number;
  done: (result: SettleResult) => void;
  failed: (error: unknown) => void;
}

const SETTLES_PER_REQUEST = 100;
/** Requests under way before ordinary settles wait for each other, and before urgent ones do. */
const UNDER_WAY = 2;
const URGENT_UNDER_WAY = 4;
const INSIST_MS = 30_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/**
 * Settles on their way: those that come together travel together, urgent ones never behind a slow request, and what
 * does not get through is repeated. Order does not matter, and neither does a repetition: the pool counts by lease.
 */
export class SettleQueue {
  readonly #options: SettleQueueOptions;
  #waiting: Pending[] = [];
  #underWay = 0;
  #planned = false;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SettleQueueOptions) {
    this.#options = options;
  }

  /** Rejects when the pool refused the settle, or did not answer for as long as it is repeated. */
  add(entry: object, urgent: boolean): Promise<SettleResult> {
    return new Promise((done, failed) => {
      const since = this.#options.monotonicMs();
      const scope = new AsyncResource('settle');
      this.#waiting.push({ entry, scope, urgent, alone: false, since, done, failed });
      this.#plan();
    });
  }

  /** Nothing is repeated any more; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#resume();
    while (this.#underWay > 0 || this.#waiting.length > 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** After this turn of the event loop, so that what comes in one turn travels together. */
  #plan(): void {
    if (this.#planned || this.#pause !== undefined) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      while (this.#mayGo()) void this.#send(this.#batch());
    });
  }

  #mayGo(): boolean {
    if (this.#waiting.length === 0 || this.#pause !== undefined) return false;
    const urgent = this.#waiting.some((pending) => pending.urgent);
    return this.#underWay < (urgent ? URGENT_UNDER_WAY : UNDER_WAY);
  }

  #batch(): Pending[] {
    this.#waiting.sort((a, b) => Number(b.urgent) - Number(a.urgent));
    const together = this.#waiting.findIndex((pending) => pending.alone);
    const size = together === 0 ? 1 : together < 0 ? SETTLES_PER_REQUEST : together;
    return this.#waiting.splice(0, Math.min(size, SETTLES_PER_REQUEST));
  }

  async #send(batch: Pending[]): Promise<void> {
    this.#underWay += 1;
    try {
      const ask = () => this.#options.ask(batch.map((pending) => pending.entry));
      const results = await (batch[0]?.scope.runInAsyncScope(ask) ?? ask());
      this.#failures = 0;
      batch.forEach((pending, index) => pending.done(results[index] ?? 'unknown'));
    } catch (error) {
      this.#failed(batch, error);
    } finally {
      this.#underWay -= 1;
      this.#plan();
    }
  }

  #failed(batch: Pending[], error: unknown): void {
    if (isMalformed(error) && batch.length > 1) {
      this.#waiting.unshift(...batch.map((pending) => ({ ...pending, alone: true })));
      return;
    }
    const { monotonicMs, insistMs = INSIST_MS, onGivenUp } = this.#options;
    const mayPass = isDomainError(error) && error.kind === 'unavailable' && !this.#closed;
    const now = monotonicMs();
    const again = batch.filter(({ since }) => mayPass && now - since < insistMs);
    this.#waiting.unshift(...again);
    for (const pending of batch) {
      if (again.includes(pending)) continue;
      onGivenUp?.();
      pending.failed(error);
    }
    if (again.length > 0) this.#rest();
  }

  #rest(): void {
    if (this.#pause !== undefined) return;
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    this.#failures += 1;
    this.#pause = setTimeout(() => this.#resume(), waitMs);
    this.#pause.unref();
  }

  #resume(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#plan();
  }
}

function isMalformed(error: unknown): boolean {
  return isDomainError(error) && error.facts['reason'] === 'malformed';
}
