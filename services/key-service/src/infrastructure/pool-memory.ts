import type { Redis } from 'ioredis';
import type { PoolEpochs } from '../domain/ports';
import { libraryOf, POOL_LUA, type PoolLibrary } from './pool-script';

/** The record under which everything in Redis was written: another one means that it forgot, or may have. */
export interface MemoryRecord {
  epoch: number;
  runId: string;
  /** Pool clock, microseconds: nothing is granted before. */
  readyAt: number;
  text: string;
}

/** Writes a record only over an older one, so that of two that recover at once the newer epoch stays. */
const WRITE_RECORD = `
local known = redis.call('GET', KEYS[1])
local epoch = known and tonumber(string.match(known, '^(%d+)|'))
if epoch and epoch >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`;

export interface PoolMemoryOptions {
  redis: Redis;
  epochs: PoolEpochs;
  prefix: string;
  /** Horizon, tolerance, margin and one window: all that was granted before has arrived and left its windows. */
  settleMs: number;
  /** Why this Redis must not be relied on, if anything: then no memory is adopted and nothing is granted. */
  fault?: () => Promise<string | undefined>;
  /** Only simulations have another text. */
  lua?: string;
}

/**
 * Knows under which epoch Redis remembers what was granted. `adopt` takes over an intact memory; after a loss (run id,
 * epoch, function or clock do not fit) it begins a new epoch in PostgreSQL, writes it to Redis, loads the script, and
 * lets nothing be granted until what was granted before is over. A new version of the script is treated as a loss:
 * it cannot be told from a reload of an old data set.
 */
export class PoolMemory {
  readonly #options: PoolMemoryOptions;
  readonly #library: PoolLibrary;

  constructor(options: PoolMemoryOptions) {
    this.#options = options;
    this.#library = libraryOf(options.lua ?? POOL_LUA);
  }

  get functionName(): string {
    return this.#library.name;
  }

  /** The record to work under; `lost` is the one that was found broken, if any. */
  async adopt(lost?: MemoryRecord): Promise<MemoryRecord> {
    const { redis, epochs, prefix, settleMs } = this.#options;
    const fault = await this.#options.fault?.();
    if (fault !== undefined) throw new Error(fault);
    for (;;) {
      const runId = /run_id:([0-9a-f]+)/.exec(await redis.info('server'))?.[1] ?? '';
      const epoch = await epochs.current();
      const known = parseRecord(await redis.get(`${prefix}epoch`));
      const intact = known !== undefined && known.epoch === epoch && known.runId === runId;
      if (intact && known.text !== lost?.text && (await this.#hasLibrary())) return known;
      const next = await epochs.advance(epoch);
      if (next === undefined) continue;
      const [seconds, micros] = await redis.time();
      const readyAt = Number(seconds) * 1_000_000 + Number(micros) + settleMs * 1000;
      const text = `${next}|${runId}|${readyAt}`;
      if ((await redis.eval(WRITE_RECORD, 1, `${prefix}epoch`, next, text)) !== 1) continue;
      // Anew where it is there: somebody else may be loading the same text at the same time.
      await redis.function('LOAD', 'REPLACE', this.#library.text);
      return { epoch: next, runId, readyAt, text };
    }
  }

  async #hasLibrary(): Promise<boolean> {
    const found = (await this.#options.redis.function(
      'LIST',
      'LIBRARYNAME',
      this.#library.name,
    )) as unknown[];
    return found.length > 0;
  }
}

function parseRecord(text: string | null): MemoryRecord | undefined {
  const match = /^(\d+)\|([0-9a-f]+)\|(\d+)$/.exec(text ?? '');
  if (match === null) return undefined;
  const [whole, epoch, runId, readyAt] = match as unknown as [string, string, string, string];
  return { epoch: Number(epoch), runId, readyAt: Number(readyAt), text: whole };
}
