import type { ApiKey, KeyState } from '../domain/api-key';
import type { KeyRest, StoredRest } from '../domain/key-rests';
import type { LearnedPath, PathFacts, PathVerdict } from '../domain/learned-path';
import type { NetworkRules } from '../domain/networks';
import type { BudgetAccount } from '../domain/budget-blocks';
import type { KeyEvent } from '../domain/key-events';
import {
  type KeyExplanation,
  type LedgerDeal,
  type LedgerGrant,
  type LedgerGrantRequest,
  type LedgerSettle,
  type LedgerVerdict,
  type OpenLease,
  QuotaLedger,
  type SettleStatus,
  type SettleVerdict,
} from '../domain/quota-ledger';

interface Charge {
  notBefore: number;
  latest: number;
  hole: boolean;
}

interface Held {
  request: LedgerGrantRequest;
  grant: LedgerGrant;
  settled: boolean;
}

type SlotsAsked = Pick<LedgerGrantRequest, 'rules' | 'leadMs'>;

const LEAD_MS = 10;
const HOLD_MS = 30_000;

/**
 * The quota ledger without Redis: the same verdicts for one sliding window per key, earliest slot first. It knows
 * neither method rests nor trial calls, and forgets nothing: not for long runs.
 */
export class InMemoryQuotaLedger extends QuotaLedger {
  /** Every call of `grant`, in order. */
  readonly asked: LedgerGrantRequest[] = [];
  /** Verdicts to give instead of an own one, first in first out. */
  readonly scripted: LedgerVerdict[] = [];
  /** What settles report as having happened to keys. */
  events: KeyEvent[] = [];
  readonly settled: LedgerSettle[] = [];
  readonly restored: StoredRest[] = [];
  readonly #now: () => number;
  readonly #keys = new Map<string, ApiKey>();
  readonly #charges = new Map<string, Charge[]>();
  readonly #leases = new Map<string, Held>();
  readonly #sequences = new Set<string>();
  readonly #paths = new Map<string, LearnedPath>();
  #fence = 0;

  constructor(now: () => number) {
    super();
    this.#now = now;
  }

  poolNow(): number {
    return this.#now();
  }

  async readClock(): Promise<number> {
    return this.#now();
  }

  async define(keys: ApiKey[]): Promise<{ keyId: string; state: KeyState }[]> {
    for (const key of keys) this.#keys.set(key.id, key);
    return [];
  }

  async rests(): Promise<KeyRest[]> {
    return [];
  }

  async endRests(): Promise<number> {
    return 0;
  }

  async restoreRests(rests: StoredRest[]): Promise<number> {
    this.restored.push(...rests);
    return rests.length;
  }

  /** Learns nothing: the margin stays what the rules say. */
  async learn(facts: PathFacts): Promise<PathVerdict> {
    const poolNow = this.#now();
    if (!this.#takeSequence(facts)) return { kind: 'denied', poolNow, reason: 'replay' };
    return { kind: 'learned', poolNow, marginMs: facts.rules.marginMs };
  }

  async learnedPath(network: string): Promise<LearnedPath | undefined> {
    return this.#paths.get(network);
  }

  async restorePath(network: string, path: LearnedPath): Promise<void> {
    if (!this.#paths.has(network)) this.#paths.set(network, path);
  }

  async forgetPath(network: string): Promise<void> {
    this.#paths.delete(network);
  }

  async capacity(request: {
    workspaceId: string;
    kinds: readonly string[];
  }): Promise<{ poolNow: number; keys: number; callsPerSecond: number }> {
    const usable = this.#usable(request.workspaceId, request.kinds);
    const callsPerSecond = usable.reduce((sum, key) => sum + key.details.limits.perSecond, 0);
    return { poolNow: this.#now(), keys: usable.length, callsPerSecond };
  }

  async grant(request: LedgerGrantRequest): Promise<LedgerVerdict> {
    this.asked.push(request);
    const scripted = this.scripted.shift();
    if (scripted !== undefined) return scripted;
    const poolNow = this.#now();
    const denied = (reason: 'expired' | 'replay' | 'no-key' | 'no-slot', retryAt: number): LedgerVerdict => ({
      kind: 'denied',
      poolNow,
      reason,
      retryAt,
    });
    if (request.deadlineAt <= poolNow) return denied('expired', poolNow);
    const known = this.#leases.get(request.leaseId);
    if (known !== undefined) {
      const own = known.request.workspaceId === request.workspaceId && known.request.by === request.by;
      return own ? { kind: 'granted', poolNow, grant: known.grant } : denied('replay', poolNow);
    }
    if (request.first && !this.#takeSequence(request)) return denied('replay', poolNow);
    const usable = this.#usable(request.workspaceId, request.kinds);
    const best = usable
      .map((key) => ({ key, at: this.#nextSlot(key, request) }))
      .sort((a, b) => a.at.notBefore - b.at.notBefore)[0];
    if (best === undefined) return denied('no-key', poolNow + 1000);
    const slots = this.#take(best.key, request);
    const last = slots.at(-1) as number;
    const reach = request.rules.windowMs + Math.max(0, (request.leadMs ?? 0) - LEAD_MS);
    if (last > poolNow + reach) {
      this.#charges.get(best.key.id)?.splice(-slots.length);
      return denied('no-slot', last - reach);
    }
    this.#fence += 1;
    const grant: LedgerGrant = {
      fence: this.#fence,
      keyId: best.key.id,
      tokenVersion: best.key.details.tokenVersion,
      grantedAt: poolNow,
      expiresAt: last + request.rules.slackMs + HOLD_MS,
      slots,
      why: 'earliest-free',
    };
    this.#leases.set(request.leaseId, { request, grant, settled: false });
    return { kind: 'granted', poolNow, grant };
  }

  /** In the order given: it keeps no shares. */
  async deal(candidates: LedgerGrantRequest[]): Promise<LedgerDeal> {
    const verdicts: LedgerDeal['verdicts'] = candidates.map(() => undefined);
    for (const [index, candidate] of candidates.entries()) {
      const verdict = await this.grant(candidate);
      verdicts[index] = verdict;
      if (verdict.kind === 'granted') break;
    }
    return { poolNow: this.#now(), verdicts };
  }

  async explain(request: {
    keyIds: readonly string[];
  }): Promise<{ poolNow: number; keys: KeyExplanation[] }> {
    const keys = request.keyIds.map((keyId) => ({ keyId, weight: 1, usedInDay: 0 }));
    return { poolNow: this.#now(), keys };
  }

  async release(workspaceId: string, leaseId: string): Promise<'released' | 'ended' | 'unknown'> {
    const held = this.#leases.get(leaseId);
    if (held?.request.workspaceId !== workspaceId) return 'unknown';
    if (held.settled || held.grant.expiresAt <= this.#now()) return 'ended';
    held.grant = { ...held.grant, expiresAt: this.#now() };
    return 'released';
  }

  async leasesOf(keyId: string): Promise<OpenLease[]> {
    return [...this.#leases.values()]
      .filter(({ grant, settled }) => grant.keyId === keyId && !settled && grant.expiresAt > this.#now())
      .map(({ request, grant }) => ({
        leaseId: request.leaseId,
        workspaceId: request.workspaceId,
        importId: request.importId,
        service: request.by,
        grantedAt: grant.grantedAt,
        expiresAt: grant.expiresAt,
        calls: grant.slots.length,
        methods: Object.keys(request.methods),
        why: grant.why,
      }));
  }

  /** Limits longer than a window are none of its business. */
  async accounts(): Promise<{ poolNow: number; epoch: number; accounts: BudgetAccount[] }> {
    return { poolNow: this.#now(), epoch: 1, accounts: [] };
  }

  async credit(): Promise<boolean> {
    return false;
  }

  async settle(request: {
    by: string;
    session: string;
    sequence: number;
    rules: NetworkRules;
    settles: LedgerSettle[];
  }): Promise<SettleVerdict> {
    const poolNow = this.#now();
    if (request.sequence > 0 && !this.#takeSequence(request))
      return { kind: 'denied', poolNow, reason: 'replay' };
    this.settled.push(...request.settles);
    const statuses = request.settles.map((settle) => this.#settleOne(settle, request.by, request.rules));
    const events = this.events;
    this.events = [];
    return { kind: 'settled', poolNow, statuses, events };
  }

  #settleOne(settle: LedgerSettle, by: string, rules: NetworkRules): SettleStatus {
    const held = this.#leases.get(settle.leaseId);
    const own = held?.request.by === by && held.request.workspaceId === settle.workspaceId;
    if (held === undefined || !own || held.grant.fence !== settle.fence) return 'unknown';
    if (held.settled) return 'already-settled';
    if (held.grant.expiresAt <= this.#now()) return 'late';
    held.settled = true;
    const charges = this.#charges.get(held.grant.keyId) ?? [];
    for (const report of settle.reports) {
      const charge = charges.find((known) => known.notBefore === held.grant.slots[report.slot]);
      if (charge === undefined) continue;
      if (report.outcome === 'unsent') charge.hole = charge.notBefore >= this.#now() + LEAD_MS;
      else charge.latest = Math.max(report.sentAt, charge.notBefore) + rules.marginMs - rules.slackMs;
      if (report.outcome === 'answered') {
        charge.latest = Math.min(charge.latest, Math.max(report.answeredAt, charge.notBefore));
      }
    }
    return 'settled';
  }

  #take(key: ApiKey, request: SlotsAsked & { calls: number }): number[] {
    const { rules, calls } = request;
    const charges = this.#charges.get(key.id) ?? [];
    this.#charges.set(key.id, charges);
    return Array.from({ length: calls }, () => {
      const { notBefore, hole } = this.#nextSlot(key, request);
      if (hole !== undefined) hole.hole = false;
      else charges.push({ notBefore, latest: notBefore + rules.marginMs, hole: false });
      return notBefore;
    });
  }

  #nextSlot(key: ApiKey, { rules, leadMs = 0 }: SlotsAsked): { notBefore: number; hole?: Charge } {
    const first = this.#now() + Math.max(LEAD_MS, leadMs);
    const charges = this.#charges.get(key.id) ?? [];
    const hole = charges.find((charge) => charge.hole && charge.notBefore >= first);
    if (hole !== undefined) return { notBefore: hole.notBefore, hole };
    const quota = key.details.limits.perSecond;
    const spread = (rules.windowMs + rules.marginMs - rules.slackMs) / quota;
    const latest = charges.map((charge) => charge.latest).sort((a, b) => b - a)[quota - 1];
    const last = charges.at(-1)?.notBefore ?? -Infinity;
    return { notBefore: Math.max(first, last + spread, (latest ?? -Infinity) + rules.windowMs) };
  }

  #usable(workspaceId: string, kinds: readonly string[]): ApiKey[] {
    return [...this.#keys.values()].filter(
      ({ details, stateInPool }) =>
        details.workspaceId === workspaceId && stateInPool === 'active' && kinds.includes(details.kind),
    );
  }

  #takeSequence(request: { session: string; sequence: number }): boolean {
    const name = `${request.session} ${request.sequence}`;
    if (this.#sequences.has(name)) return false;
    this.#sequences.add(name);
    return true;
  }
}
