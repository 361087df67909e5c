import { LeaseLine, type LineLimits, type Waiting } from '../domain/lease-line';
import { type KeyKind, kindsFor, type NetworkRules } from '../domain/networks';
import { Alarm } from '../domain/ports';
import {
  type DenialReason,
  type LedgerGrant,
  type LedgerGrantRequest,
  type LedgerVerdict,
  QuotaLedger,
} from '../domain/quota-ledger';

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
  /** From the grant to its first slot at least, where the worker needs more than usual, ms. */
  leadMs?: number | undefined;
}

export type AcquireVerdict =
  | { kind: 'granted'; poolNow: number; grant: LedgerGrant }
  | { kind: 'denied'; poolNow: number; reason: DenialReason; retryAt: number };

interface Entry extends Waiting {
  request: LedgerGrantRequest;
  answer: (verdict: AcquireVerdict) => void;
}

type Denied = Extract<LedgerVerdict, { kind: 'denied' }>;

const NO_KEY_RETRY_MS = 1_000;
const FULL_RETRY_MS = 100;
/** While the pool's clock is not known. */
const NO_CLOCK_RETRY_MS = 50;
/**
 * While every key is busy a slot comes within reach each millisecond or two, `horizonMs` before its time: whoever asks
 * for each of them alone spends a denial on every grant.
 */
const MIN_SLEEP_MS = 8;
/** How many imports take part in one deal: more than that find out one after the other. */
const MOST_CANDIDATES = 8;
/**
 * Deals under way at once: one after the other each costs a round trip, which is ten milliseconds on a busy machine.
 * They begin as few, since most find nothing while every key is busy; each that is granted lets another one begin.
 */
const FEWEST_DEALS = 2;
const MOST_DEALS = 16;

/**
 * Grants leases. A request whose lane has nobody waiting goes straight to the ledger; one that finds no slot waits in
 * the line until its deadline. Whenever a lane opens, the heads of the line go to the ledger together: it serves the
 * one that has had least, of all instances' requests, until nobody of them can have a slot.
 */
export class LeaseDesk {
  readonly #ledger: QuotaLedger;
  readonly #alarm: Alarm;
  readonly #line: LeaseLine<Entry>;
  #dealing = false;
  #deals = 0;
  #dismissed = false;
  /** Counts the times that slots came back: a denial from before says nothing about what is free now. */
  #freed = 0;

  constructor(ledger: QuotaLedger, alarm: Alarm, limits: LineLimits) {
    this.#ledger = ledger;
    this.#alarm = alarm;
    this.#line = new LeaseLine(limits);
  }

  get waiting(): number {
    return this.#line.size;
  }

  async acquire(command: AcquireLease): Promise<AcquireVerdict> {
    const methods = Object.keys(command.methods);
    const kinds = kindsFor(command.rules, methods);
    if (kinds.length === 0) {
      const poolNow = this.#ledger.poolNow();
      return { kind: 'denied', poolNow, reason: 'no-key', retryAt: poolNow + NO_KEY_RETRY_MS };
    }
    const { workspaceId, rules, egress } = command;
    const lane = [workspaceId, rules.network, egress, command.calls, ...methods.sort()].join(' ');
    const request = requestOf(command, kinds);
    if (this.#line.isBusy(lane, this.#ledger.poolNow())) return this.#wait(request, lane);
    const freed = this.#freed;
    const verdict = await this.#ledger.grant(request);
    if (!mayWait(verdict, request)) return verdict;
    this.#close(lane, verdict, freed);
    return this.#wait({ ...request, first: false }, lane);
  }

  /** Slots came back before their time, or keys or budgets did: whoever waits is tried again at once. */
  async slotsFreed(): Promise<void> {
    this.#freed += 1;
    this.#line.openAll();
    if (this.#line.size > 0) await this.#deal();
  }

  /** Answers everyone who waits: the process is about to end. */
  dismiss(): void {
    this.#dismissed = true;
    this.#alarm.clear();
    for (const entry of this.#line.expired(Infinity)) this.#deny(entry, 'no-slot');
  }

  #wait(request: LedgerGrantRequest, lane: string): Promise<AcquireVerdict> {
    return new Promise((answer) => {
      const { workspaceId, importId, deadlineAt, rules } = request;
      const group = rules.network;
      const entry: Entry = { request, lane, group, answer, workspaceId, importId, deadlineAt };
      if (this.#dismissed) {
        this.#deny(entry, 'no-slot');
      } else if (!this.#line.add(entry)) {
        const poolNow = this.#ledger.poolNow();
        answer({ kind: 'denied', poolNow, reason: 'line-full', retryAt: poolNow + FULL_RETRY_MS });
      } else if (!this.#dealing) {
        this.#sleep();
      }
    });
  }

  async #deal(): Promise<void> {
    if (this.#dealing) return;
    this.#dealing = true;
    try {
      await Promise.all(Array.from({ length: FEWEST_DEALS }, () => this.#dealWhileOpen()));
    } finally {
      this.#dealing = false;
      this.#sleep();
    }
  }

  async #dealWhileOpen(): Promise<void> {
    const others = new Set<Promise<void>>();
    this.#deals += 1;
    try {
      for (;;) {
        const now = this.#ledger.poolNow();
        // Without a clock no lane is closed and no deadline over: asking on would never end. The alarm looks again.
        if (Number.isNaN(now)) break;
        for (const entry of this.#line.expired(now)) this.#deny(entry, 'no-slot');
        const heads = this.#line.heads(now, MOST_CANDIDATES);
        if (heads.length === 0) break;
        if ((await this.#dealTo(heads)) && this.#deals < MOST_DEALS) {
          const another = this.#dealWhileOpen().then(() => void others.delete(another));
          // Awaited below; without this one that fails before would count as looked at by nobody.
          another.catch(() => undefined);
          others.add(another);
        }
      }
    } finally {
      this.#deals -= 1;
      await Promise.all(others);
    }
  }

  /** True when one of them got a lease. */
  async #dealTo(heads: Entry[]): Promise<boolean> {
    const freed = this.#freed;
    let verdicts: (LedgerVerdict | undefined)[] = [];
    try {
      for (const head of heads) head.request.more = this.#line.hasMore(head);
      ({ verdicts } = await this.#ledger.deal(heads.map(({ request }) => request)));
    } finally {
      for (const [i, head] of heads.entries()) this.#conclude(head, verdicts[i], freed);
    }
    return verdicts.some((verdict) => verdict?.kind === 'granted');
  }

  #conclude(entry: Entry, verdict: LedgerVerdict | undefined, freed: number): void {
    if (verdict !== undefined && !mayWait(verdict, entry.request)) {
      this.#line.done(entry);
      entry.answer(verdict);
      return;
    }
    entry.request = { ...entry.request, first: false };
    if (verdict !== undefined) this.#close(entry.lane, verdict, freed);
    if (!this.#dismissed) {
      this.#line.putBack(entry);
      return;
    }
    this.#line.done(entry);
    this.#deny(entry, 'no-slot');
  }

  #close(lane: string, verdict: Denied, freed: number): void {
    if (freed === this.#freed)
      this.#line.close(lane, Math.max(verdict.retryAt, verdict.poolNow + MIN_SLEEP_MS));
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
    const inMs = at - this.#ledger.poolNow();
    this.#alarm.set(Number.isNaN(inMs) ? NO_CLOCK_RETRY_MS : Math.max(MIN_SLEEP_MS, inMs), () => {
      void this.#deal();
    });
  }
}

/** Field by field: a copy by spreading takes several times as long, and this is done for each lease. */
function requestOf(command: AcquireLease, kinds: KeyKind[]): LedgerGrantRequest {
  return {
    leaseId: command.requestId,
    by: command.service,
    session: command.session,
    sequence: command.sequence,
    first: true,
    workspaceId: command.workspaceId,
    importId: command.importId,
    rules: command.rules,
    kinds,
    methods: command.methods,
    calls: command.calls,
    deadlineAt: command.deadlineAt,
    egress: command.egress,
    leadMs: command.leadMs,
  };
}

/**
 * Denials that time cures; the others are answered at once. A spent budget and a network that rests are waited for
 * only when that is over in time: nothing that happens meanwhile would bring it sooner.
 */
function mayWait(verdict: LedgerVerdict, request: LedgerGrantRequest): verdict is Denied {
  if (verdict.kind === 'granted') return false;
  const { reason, retryAt } = verdict;
  if (reason === 'no-slot' || reason === 'recovering') return true;
  return (reason === 'budget-spent' || reason === 'network-resting') && retryAt < request.deadlineAt;
}
