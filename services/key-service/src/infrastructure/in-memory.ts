import type { ApiKey, KeyState } from '../domain/api-key';
import { keyChangedMeanwhile, keyUnknown, tokenKnown } from '../domain/errors';
import { spanOf } from '../domain/limits';
import type { NetworkRules } from '../domain/networks';
import { ApiKeys, type KeyFilter, type KeyHistoryEntry } from '../domain/api-keys';
import { AuditTrail, type AuditNote, type Refusal } from '../domain/audit';
import type { KeyRest, StoredRest } from '../domain/key-rests';
import { type KeyUse, type KeyUsePeriod, KeyUses } from '../domain/key-uses';
import { type LearnedPath, LearnedPaths } from '../domain/learned-path';
import { type LeaseSession, LeaseSessions } from '../domain/lease-sessions';
import { PoolReport } from '../domain/pool-report';
import {
  Alarm,
  DataKeys,
  KeyCatalogue,
  type KeyEvent,
  KeyStateBroadcast,
  type BudgetAccount,
  BudgetBlocks,
  type KeyExplanation,
  type LedgerDeal,
  type LedgerGrant,
  type LedgerGrantRequest,
  type LedgerSettle,
  type LedgerVerdict,
  type OpenLease,
  type PathFacts,
  type PathVerdict,
  PoolEpochs,
  QuotaLedger,
  type SealedKey,
  type SettleStatus,
  type SettleVerdict,
  type StoredKey,
  type WrappedDataKey,
} from '../domain/ports';
import type { SealedToken } from '../domain/sealing';
import type { SealedRefresh } from '../domain/token-refresh';

/** Fakes of all ports: they keep the same contracts (test/*.contract.ts) for as long as the process lives. */

export class InMemoryLearnedPaths extends LearnedPaths {
  readonly #paths = new Map<string, LearnedPath>();

  async get(network: string): Promise<LearnedPath | undefined> {
    return this.#paths.get(network);
  }

  async save(network: string, path: LearnedPath): Promise<void> {
    this.#paths.set(network, path);
  }

  async remove(network: string): Promise<void> {
    this.#paths.delete(network);
  }
}

interface KeptBlock {
  id: string;
  bucket: string;
  limit: string;
  size: number;
  epoch: number;
  bookedAt: number;
  closedAt: number | undefined;
}

/** Budget blocks for as long as the process lives; `now` in ms. */
export class InMemoryBudgetBlocks extends BudgetBlocks {
  readonly kept: KeptBlock[] = [];

  constructor(private readonly now: () => number) {
    super();
  }

  async book(request: Parameters<BudgetBlocks['book']>[0]): ReturnType<BudgetBlocks['book']> {
    const { bucket, limit, calls, size, epoch, known, left } = request;
    const ofLimit = this.kept.filter((block) => block.bucket === bucket && block.limit === limit);
    for (const block of ofLimit) if (block.epoch < epoch) block.closedAt ??= this.now();
    const isOpen = (block: KeptBlock) => block.closedAt === undefined && !known.includes(block.id);
    if (ofLimit.some((block) => isOpen(block) && block.bookedAt > this.now() - 10_000))
      return { kind: 'elsewhere' };
    const counted = ofLimit.filter((block) => this.#counts(block));
    const granted = Math.min(size, calls - counted.reduce((sum, block) => sum + block.size, 0));
    if (granted < 1) {
      const closed = counted.flatMap(({ closedAt }) => (closedAt === undefined ? [] : [closedAt]));
      const closing = this.now() + Math.min(33_000, spanOf(limit) / 20);
      const leavesInMs = Math.min(...closed, closing) - this.now() + spanOf(limit) + 5_000;
      const retryInMs = left > 0 ? Math.min(leavesInMs, spanOf(limit) / 100) : leavesInMs;
      return { kind: 'spent', retryInMs: Math.max(1_000, retryInMs) };
    }
    const id = `block-${this.kept.length + 1}`;
    this.kept.push({ id, bucket, limit, size: granted, epoch, bookedAt: this.now(), closedAt: undefined });
    return { kind: 'booked', id, size: granted };
  }

  async close(blocks: readonly { id: string; left: number }[]): Promise<void> {
    for (const { id, left } of blocks) {
      const block = this.kept.find((known) => known.id === id && known.closedAt === undefined);
      if (block === undefined) continue;
      block.size = Math.max(0, block.size - left);
      block.closedAt = this.now();
    }
  }

  async closeLost(epoch: number): Promise<number> {
    const lost = this.kept.filter((block) => block.closedAt === undefined && block.epoch < epoch);
    for (const block of lost) block.closedAt = this.now();
    return lost.length;
  }

  async open(epoch: number): Promise<{ id: string; bucket: string; ageMs: number }[]> {
    return this.kept
      .filter((block) => block.closedAt === undefined && block.epoch === epoch)
      .map(({ id, bucket, bookedAt }) => ({ id, bucket, ageMs: this.now() - bookedAt }));
  }

  async taken(bucket: string): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const block of this.kept) {
      if (block.bucket !== bucket || !this.#counts(block)) continue;
      found.set(block.limit, (found.get(block.limit) ?? 0) + block.size);
    }
    return found;
  }

  #counts({ closedAt, limit }: KeptBlock): boolean {
    return closedAt === undefined || closedAt > this.now() - spanOf(limit) - 5_000;
  }
}

export class InMemoryPoolEpochs extends PoolEpochs {
  #epoch = 0;

  async current(): Promise<number> {
    return this.#epoch;
  }

  async advance(from: number): Promise<number | undefined> {
    if (from !== this.#epoch) return undefined;
    this.#epoch += 1;
    return this.#epoch;
  }
}

/** Rings when told to. */
export class ManualAlarm extends Alarm {
  inMs: number | undefined;
  #ring: (() => void) | undefined;

  set(inMs: number, ring: () => void): void {
    this.inMs = inMs;
    this.#ring = ring;
  }

  clear(): void {
    this.inMs = undefined;
    this.#ring = undefined;
  }

  ring(): void {
    const ring = this.#ring;
    this.clear();
    ring?.();
  }
}

interface KeptKey extends StoredKey {
  fingerprint: string;
  revision: number;
}

/** Keys of all workspaces, and at the same time the catalogue of them. */
export class InMemoryApiKeys extends ApiKeys {
  readonly notes: AuditNote[] = [];
  readonly refreshes = new Map<string, SealedRefresh>();
  readonly #kept = new Map<string, KeptKey>();
  readonly #entries = new Map<string, KeyHistoryEntry[]>();
  #revision = 0;

  async add(
    key: ApiKey,
    token: SealedToken,
    fingerprint: string,
    note: AuditNote,
    refresh?: SealedRefresh,
  ): Promise<void> {
    if (refresh !== undefined) this.refreshes.set(key.id, refresh);
    if (this.#isKnown(key.details.network, fingerprint)) throw tokenKnown();
    this.#keep({ key, token, fingerprint });
    this.#note(undefined, key, note);
  }

  async addMany(keys: readonly SealedKey[], note: AuditNote): Promise<ReadonlySet<string>> {
    const fresh = keys.filter(({ key, fingerprint }) => !this.#isKnown(key.details.network, fingerprint));
    for (const sealed of fresh)
      await this.add(sealed.key, sealed.token, sealed.fingerprint, note, sealed.refresh);
    return new Set(fresh.map(({ key }) => key.id));
  }

  async find(workspaceId: string, id: string): Promise<ApiKey | undefined> {
    return this.#visible(workspaceId, id)?.key;
  }

  async list(
    workspaceId: string,
    filter: KeyFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<ApiKey[]> {
    return [...this.#kept.values()]
      .map(({ key }) => key)
      .filter(({ details }) => details.workspaceId === workspaceId && details.state !== 'deleted')
      .filter(({ details }) => filter.network === undefined || details.network === filter.network)
      .filter(({ details }) => filter.state === undefined || details.state === filter.state)
      .filter(({ details }) => filter.kind === undefined || details.kind === filter.kind)
      .filter(({ details }) => filter.egress === undefined || details.egress === filter.egress)
      .filter(({ namedBucket }) => filter.bucket === undefined || namedBucket === filter.bucket)
      .filter(({ details }) => (details.label ?? '').startsWith(filter.labelPrefix ?? ''))
      .filter(({ id }) => page.after === undefined || id > page.after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, page.limit);
  }

  async update(
    workspaceId: string,
    id: string,
    change: (key: ApiKey, fingerprint: string) => ApiKey,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<ApiKey> {
    const kept = this.#visible(workspaceId, id);
    if (
      kept === undefined &&
      ifVersion !== undefined &&
      this.#kept.get(id)?.key.details.workspaceId === workspaceId
    )
      throw keyChangedMeanwhile();
    if (kept === undefined) throw keyUnknown();
    if (ifVersion !== undefined && kept.key.details.version !== ifVersion) throw keyChangedMeanwhile();
    const key = change(kept.key, kept.fingerprint);
    if (key === kept.key) return key;
    const token = key.tokenIsOver ? { ...kept.token, bytes: new Uint8Array(0) } : kept.token;
    this.#keep({ ...kept, key, token });
    this.#note(kept.key, key, note);
    return key;
  }

  async replace(
    workspaceId: string,
    id: string,
    change: (key: ApiKey) => { retired: ApiKey; successor: ApiKey },
    sealed: Omit<SealedKey, 'key'>,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<{ retired: ApiKey; successor: ApiKey }> {
    const known = this.#visible(workspaceId, id);
    if (known !== undefined && this.#isKnown(known.key.details.network, sealed.fingerprint))
      throw tokenKnown();
    let successor: ApiKey | undefined;
    const retired = await this.update(
      workspaceId,
      id,
      (key) => {
        const made = change(key);
        successor = made.successor;
        return made.retired;
      },
      note,
      ifVersion,
    );
    await this.add(successor as ApiKey, sealed.token, sealed.fingerprint, note);
    return { retired, successor: successor as ApiKey };
  }

  async history(
    workspaceId: string,
    id: string,
    page: { limit: number; before?: number | undefined },
  ): Promise<KeyHistoryEntry[]> {
    if (this.#kept.get(id)?.key.details.workspaceId !== workspaceId) throw keyUnknown();
    return (this.#entries.get(id) ?? [])
      .filter(({ version }) => page.before === undefined || version < page.before)
      .sort((a, b) => b.version - a.version)
      .slice(0, page.limit);
  }

  /** Puts other sealed bytes of the same token into a row. */
  reseal(id: string, token: SealedToken): void {
    const kept = this.#kept.get(id);
    if (kept !== undefined) this.#keep({ ...kept, token });
  }

  /** Rows above a revision, as the catalogue reads them. */
  since(revision: number): { keys: StoredKey[]; next: number } {
    const keys = [...this.#kept.values()]
      .filter((kept) => kept.revision > revision)
      .sort((a, b) => a.revision - b.revision);
    return { keys, next: this.#revision };
  }

  #isKnown(network: string, fingerprint: string): boolean {
    return [...this.#kept.values()].some(
      (kept) =>
        kept.key.details.network === network && !kept.key.tokenIsOver && kept.fingerprint === fingerprint,
    );
  }

  #note(known: ApiKey | undefined, next: ApiKey, note: AuditNote): void {
    this.notes.push(note);
    const { version, updatedAt, reason, state } = next.details;
    const changes = { state: { from: known?.state ?? null, to: state } };
    const { actor, action, correlationId = null } = note;
    const entry = { version, at: updatedAt, actor, action, changes, reason, correlationId };
    this.#entries.set(next.id, [...(this.#entries.get(next.id) ?? []), entry]);
  }

  #keep(kept: Omit<KeptKey, 'revision'>): void {
    this.#revision += 1;
    this.#kept.set(kept.key.id, { ...kept, revision: this.#revision });
  }

  #visible(workspaceId: string, id: string): KeptKey | undefined {
    const kept = this.#kept.get(id);
    const visible = kept?.key.details.workspaceId === workspaceId && kept.key.state !== 'deleted';
    return visible ? kept : undefined;
  }
}

export class InMemoryKeyCatalogue extends KeyCatalogue {
  constructor(private readonly keys: InMemoryApiKeys) {
    super();
  }

  async changedSince(since: number): Promise<{ keys: StoredKey[]; next: number }> {
    return this.keys.since(since);
  }
}

export class InMemoryDataKeys extends DataKeys {
  readonly #keys: WrappedDataKey[] = [];

  async oldest(workspaceId: string): Promise<WrappedDataKey | undefined> {
    return this.#keys.find((key) => key.workspaceId === workspaceId);
  }

  async newest(workspaceId: string): Promise<WrappedDataKey | undefined> {
    return this.#keys.findLast((key) => key.workspaceId === workspaceId);
  }

  async byId(id: string): Promise<WrappedDataKey | undefined> {
    return this.#keys.find((key) => key.id === id);
  }

  async add(key: WrappedDataKey): Promise<void> {
    this.#keys.push(key);
  }
}

export class InMemoryLeaseSessions extends LeaseSessions {
  readonly #sessions = new Map<string, LeaseSession>();

  async keep(session: LeaseSession): Promise<void> {
    this.#sessions.set(session.id, session);
  }

  async find(id: string): Promise<LeaseSession | undefined> {
    return this.#sessions.get(id);
  }

  held(id: string): LeaseSession | undefined {
    return this.#sessions.get(id);
  }

  async end(id: string): Promise<void> {
    this.#sessions.delete(id);
  }
}

export class RecordingBroadcast extends KeyStateBroadcast {
  readonly announced: { id: string; state: KeyState; at: number; restingUntil?: number; egress?: string }[] =
    [];

  async announce(
    key: ApiKey,
    at: number,
    limits: { restingUntil?: number; egress?: string } = {},
  ): Promise<void> {
    this.announced.push({ id: key.id, state: key.state, at, ...limits });
  }
}

export class RecordingAuditTrail extends AuditTrail {
  readonly notes: Refusal[] = [];

  readonly deeds: (AuditNote & { workspaceId: string | undefined; target: string })[] = [];

  refused(note: Refusal): void {
    this.notes.push(note);
  }

  async done(note: AuditNote & { workspaceId: string | undefined; target: string }): Promise<void> {
    this.deeds.push(note);
  }
}

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
      .map((key) => ({ key, at: this.#nextSlot(key, request.rules) }))
      .sort((a, b) => a.at.notBefore - b.at.notBefore)[0];
    if (best === undefined) return denied('no-key', poolNow + 1000);
    const slots = this.#take(best.key, request.rules, request.calls);
    const last = slots.at(-1) as number;
    if (last > poolNow + request.rules.windowMs) {
      this.#charges.get(best.key.id)?.splice(-slots.length);
      return denied('no-slot', last - request.rules.windowMs);
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

  #take(key: ApiKey, rules: NetworkRules, calls: number): number[] {
    const charges = this.#charges.get(key.id) ?? [];
    this.#charges.set(key.id, charges);
    return Array.from({ length: calls }, () => {
      const { notBefore, hole } = this.#nextSlot(key, rules);
      if (hole !== undefined) hole.hole = false;
      else charges.push({ notBefore, latest: notBefore + rules.marginMs, hole: false });
      return notBefore;
    });
  }

  #nextSlot(key: ApiKey, rules: NetworkRules): { notBefore: number; hole?: Charge } {
    const first = this.#now() + LEAD_MS;
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

export class RecordingPoolReport extends PoolReport {
  readonly events: KeyEvent[] = [];
  readonly failures: [string, unknown][] = [];
  states: ReadonlyMap<string, number> = new Map();
  readonly uses = { written: 0, dropped: 0 };

  keyChanged(event: KeyEvent): void {
    this.events.push(event);
  }

  keysByState(counts: ReadonlyMap<string, number>): void {
    this.states = counts;
  }

  utilisation(): void {}

  margin(): void {}

  budgets(): void {}

  usesWritten(outcome: 'written' | 'dropped', leases: number): void {
    this.uses[outcome] += leases;
  }

  failed(sentence: string, error: unknown): void {
    this.failures.push([sentence, error]);
  }
}

export class InMemoryKeyUses extends KeyUses {
  readonly rows = new Map<string, KeyUse>();
  readonly announced: KeyUsePeriod[] = [];
  /** Thrown by every verb while it is set. */
  fault: Error | undefined;

  async write(uses: readonly KeyUse[]): Promise<void> {
    this.#check();
    for (const use of uses) if (!this.rows.has(use.leaseId)) this.rows.set(use.leaseId, { ...use });
  }

  async settle(
    settled: readonly { leaseId: string; settledAt: number; results: Record<string, number> }[],
  ): Promise<void> {
    this.#check();
    for (const { leaseId, ...rest } of settled) {
      const row = this.rows.get(leaseId);
      if (row?.results === null) Object.assign(row, rest);
    }
  }

  async announce(periods: readonly KeyUsePeriod[]): Promise<void> {
    this.#check();
    this.announced.push(...periods);
  }

  async forget(before: number, most: number): Promise<number> {
    this.#check();
    const old = [...this.rows.values()].filter((use) => use.grantedAt < before).slice(0, most);
    for (const { leaseId } of old) this.rows.delete(leaseId);
    return old.length;
  }

  #check(): void {
    if (this.fault !== undefined) throw this.fault;
  }
}
