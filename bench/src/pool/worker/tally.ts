import type { WorkerReport } from './protocol';

type Counted = 'errors' | 'broken' | 'lost' | 'denied';

/** What one worker saw; durations are kept from `measure` on, counts from the first call. */
export class Tally {
  readonly report: WorkerReport = {
    leaseMs: [],
    leases: 0,
    answered: 0,
    refused: 0,
    errors: {},
    broken: {},
    lost: {},
    denied: {},
    lateMs: [],
    aheadMs: [],
    margins: [],
  };
  #measuring = false;
  #startedAt = performance.now();

  /** The first call is made now. */
  start(): void {
    this.#startedAt = performance.now();
  }

  measure(): void {
    this.#measuring = true;
  }

  leased(waitedMs?: number, aheadMs?: number): void {
    if (!this.#measuring) return;
    this.report.leases += 1;
    if (waitedMs !== undefined) this.report.leaseMs.push(waitedMs);
    if (aheadMs !== undefined) this.report.aheadMs.push(aheadMs);
  }

  sent(lateMs: number): void {
    if (this.#measuring) this.report.lateMs.push(lateMs);
  }

  /** The margin in force, as the pool told this worker. */
  margin(ms: number): void {
    this.report.margins.push({ at: (performance.now() - this.#startedAt) / 1000, ms });
  }

  /** `error`: VK's code, undefined for a good answer. */
  answered(error: number | undefined): void {
    if (error === 6) this.report.refused += 1;
    else this.report.answered += 1;
    if (error !== undefined && error !== 6) this.count('errors', String(error));
  }

  count(what: Counted, cause: string): void {
    this.report[what][cause] = (this.report[what][cause] ?? 0) + 1;
  }
}

/** The error code in an answer of VK, if it is one. */
export function errorIn(body: string): number | undefined {
  return (JSON.parse(body) as { error?: { error_code: number } }).error?.error_code;
}
