import type { Clock } from '@sociograph/kernel';
import { PoolClock } from '@sociograph/lease-client';
import type { Redis } from 'ioredis';
import type { NetworkRules } from '../domain/networks';
import type { MemoryRecord, PoolMemory } from './pool-memory';
import { rulesArgument } from './rules-argument';
import { figure, micros, type ScriptReply } from './script-figures';

export interface PoolLogger {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
}

export interface ScriptedPoolOptions {
  redis: Redis;
  memory: PoolMemory;
  clock: Clock;
  logger: PoolLogger;
  prefix: string;
  /** Called with each new memory: it knows no key yet. */
  onMemory: () => Promise<void>;
  /** Two more arguments of the script in simulations: seconds and microseconds of a virtual clock. */
  virtualTime?: () => [number, number];
  /** How simulations wait. */
  sleep?: (ms: number) => Promise<void>;
}

/** Clocks drift apart: only a reading as young as this shows that one of them was set. */
const RECENT_MS = 10_000;
const ADOPT_AGAIN_MS = 200;

/** The memory that a call was made under must not be relied on; it is being taken up anew. */
export class Lost extends Error {}

/**
 * Runs operations of the pool's script under the memory of Redis that is adopted, and keeps a mapping of its clock. A
 * reply that shows that Redis forgot, or that its clock was set, begins a recovery by itself; calls fail until then.
 */
export class ScriptedPool {
  readonly #options: ScriptedPoolOptions;
  #record: MemoryRecord | undefined;
  #adopting: Promise<void> | undefined;
  #clock: PoolClock;
  /** Monotonic, ms: when Redis last told its time. */
  #heardAt = -Infinity;

  constructor(options: ScriptedPoolOptions) {
    this.#options = options;
    this.#clock = new PoolClock({ clock: options.clock });
  }

  /** Resolves when a memory is adopted; grants may still be denied until it is ready. */
  async start(): Promise<void> {
    await this.#adopt(undefined);
  }

  /** The pool's clock as estimated without asking; NaN before the first exchange. */
  now(): number {
    return this.#clock.now();
  }

  /** `poolNow` of a reply, or an estimate where there was none. */
  orEstimate(poolNow: number): number {
    if (poolNow > 0) return poolNow;
    const estimated = this.now();
    // Without Redis there is no pool clock; the wall clock is as good a guess as any for a time to ask again.
    return Number.isNaN(estimated) ? this.#options.clock.nowMs() : estimated;
  }

  /** The same, where Redis that is away is an answer: the same one for everyone who asks. */
  async callOrAway(op: string, payload: object, rules: NetworkRules): Promise<ScriptReply> {
    try {
      return await this.call(op, payload, rules);
    } catch (error) {
      if (isRefusal(error))
        this.#options.logger.warn({ err: String(error) }, 'Redis refuses what the pool asks of it');
      return ['denied', 0, 'recovering', 0];
    }
  }

  /** The script's answer; `rules` are those of the network that the call is about. */
  async call(op: string, payload: object, rules?: NetworkRules): Promise<ScriptReply> {
    const record = this.#record;
    if (record === undefined) {
      this.#recover(undefined);
      throw new Lost('no memory adopted');
    }
    const { clock } = this.#options;
    const sentAt = clock.monotonicMs();
    const estimate = this.#clock.errorMs < 100 ? micros(this.#clock.now()) : 0;
    const reply = await this.#send(record, [
      op,
      record.text,
      record.runId,
      estimate,
      JSON.stringify(payload),
      rulesArgument(rules),
    ]);
    // Another reply showed meanwhile that this memory must not be relied on; this one would begin the clock anew.
    if (this.#record !== record) throw new Lost('memory replaced');
    const receivedAt = clock.monotonicMs();
    const poolNow = figure(reply[1]);
    if (reply[0] !== 'lost') {
      const isRecent = receivedAt - this.#heardAt < RECENT_MS;
      this.#heardAt = receivedAt;
      if (this.#clock.observe(sentAt, receivedAt, poolNow / 1000) || !isRecent) return reply;
      // Redis' clock was set by less than the script looks for: what it grants now would come too soon.
      this.#recover(record);
      throw new Lost('clock');
    }
    // A call that lay in a queue arrives late without any clock having been set: the round trip explains it.
    const behind = poolNow - estimate;
    if (reply[2] === 'clock' && behind > 0 && behind / 1000 <= receivedAt - sentAt)
      return this.call(op, payload, rules);
    this.#recover(record);
    throw new Lost(String(reply[2]));
  }

  async #send(record: MemoryRecord, words: (string | number)[]): Promise<ScriptReply> {
    const { redis, memory, prefix, virtualTime } = this.#options;
    if (virtualTime !== undefined) words.push(...virtualTime());
    try {
      return (await redis.fcall(memory.functionName, 1, prefix, ...words)) as ScriptReply;
    } catch (error) {
      if (!String(error).includes('Function not found')) throw error;
      this.#recover(record);
      throw new Lost('no function');
    }
  }

  #recover(lost: MemoryRecord | undefined): void {
    void this.#adopt(lost).catch(() => undefined);
  }

  #adopt(lost: MemoryRecord | undefined): Promise<void> {
    // A call that left before the recovery reports the loss of a memory that is replaced already.
    if (lost !== undefined && this.#record !== lost) return this.#adopting ?? Promise.resolve();
    this.#record = undefined;
    this.#adopting ??= this.#adoptNow(lost).finally(() => {
      this.#adopting = undefined;
    });
    return this.#adopting;
  }

  async #adoptNow(lost: MemoryRecord | undefined): Promise<void> {
    const { logger, memory, clock, onMemory, sleep } = this.#options;
    logger.warn({ epoch: lost?.epoch ?? null }, 'the pool takes up its memory anew');
    for (let broken = lost; ;) {
      let record: MemoryRecord | undefined;
      try {
        record = await memory.adopt(broken);
        this.#clock = new PoolClock({ clock });
        this.#record = record;
        await onMemory();
      } catch (error) {
        logger.warn({ err: String(error) }, 'the memory of the pool cannot be reached');
        await (sleep?.(ADOPT_AGAIN_MS) ?? new Promise((resolve) => setTimeout(resolve, ADOPT_AGAIN_MS)));
        if (this.#record === record) continue;
      }
      if (record !== undefined && this.#record === record) {
        logger.info({ epoch: record.epoch }, 'the pool has a memory');
        return;
      }
      // It was found broken while the keys were told to it.
      broken = record ?? broken;
    }
  }
}

/** What Redis itself answers (an error of the script, a right that is missing): never cured by waiting. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error && error.name === 'ReplyError' && !/LOADING|BUSY|READONLY/.test(error.message)
  );
}
