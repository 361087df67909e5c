import type { Redis } from 'ioredis';
import type { ApiKey } from '../src/domain/api-key';
import type { BudgetHint } from '../src/domain/budget-blocks';
import type { LedgerGrant, SlotReport } from '../src/domain/quota-ledger';
import { InMemoryPoolEpochs } from '../src/infrastructure/in-memory';
import { PoolMemory } from '../src/infrastructure/pool-memory';
import { RedisQuotaLedger } from '../src/infrastructure/redis-quota-ledger';
import { aRequest, nextSequence, vk } from './builders';
import { SIMULATED_LUA, VirtualClock } from './pool-simulation';

export type Details = Parameters<typeof aRequest>[1];
export type Granted = LedgerGrant & { leaseId: string };

/** Several ledgers (instances of the service) over one memory of the pool, under one virtual clock. */
export class PoolStand {
  readonly clock = new VirtualClock();
  readonly prefix = `test:${process.pid}:${performance.now()}:`;
  readonly epochs = new InMemoryPoolEpochs();
  readonly ledgers: RedisQuotaLedger[] = [];
  readonly hints: BudgetHint[] = [];
  /** What a new memory is taught. */
  keys: ApiKey[] = [];
  onHints: (hints: BudgetHint[]) => void = (hints) => void this.hints.push(...hints);

  constructor(readonly redis: Redis) {}

  static async make(redis: Redis, instances = 1): Promise<PoolStand> {
    const stand = new PoolStand(redis);
    for (let i = 0; i < instances; i += 1) {
      const ledger: RedisQuotaLedger = new RedisQuotaLedger({
        redis,
        memory: new PoolMemory({
          redis,
          epochs: stand.epochs,
          prefix: stand.prefix,
          settleMs: 0,
          lua: SIMULATED_LUA,
        }),
        clock: stand.clock,
        logger: { info: () => undefined, warn: () => undefined },
        prefix: stand.prefix,
        chance: () => 0,
        onMemory: async () => {
          await ledger.define(stand.keys);
        },
        onBudgetsLow: (hints) => stand.onHints(hints),
        virtualTime: () => [Math.floor(stand.clock.micros / 1e6), stand.clock.micros % 1e6],
      });
      await ledger.start();
      stand.ledgers.push(ledger);
    }
    stand.clock.micros += 60_000_000;
    return stand;
  }

  get ledger(): RedisQuotaLedger {
    return this.ledgers[0] as RedisQuotaLedger;
  }

  now(): number {
    return this.clock.micros / 1000;
  }

  advance(ms: number): void {
    this.clock.micros += Math.ceil(ms * 1000);
  }

  async define(...keys: ApiKey[]): Promise<void> {
    this.keys = keys;
    await this.ledger.define(keys);
  }

  async grant(details: Details = {}): Promise<Granted> {
    const request = aRequest(this.now(), details);
    const verdict = await this.ledger.grant(request);
    if (verdict.kind !== 'granted') throw new Error(`denied: ${verdict.reason}`);
    return { ...verdict.grant, leaseId: request.leaseId };
  }

  /** `granted`, or the reason and in how many ms to ask again. */
  async ask(details: Details = {}): Promise<['granted'] | [string, number]> {
    const verdict = await this.ledger.grant(aRequest(this.now(), details));
    if (verdict.kind === 'granted') return ['granted'];
    return [verdict.reason, Math.round((verdict.retryAt - this.now()) * 1000) / 1000];
  }

  /** Grants until one is denied, each a second after the other: no window is ever in the way. */
  async grantAll(details: Details = {}, most = 10_000): Promise<Granted[]> {
    const granted: Granted[] = [];
    while (granted.length < most) {
      const request = aRequest(this.now(), details);
      const verdict = await this.ledger.grant(request);
      if (verdict.kind === 'denied') break;
      granted.push({ ...verdict.grant, leaseId: request.leaseId });
      this.advance(1000);
    }
    return granted;
  }

  async settle(
    lease: Granted,
    reports: SlotReport[],
    unusedMethods?: Record<string, number>,
  ): Promise<string> {
    const { leaseId, fence } = lease;
    const verdict = await this.ledger.settle({
      by: 'parser-service',
      session: 'session',
      sequence: nextSequence(),
      rules: vk(),
      settles: [{ leaseId, fence, workspaceId: 'demo', reports, unusedMethods }],
    });
    if (verdict.kind !== 'settled') throw new Error(verdict.reason);
    return verdict.statuses[0] as string;
  }
}

export function answered(lease: Granted, slot = 0): SlotReport {
  const sentAt = lease.slots[slot] as number;
  return {
    slot,
    outcome: 'answered',
    sentAt,
    answeredAt: sentAt + 80,
    effects: [{ kind: 'fine', except: [] }],
  };
}
