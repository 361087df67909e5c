import { Clock } from '@sociograph/kernel';
import { Redis } from 'ioredis';
import { ApiKey, type KeyState } from '../src/domain/api-key';
import { InMemoryPoolEpochs } from '../src/infrastructure/in-memory';
import { PoolMemory } from '../src/infrastructure/pool-memory';
import { POOL_LUA } from '../src/infrastructure/pool-script';
import { RedisQuotaLedger } from '../src/infrastructure/redis-quota-ledger';
import { aKey, aRequest, nextSequence, vk } from './builders';

export const TIME_LINE = "local t = redis.call('TIME')";
/** The very text of the pool with its one look at a clock replaced. */
export const SIMULATED_LUA = POOL_LUA.replace(TIME_LINE, 'local t = { ARGV[#ARGV - 1], ARGV[#ARGV] }');

export class VirtualClock extends Clock {
  /** Microseconds. */
  micros = 1_800_000_000_000_000;

  nowMs(): number {
    return this.micros / 1000;
  }

  monotonicMs(): number {
    return this.micros / 1000;
  }
}

/** Deterministic numbers in [0, 1) (mulberry32). */
export function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function redisUrl(): string {
  const { KEY_SERVICE_REDIS_POOL_URL, ADMIN_REDIS_POOL_URL, REDIS_POOL_URL } = process.env;
  const url = ADMIN_REDIS_POOL_URL ?? KEY_SERVICE_REDIS_POOL_URL ?? REDIS_POOL_URL;
  if (url === undefined)
    throw new Error('The pool specs need REDIS_POOL_URL (npm run up -- --stack test --servers-only).');
  return url;
}

/** A ledger over the real script, in a corner of its own of the Redis of the test stack. */
export async function aLedger(
  redis: Redis,
  options: { clock?: VirtualClock; chance?: () => number } = {},
): Promise<{
  ledger: RedisQuotaLedger;
  prefix: string;
  epochs: InMemoryPoolEpochs;
  define: (keys: ApiKey[]) => void;
}> {
  const prefix = `test:${process.pid}:${performance.now()}:`;
  const epochs = new InMemoryPoolEpochs();
  let keys: ApiKey[] = [];
  const { clock } = options;
  const ledger: RedisQuotaLedger = new RedisQuotaLedger({
    redis,
    memory: new PoolMemory({
      redis,
      epochs,
      prefix,
      settleMs: clock === undefined ? 50 : 0,
      lua: clock === undefined ? POOL_LUA : SIMULATED_LUA,
    }),
    clock: clock ?? new RealClock(),
    logger: { info: () => undefined, warn: () => undefined },
    prefix,
    chance: options.chance ?? (() => 0),
    onMemory: async () => {
      await ledger.define(keys);
    },
    ...(clock !== undefined && {
      virtualTime: (): [number, number] => [Math.floor(clock.micros / 1e6), clock.micros % 1e6],
    }),
  });
  await ledger.start();
  return { ledger, prefix, epochs, define: (known) => (keys = known) };
}

class RealClock extends Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }
}

export interface SimulationReport {
  seed: number;
  granted: number;
  arrived: number;
  /** Windows at the provider that held more calls than the quota. */
  oversteps: string[];
  /** Calls that arrived of those that the quota allowed from the first to the last one, keys averaged. */
  utilisation: number;
}

export interface SimulationOptions {
  seed: number;
  keys: number;
  quota: number;
  seconds: number;
  workers: number;
  /** Probabilities per call. */
  unsent: number;
  lost: number;
  refused: number;
  /** Changes of state and of the margin while leasing goes on. */
  disturbed: boolean;
}

interface Event {
  at: number;
  run: () => Promise<void>;
}

/**
 * Workers with work for ever against the real script under a virtual clock. A call arrives at the provider at any
 * moment that the margin allows; some slots are reported unsent, some leases are lost, some answers are errors.
 */
export async function simulate(redis: Redis, options: SimulationOptions): Promise<SimulationReport> {
  const chance = seededChance(options.seed);
  const clock = new VirtualClock();
  const { ledger, define } = await aLedger(redis, { clock, chance });
  clock.micros += 60_000_000;
  let keys = Array.from({ length: options.keys }, (_, index) =>
    aKey(`key-${options.seed}-${index}`, { perSecond: options.quota }),
  );
  define(keys);
  await ledger.define(keys);
  let rules = vk();
  const arrivals = new Map<string, number[]>();
  const events: Event[] = [];
  const end = clock.micros + options.seconds * 1e6;
  let granted = 0;
  const at = (micros: number, run: () => Promise<void>): void => {
    events.push({ at: Math.round(micros), run });
  };

  const work = async (): Promise<void> => {
    if (clock.micros >= end) return;
    const now = clock.micros / 1000;
    const request = aRequest(now, { rules, calls: chance() < 0.1 ? 2 : 1, deadlineAt: now + 5_000 });
    const verdict = await ledger.grant(request);
    if (verdict.kind === 'denied') {
      at(Math.max(clock.micros + 1000, verdict.retryAt * 1000), work);
      return;
    }
    granted += verdict.grant.slots.length;
    const { grant } = verdict;
    let pending = grant.slots.length;
    const settled: Parameters<RedisQuotaLedger['settle']>[0]['settles'][number]['reports'] = [];
    const finish = async (): Promise<void> => {
      pending -= 1;
      if (pending > 0) return;
      if (chance() >= options.lost && settled.length > 0) {
        await ledger.settle({
          by: 'parser-service',
          session: 'session',
          sequence: nextSequence(),
          rules,
          settles: [{ leaseId: request.leaseId, fence: grant.fence, workspaceId: 'demo', reports: settled }],
        });
      }
      await work();
    };
    const { slackMs, marginMs } = rules;
    grant.slots.forEach((notBefore, slot) => {
      if (chance() < options.unsent) {
        // Before its time or after it.
        at(clock.micros + chance() * (notBefore * 1000 - clock.micros) * 1.2, async () => {
          settled.push({ slot, outcome: 'unsent' });
          await finish();
        });
        return;
      }
      const sentAt = notBefore + chance() * slackMs;
      const arrivesAt = sentAt + 12 + chance() * (marginMs - slackMs);
      const answeredAt = arrivesAt + 1 + chance() * 150;
      const known = arrivals.get(grant.keyId) ?? [];
      known.push(arrivesAt);
      arrivals.set(grant.keyId, known);
      const refused = chance() < options.refused;
      at(answeredAt * 1000, async () => {
        settled.push({
          slot,
          outcome: 'answered',
          sentAt,
          answeredAt,
          effects: refused
            ? [{ kind: 'rest', baseMs: 1000, capMs: 10_000, atLeastMs: 0, code: 6 }]
            : [{ kind: 'fine', except: [] }],
        });
        await finish();
      });
    });
  };
  for (let worker = 0; worker < options.workers; worker += 1) at(clock.micros + worker, work);

  if (options.disturbed) {
    for (let step = 1; step * 1.5 < options.seconds; step += 1) {
      at(clock.micros + step * 1_500_000, async () => {
        const index = Math.floor(chance() * keys.length);
        const key = keys[index] as ApiKey;
        const state: KeyState = key.state === 'active' ? 'paused' : 'active';
        keys = keys.with(index, ApiKey.restore({ ...key.details, state, version: key.details.version + 1 }));
        define(keys);
        await ledger.define(keys);
        // A margin only widens here: what was granted under the narrower one really arrives within that.
        rules = { ...rules, marginMs: rules.marginMs + Math.floor(chance() * 10) };
      });
    }
  }

  while (events.length > 0) {
    let next = 0;
    for (let i = 1; i < events.length; i += 1)
      if ((events[i] as Event).at < (events[next] as Event).at) next = i;
    const [event] = events.splice(next, 1) as [Event];
    clock.micros = Math.max(clock.micros, event.at);
    await event.run();
  }
  return { seed: options.seed, granted, ...judge(arrivals, options.quota, rules.windowMs) };
}

/** The provider's view: a sliding window over the moments of arrival, per key. */
function judge(
  arrivals: Map<string, number[]>,
  quota: number,
  windowMs: number,
): Pick<SimulationReport, 'arrived' | 'oversteps' | 'utilisation'> {
  const oversteps: string[] = [];
  let arrived = 0;
  let used = 0;
  for (const [key, times] of arrivals) {
    times.sort((a, b) => a - b);
    arrived += times.length;
    for (let i = quota; i < times.length; i += 1) {
      const span = (times[i] as number) - (times[i - quota] as number);
      if (span < windowMs - 1e-6) oversteps.push(`${key}: ${quota + 1} calls in ${span.toFixed(3)} ms`);
    }
    const span = (times[times.length - 1] as number) - (times[quota - 1] as number);
    used += (times.length - quota) / ((quota * span) / windowMs);
  }
  return { arrived, oversteps, utilisation: used / arrivals.size };
}
