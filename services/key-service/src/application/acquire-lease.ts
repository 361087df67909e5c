import { LeaseLine, type LineLimits, type Waiting } from '../domain/lease-line';
import { kindsFor, type NetworkRules } from '../domain/networks';
import { Alarm, type DenialReason, type LedgerGrant, type LedgerVerdict, QuotaLedger } from '../domain/ports';

export interface AcquireLease {
  requestId: string;
  service: string;
  session: string;
  sequence: number;
  workspaceId: string;
  importId: string;
  rules: NetworkRules;
  methods: Readonly<Record<string, number>>;
  calls: number;
  /** Pool clock, ms. */
  deadlineAt: number;
  egress: string;
}

export type AcquireVerdict =
  | { kind: 'granted'; poolNow: number; grant: LedgerGrant }
  | { kind: 'denied'; poolNow: number; reason: DenialReason; retryAt: number };

interface Entry extends Waiting {
  command: AcquireLease;
  /** The sequence of a request is taken with its first try. */
  first: boolean;
  answer: (verdict: AcquireVerdict) => void;
}

const NO_KEY_RETRY_MS = 1_000;
const FULL_RETRY_MS = 500;
/** Sleeping shorter than this only burns turns of the event loop. */
const MIN_SLEEP_MS = 1;

/**
 * Grants leases in the order of fairness. A request whose lane has nobody waiting goes straight to the ledger; one
 * that finds no slot waits in the line until its deadline and is dealt one as soon as the ledger has it.
 */
export class LeaseDesk {
  readonly #ledger: QuotaLedger;
  readonly #alarm: Alarm;
  readonly #line: LeaseLine<Entry>;
  #dealing = false;

  constructor(ledger: QuotaLedger, alarm: Alarm, limits: LineLimits) {
    this.#ledger = ledger;
    this.#alarm = alarm;
    this.#line = new LeaseLine(limits);
  }

  get waiting(): number {
    return this.#line.size;
  }

  async acquire(command: AcquireLease): Promise<AcquireVerdict> {
    const kinds = kindsFor(command.rules, Object.keys(command.methods));
    if (kinds.length === 0) {
      const poolNow = this.#ledger.poolNow();
      return { kind: 'denied', poolNow, reason: 'no-key', retryAt: poolNow + NO_KEY_RETRY_MS };
    }
    const lane = [
      command.workspaceId,
      command.rules.network,
      command.egress,
      ...Object.keys(command.methods).sort(),
    ].join(' ');
    if (this.#line.isBusy(lane, this.#ledger.poolNow())) return this.#wait(command, lane, true);
    const verdict = await this.#ask(command, true);
    if (!mayWait(verdict)) return verdict;
    this.#line.close(lane, verdict.retryAt);
    return this.#wait(command, lane, false);
  }

  /** Slots came back before their time, or keys did: whoever waits is tried again at once. */
  async slotsFreed(): Promise<void> {
    this.#line.openAll();
    await this.#deal();
  }

  /** Answers everyone who waits: the process is about to end. */
  dismiss(): void {
    this.#alarm.clear();
    for (const entry of this.#line.expired(Infinity)) this.#deny(entry, 'no-slot');
  }

  #ask(command: AcquireLease, first: boolean): Promise<LedgerVerdict> {
    const { requestId, service, rules, ...rest } = command;
    const kinds = kindsFor(rules, Object.keys(command.methods));
    return this.#ledger.grant({ ...rest, rules, kinds, leaseId: requestId, by: service, first });
  }

  #wait(command: AcquireLease, lane: string, first: boolean): Promise<AcquireVerdict> {
    return new Promise((answer) => {
      const { workspaceId, importId, calls, deadlineAt } = command;
      const entry: Entry = { command, lane, first, answer, workspaceId, importId, cost: calls, deadlineAt };
      if (!this.#line.add(entry)) {
        const poolNow = this.#ledger.poolNow();
        answer({ kind: 'denied', poolNow, reason: 'line-full', retryAt: poolNow + FULL_RETRY_MS });
        return;
      }
      if (!this.#dealing) this.#sleep();
    });
  }

  async #deal(): Promise<void> {
    if (this.#dealing) return;
    this.#dealing = true;
    try {
      for (;;) {
        const now = this.#ledger.poolNow();
        for (const entry of this.#line.expired(now)) this.#deny(entry, 'no-slot');
        const entry = this.#line.next(now);
        if (entry === undefined) break;
        await this.#serve(entry);
      }
    } finally {
      this.#dealing = false;
      this.#sleep();
    }
  }

  async #serve(entry: Entry): Promise<void> {
    const verdict = await this.#ask(entry.command, entry.first);
    if (mayWait(verdict)) {
      entry.first = false;
      this.#line.close(entry.lane, verdict.retryAt);
      this.#line.putBack(entry);
      return;
    }
    entry.answer(verdict);
  }

  #deny(entry: Entry, reason: DenialReason): void {
    const poolNow = this.#ledger.poolNow();
    const retryAt = Math.max(poolNow, this.#line.closedUntil(entry.lane) ?? poolNow);
    entry.answer({ kind: 'denied', poolNow, reason, retryAt });
  }

  #sleep(): void {
    const at = this.#line.nextEventAt();
    if (at === undefined) {
      this.#alarm.clear();
      return;
    }
    const inMs = Math.max(MIN_SLEEP_MS, at - this.#ledger.poolNow());
    this.#alarm.set(inMs, () => void this.#deal());
  }
}

/** Denials that time cures; the others are answered at once. */
function mayWait(verdict: LedgerVerdict): verdict is Extract<LedgerVerdict, { kind: 'denied' }> {
  return verdict.kind === 'denied' && (verdict.reason === 'no-slot' || verdict.reason === 'recovering');
}
