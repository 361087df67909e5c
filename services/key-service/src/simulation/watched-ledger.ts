import type { ApiKey } from '../domain/api-key';
import type { KeyEvent } from '../domain/key-events';
import type {
  LedgerDeal,
  LedgerGrant,
  LedgerGrantRequest,
  LedgerVerdict,
  QuotaLedger,
  SettleVerdict,
} from '../domain/quota-ledger';
import type { Provider } from './provider';
import { RestWatch } from './rest-watch';
import type { World } from './world';

interface Known {
  grant: LedgerGrant;
  keyId: string;
  settled: boolean;
}

/** What was known when a question left. */
interface Asked {
  at: number;
  poolNow: number;
  fence: number;
}

type SettleRequest = Parameters<QuotaLedger['settle']>[0];

const LEAD_MS = 10;
/** Rounding of whole microseconds and milliseconds. */
const EPSILON_MS = 1.5;

/**
 * Looks at everything that any key-service asks of the ledger and is answered, and at nothing inside it. Rules are
 * applied only where one answer came before the other question: what is under way at once may come in any order.
 */
export class LedgerWatch {
  grants = 0;
  /** Keys whose quota is lowered for a while: another program was found to use them. */
  readonly lowered = new Set<string>();
  lastGrantAt = 0;
  readonly #world: World;
  readonly #leases = new Map<string, Known>();
  readonly #keys = new Map<string, ApiKey>();
  /** Since when (us) the ledger knows that a key may not be used. */
  readonly #forbidden = new Map<string, number>();
  readonly #rests: RestWatch;
  /** Of the tokens that the ledger knows for certain. */
  readonly #versions = new Map<string, number>();
  readonly #fences = new Map<number, string>();
  readonly #provider: Provider;
  readonly #poolMicros: () => number;
  #highestFence = 0;
  /** When Redis last forgot or had its clock set: a lease from before may be given out again, and look new. */
  #fenceBefore = 0;

  /** `poolMicros`: the clock of Redis. */
  constructor(world: World, provider: Provider, poolMicros: () => number) {
    this.#world = world;
    this.#provider = provider;
    this.#poolMicros = poolMicros;
    this.#rests = new RestWatch(world);
  }

  /** The same ledger, looked at. */
  around<L extends QuotaLedger>(ledger: L): L {
    return new Proxy(ledger, {
      get: (target, name) => {
        if (name === 'grant') return (request: LedgerGrantRequest) => this.#grant(target, request);
        if (name === 'deal') return (candidates: LedgerGrantRequest[]) => this.#deal(target, candidates);
        if (name === 'settle') return (request: SettleRequest) => this.#settle(target, request);
        if (name === 'define') return (keys: ApiKey[]) => this.#define(target, keys);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** Redis forgot, or may have: what it had learned of keys is gone, its clock may be another. */
  forgotten(): void {
    this.#leases.clear();
    this.#fenceBefore = this.#highestFence;
    this.#rests.forgetAll();
  }

  async #grant(ledger: QuotaLedger, request: LedgerGrantRequest): Promise<LedgerVerdict> {
    return (await this.#deal(ledger, [request])).verdicts[0] as LedgerVerdict;
  }

  async #deal(ledger: QuotaLedger, candidates: LedgerGrantRequest[]): Promise<LedgerDeal> {
    const asked: Asked = {
      at: this.#world.time.micros,
      poolNow: this.#poolMicros() / 1000,
      fence: this.#highestFence,
    };
    const deal = await ledger.deal(candidates);
    let granted = 0;
    deal.verdicts.forEach((verdict, index) => {
      const request = candidates[index] as LedgerGrantRequest;
      if (verdict?.kind === 'denied') this.#judgeDenial(request, verdict);
      if (verdict?.kind !== 'granted') return;
      granted += 1;
      this.#judgeGrant(request, verdict.grant, verdict.poolNow, asked);
    });
    if (granted > 1)
      this.#world.broken('two-grants-at-once', candidates.map(({ leaseId }) => leaseId).join());
    return deal;
  }

  #judgeDenial(request: LedgerGrantRequest, verdict: Extract<LedgerVerdict, { kind: 'denied' }>): void {
    const { reason, retryAt, poolNow } = verdict;
    this.#world.note('denied', request.leaseId, reason, retryAt - poolNow);
    this.#world.count(`denied ${reason}`);
    if (reason === 'no-slot' && retryAt <= poolNow) this.#world.broken('retry-in-the-past', request.leaseId);
  }

  #judgeGrant(request: LedgerGrantRequest, grant: LedgerGrant, poolNow: number, asked: Asked): void {
    const { leaseId } = request;
    const { keyId, fence, slots } = grant;
    const known = this.#leases.get(leaseId);
    if (known !== undefined) {
      const same = known.grant.fence === fence && known.grant.slots.join() === slots.join();
      if (!same || known.keyId !== keyId) this.#world.broken('same-request-other-grant', leaseId);
      return;
    }
    this.grants += 1;
    this.lastGrantAt = this.#world.time.micros;
    const inMs = slots.map((slot) => (slot - grant.grantedAt).toFixed(3)).join('+');
    this.#world.note('granted', leaseId, keyId, fence, grant.grantedAt, inMs);
    this.#leases.set(leaseId, { grant, keyId, settled: false });
    if ((this.#fences.get(fence) ?? leaseId) !== leaseId)
      this.#world.broken('fence-given-twice', `${leaseId}: ${fence}`);
    this.#fences.set(fence, leaseId);
    this.#highestFence = Math.max(this.#highestFence, fence);
    // Granted before and its reply was lost: what was true then is not known here.
    if (grant.grantedAt < asked.poolNow) return;
    if (fence <= asked.fence && fence > this.#fenceBefore)
      this.#world.broken('fence-went-back', `${leaseId}: ${fence} after ${asked.fence}`);
    if (grant.grantedAt >= request.deadlineAt) this.#world.broken('granted-after-the-deadline', leaseId);
    if (slots.length < 1 || slots.length > request.calls)
      this.#world.broken('slots-missing', `${leaseId}: ${slots.length} of ${request.calls}`);
    const lead = Math.max(LEAD_MS, request.leadMs ?? 0);
    const early = slots.find((slot) => slot < grant.grantedAt + lead - 0.001);
    if (early !== undefined)
      this.#world.broken(
        'slot-too-soon',
        `${leaseId}: ${(early - grant.grantedAt).toFixed(3)} ms after the grant`,
      );
    if (
      slots.some(
        (slot) => slot - grant.grantedAt > request.rules.windowMs + request.rules.horizonMs + EPSILON_MS,
      )
    )
      this.#world.broken('slot-beyond-the-horizon', leaseId);
    this.#judgeKey(request, grant, poolNow, asked.at);
  }

  #judgeKey(request: LedgerGrantRequest, grant: LedgerGrant, poolNow: number, askedAt: number): void {
    const { leaseId, workspaceId, egress } = request;
    const { keyId } = grant;
    const key = this.#keys.get(keyId);
    const may =
      key !== undefined && [key.details.workspaceId, ...key.details.sharedWith].includes(workspaceId);
    if (!may) this.#world.broken('key-of-another-workspace', `${leaseId}: ${keyId}`);
    else if (!request.kinds.includes(key.details.kind))
      this.#world.broken('key-of-another-kind', `${leaseId}: ${keyId}`);
    else if ((key.details.egress ?? egress) !== egress)
      this.#world.broken('key-of-another-address', `${leaseId}: ${keyId}`);
    if ((this.#forbidden.get(keyId) ?? Infinity) <= askedAt)
      this.#world.broken('key-not-active', `${leaseId}: ${keyId} is ${key?.state}`);
    this.#rests.judge(request, grant, poolNow, askedAt);
  }

  async #settle(ledger: QuotaLedger, request: SettleRequest): Promise<SettleVerdict> {
    for (const { leaseId } of request.settles) this.#rests.forgetTrial(leaseId);
    const versions = new Map(this.#versions);
    const verdict = await ledger.settle(request);
    if (verdict.kind === 'denied') return verdict;
    const { statuses, events } = verdict;
    let fresh = false;
    request.settles.forEach(({ leaseId, reports }, index) => {
      const status = statuses[index];
      const lease = this.#leases.get(leaseId);
      this.#world.note('settle', leaseId, status, reports.map((report) => report.outcome).join(','));
      this.#world.count(`settle ${status}`);
      fresh ||= lease?.settled !== true;
      if (lease === undefined) return;
      const { keyId, tokenVersion } = lease.grant;
      if (tokenVersion < (versions.get(keyId) ?? 0) && events.some((event) => event.keyId === keyId))
        this.#world.broken(
          'blames-another-token',
          `${leaseId}: ${keyId}, ${events.map(({ kind }) => kind).join()}`,
        );
      if (status === 'settled' && lease.settled) this.#world.broken('settled-twice', leaseId);
      lease.settled ||= status === 'settled';
    });
    this.#conclude(events, versions);
    if (events.length > 0 && !fresh && request.settles.length > 0)
      this.#world.broken('reported-twice', `${request.settles.map(({ leaseId }) => leaseId).join()}`);
    return verdict;
  }

  #conclude(events: readonly KeyEvent[], versions: ReadonlyMap<string, number>): void {
    const { causeless } = this.#provider;
    for (const event of events) {
      const { keyId, kind, untilAt, method } = event;
      this.#world.note('event', keyId, kind, method ?? '', untilAt ?? 0);
      this.#world.count(`event ${kind}`);
      this.#rests.note(event);
      if (kind === 'invalid' && !this.#provider.blamedSince(keyId, versions.get(keyId) ?? 0))
        this.#world.broken('healthy-token-given-up', keyId);
      if (kind === 'foreign-use') this.lowered.add(keyId);
      if (kind === 'foreign-use' && causeless === 0) this.#world.broken('blames-a-stranger', keyId);
    }
  }

  async #define(ledger: QuotaLedger, keys: ApiKey[]): ReturnType<QuotaLedger['define']> {
    for (const key of keys) {
      const known = this.#keys.get(key.id);
      if (known !== undefined && known.details.version >= key.details.version) continue;
      if (known?.details.tokenVersion !== key.details.tokenVersion) this.#rests.forgetKey(key.id);
      if (key.state === 'active') this.#forbidden.delete(key.id);
      this.#keys.set(key.id, key);
    }
    const differing = await ledger.define(keys);
    for (const key of keys) {
      this.#versions.set(key.id, Math.max(key.details.tokenVersion, this.#versions.get(key.id) ?? 0));
      if (key.state !== 'active' && this.#keys.get(key.id) === key && !this.#forbidden.has(key.id))
        this.#forbidden.set(key.id, this.#world.time.micros);
    }
    return differing;
  }
}
