import type { Redis } from 'ioredis';
import type { ApiKey } from '../src/domain/api-key';
import { type CallFacts, effectsOf } from '../src/domain/outcomes';
import type { KeyEvent } from '../src/domain/key-events';
import type { KeyExplanation, LedgerGrant, LedgerGrantRequest, SlotReport } from '../src/domain/quota-ledger';
import { aKey, aRequest, nextSequence, vk } from './builders';
import { aLedger, VirtualClock } from './pool-simulation';

export type DrivenLease = LedgerGrant & { leaseId: string; workspaceId: string };

/** Answers of a network, as workers report them. */
export const ok: CallFacts = { outcome: 'answered', status: 200 };
export const broken: CallFacts = { outcome: 'broken' };
export const error = (code: number, text?: string): CallFacts => ({ ...ok, error: { code, text } });
export const status = (code: number, retryAfterMs?: number): CallFacts => ({
  outcome: 'answered',
  status: code,
  retryAfterMs,
});

/** The real script under a virtual clock, driven call by call. Chance is 0 unless told: pauses have exact lengths. */
export class PoolDriver {
  private constructor(
    readonly ledger: Awaited<ReturnType<typeof aLedger>>['ledger'],
    readonly prefix: string,
    private readonly clock: VirtualClock,
  ) {}

  static async start(redis: Redis, keys: ApiKey[], chance?: () => number): Promise<PoolDriver> {
    const clock = new VirtualClock();
    const { ledger, prefix, define } = await aLedger(redis, { clock, ...(chance && { chance }) });
    clock.micros += 60_000_000;
    define(keys);
    await ledger.define(keys);
    return new PoolDriver(ledger, prefix, clock);
  }

  /** Pool clock, ms. */
  get now(): number {
    return this.clock.micros / 1000;
  }

  advance(ms: number): void {
    this.clock.micros += Math.ceil(ms * 1000);
  }

  advanceTo(at: number): void {
    this.clock.micros = Math.max(this.clock.micros, Math.ceil(at * 1000));
  }

  async tryGrant(details: Partial<LedgerGrantRequest> = {}): Promise<DrivenLease | [string, number]> {
    const request = aRequest(this.now, details);
    const verdict = await this.ledger.grant(request);
    if (verdict.kind === 'denied') return [verdict.reason, verdict.retryAt - this.now];
    return { ...verdict.grant, leaseId: request.leaseId, workspaceId: request.workspaceId };
  }

  async grant(details: Partial<LedgerGrantRequest> = {}): Promise<DrivenLease> {
    const lease = await this.tryGrant(details);
    if (Array.isArray(lease)) throw new Error(`denied: ${lease.join(', ')}`);
    return lease;
  }

  /** 'granted', or why not and in how many ms. */
  async verdict(details: Partial<LedgerGrantRequest> = {}): Promise<unknown> {
    const lease = await this.tryGrant(details);
    return Array.isArray(lease) ? lease : 'granted';
  }

  /** What stands for and against a key that is alone in its workspace. */
  async explained(keyId: string): Promise<KeyExplanation[]> {
    const asked = { workspaceId: keyId, methods: { 'friends.get': 1 }, calls: 1, egress: 'default' };
    return (await this.ledger.explain({ ...asked, rules: vk(), keyIds: [keyId] })).keys;
  }

  async settle(lease: DrivenLease, reports: SlotReport[]): Promise<KeyEvent[]> {
    const { leaseId, fence, workspaceId } = lease;
    const verdict = await this.ledger.settle({
      by: 'parser-service',
      session: 'session',
      sequence: nextSequence(),
      rules: vk(),
      settles: [{ leaseId, fence, workspaceId, reports }],
    });
    if (verdict.kind !== 'settled') throw new Error(verdict.reason);
    return verdict.events;
  }

  /** Reports what a call in the first slot of the lease came to; it was answered 80 ms after it was sent. */
  report(lease: DrivenLease, facts: CallFacts): Promise<KeyEvent[]> {
    const sentAt = lease.slots[0] as number;
    const effects = effectsOf(facts);
    const head = { slot: 0, sentAt, effects };
    return this.settle(lease, [
      facts.outcome === 'broken'
        ? { ...head, outcome: 'broken' }
        : { ...head, outcome: 'answered', answeredAt: sentAt + 80 },
    ]);
  }

  unsent(lease: DrivenLease): Promise<KeyEvent[]> {
    return this.settle(lease, [{ slot: 0, outcome: 'unsent' }]);
  }

  /** A whole call: leased, sent in its slot, settled 100 ms later. Answers what happened to keys. */
  async call(facts: CallFacts, details: Partial<LedgerGrantRequest> = {}): Promise<KeyEvent[]> {
    const lease = await this.grant(details);
    this.advanceTo((lease.slots[0] as number) + 100);
    return this.report(lease, facts);
  }
}

/** A key that is alone in a workspace of its name: a request of that workspace gets no other. */
export function aLoneKey(id: string, details: Parameters<typeof aKey>[1] = {}): ApiKey {
  return aKey(id, { ...details, workspaceId: id as ApiKey['details']['workspaceId'] });
}

export const of = (id: string): Partial<LedgerGrantRequest> => ({ workspaceId: id });
