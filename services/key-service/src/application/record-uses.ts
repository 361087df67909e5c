import type { CallReport } from '@sociograph/contracts';
import { type KeyUse, KeyUses, type KeyUsePeriod } from '../domain/key-uses';
import { PoolReport } from '../domain/pool-report';
import { resultOf } from './settle-leases';

export interface UseRecorderLimits {
  /** Leases that are held back while they cannot be written; what comes on top of them is dropped and counted. */
  mostHeld: number;
  /** An unsettled lease is written without its results after this. */
  unsettledMs: number;
  /** Uses of a key are announced, and its last use noted, this often. */
  announceEveryMs: number;
  keepMs: number;
}

export const USE_LIMITS: UseRecorderLimits = {
  mostHeld: 50_000,
  unsettledMs: 1_000,
  announceEveryMs: 10_000,
  keepMs: 30 * 86_400_000,
};

/** As many as are put into words in a millisecond or two: leases that come meanwhile wait for that. */
const ROWS_PER_WRITE = 250;
const ROWS_PER_DELETE = 5_000;
/** Days are long: what is over is looked for now and then. */
const FORGET_EVERY_MS = 60_000;

type Settled = { settledAt: number; results: Record<string, number> };

/**
 * Who used which key for what. Leasing only notes it here; rows are written in bulk by `flush`, which a timer calls.
 * A lease is one row: mostly written once, complete, because its settle came before its turn.
 */
export class UseRecorder {
  readonly #uses: KeyUses;
  readonly #report: Pick<PoolReport, 'usesWritten'>;
  readonly #limits: UseRecorderLimits;
  /** Not written yet, by lease, oldest first. */
  readonly #open = new Map<string, KeyUse>();
  /** Of leases that are written already, or were granted by another instance. */
  readonly #late = new Map<string, Settled>();
  #periods = new Map<string, KeyUsePeriod>();
  #announcedAt: number | undefined;
  #forgotAt: number | undefined;
  #flushing: Promise<void> | undefined;

  constructor(
    uses: KeyUses,
    report: Pick<PoolReport, 'usesWritten'>,
    limits: UseRecorderLimits = USE_LIMITS,
  ) {
    this.#uses = uses;
    this.#report = report;
    this.#limits = limits;
  }

  /** How many leases are held back. */
  get held(): number {
    return this.#open.size + this.#late.size;
  }

  granted(use: KeyUse): void {
    // The same lease asked for again is the same use.
    if (this.#open.has(use.leaseId)) return;
    if (this.held >= this.#limits.mostHeld) this.#report.usesWritten('dropped', 1);
    else this.#open.set(use.leaseId, use);
    this.#addToPeriod(use);
  }

  settled(leaseId: string, reports: readonly CallReport[], at: number): void {
    const results: Record<string, number> = {};
    for (const report of reports) {
      const result = resultOf(report);
      results[result] = (results[result] ?? 0) + 1;
    }
    const open = this.#open.get(leaseId);
    if (open !== undefined) Object.assign(open, { settledAt: at, results });
    else if (this.held >= this.#limits.mostHeld) this.#report.usesWritten('dropped', 1);
    else this.#late.set(leaseId, { settledAt: at, results });
  }

  /** Writes what is due; `all`: also what nobody settled yet. One at a time; throws what kept it from being written. */
  flush(now: number, all = false): Promise<void> {
    this.#flushing ??= this.#flush(now, all).finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #flush(now: number, all: boolean): Promise<void> {
    const due = (use: KeyUse): boolean =>
      all || use.results !== null || use.grantedAt <= now - this.#limits.unsettledMs;
    for (;;) {
      const rows = first(this.#open.values(), ROWS_PER_WRITE, due);
      if (rows.length === 0) break;
      await this.#uses.write(rows);
      // What was settled while the row was being written has its result still to be written.
      for (const { leaseId, results } of rows) {
        const open = this.#open.get(leaseId);
        this.#open.delete(leaseId);
        if (results === null && open?.results != null && open.settledAt !== null)
          this.#late.set(leaseId, { settledAt: open.settledAt, results: open.results });
      }
      this.#report.usesWritten('written', rows.length);
    }
    await this.#writeLate(now, all);
    await this.#announce(now, all);
    await this.#forget(now);
  }

  /** Their row may be in the hands of another instance, which writes it within the time of an unsettled one. */
  async #writeLate(now: number, all: boolean): Promise<void> {
    const due = ([, { settledAt }]: [string, Settled]): boolean =>
      all || settledAt <= now - 2 * this.#limits.unsettledMs;
    for (;;) {
      const some = first(this.#late.entries(), ROWS_PER_WRITE, due);
      if (some.length === 0) return;
      await this.#uses.settle(some.map(([leaseId, settled]) => ({ leaseId, ...settled })));
      for (const [leaseId] of some) this.#late.delete(leaseId);
    }
  }

  async #announce(now: number, all: boolean): Promise<void> {
    this.#announcedAt ??= now;
    if (this.#periods.size === 0 || (!all && now - this.#announcedAt < this.#limits.announceEveryMs)) return;
    const periods = this.#periods;
    this.#periods = new Map();
    try {
      await this.#uses.announce([...periods.values()]);
      this.#announcedAt = now;
    } catch (error) {
      for (const period of periods.values()) this.#putBack(period);
      throw error;
    }
  }

  async #forget(now: number): Promise<void> {
    if (this.#forgotAt !== undefined && now - this.#forgotAt < FORGET_EVERY_MS) return;
    const removed = await this.#uses.forget(now - this.#limits.keepMs, ROWS_PER_DELETE);
    // A full chunk leaves more to do the next time.
    if (removed < ROWS_PER_DELETE) this.#forgotAt = now;
  }

  #addToPeriod(use: KeyUse): void {
    const { keyId, keyWorkspaceId, network, grantedAt, methods } = use;
    const known = this.#periods.get(keyId);
    const period = known ?? { keyId, keyWorkspaceId, network, from: grantedAt, to: grantedAt, calls: {} };
    period.to = Math.max(period.to, grantedAt);
    for (const [method, count] of Object.entries(methods))
      period.calls[method] = (period.calls[method] ?? 0) + count;
    if (known === undefined) this.#periods.set(keyId, period);
  }

  #putBack(old: KeyUsePeriod): void {
    const since = this.#periods.get(old.keyId);
    if (since !== undefined) {
      old.to = Math.max(old.to, since.to);
      for (const [method, count] of Object.entries(since.calls))
        old.calls[method] = (old.calls[method] ?? 0) + count;
    }
    this.#periods.set(old.keyId, old);
  }
}

function first<T>(all: Iterable<T>, most: number, wanted: (item: T) => boolean): T[] {
  const found: T[] = [];
  for (const item of all) {
    if (found.length === most) break;
    // A copy: what is noted about it while it is being written must not be lost.
    if (wanted(item)) found.push(Array.isArray(item) ? item : { ...item });
  }
  return found;
}
