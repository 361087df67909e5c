import { RedisLives } from './redis-lives';
import type { RedisRoom } from './redis-room';
import { ReplyError, type RespReply } from './resp-connection';
import type { World } from './world';

/** How often lives of keys are looked at, us of virtual time. */
const AGE_EVERY = 5_000_000;

/** What a restart brings back: all that was written, what was on the disk a while ago, or nothing. */
export type RestoredData = 'all' | 'older' | 'nothing';

/**
 * A real Redis at a virtual time: its clock can be set, and it can be away, forget, or come back with old data. Which
 * libraries of functions it has is kept here: the real server has those of all seeds that are played.
 */
export class SimulatedServer {
  /** Longest real time between two looks at the lives of keys, ms: keys with a life as short as that are lost too soon. */
  longestLook = 0;
  readonly #world: World;
  readonly #room: RedisRoom;
  readonly #lives: RedisLives;
  readonly #libraries = new Set<string>();
  #active: 0 | 1 = 0;
  #steppedBy = 0;
  #awayUntil = 0;
  #onDisk: RespReply[] | undefined;
  #agedAt: number;
  /** Virtual time up to the last look, ms. */
  #aged = 0;
  #lookedAt = performance.now();

  constructor(world: World, room: RedisRoom) {
    this.#world = world;
    this.#room = room;
    this.#lives = new RedisLives(room);
    this.#agedAt = world.time.micros;
  }

  /** Its clock, microseconds. */
  micros(): number {
    return this.#world.time.micros + this.#steppedBy;
  }

  isAway(): boolean {
    return this.#world.time.micros < this.#awayUntil;
  }

  call(...words: (string | number)[]): Promise<RespReply> {
    const { micros } = this.#world.time;
    if (micros - this.#agedAt > AGE_EVERY) this.#age();
    const [command, what, , text] = words;
    if (command === 'FCALL' && !this.#libraries.has(String(what)))
      return Promise.reject(new ReplyError('ERR Function not found'));
    if (command === 'FUNCTION') return this.#function(String(what), String(text));
    return this.#now(...words);
  }

  async clean(): Promise<void> {
    for (const server of [0, 1] as const) await this.#room.call(server, 'FLUSHDB');
  }

  /** As FLUSHALL does it: functions stay. */
  flushAll(): void {
    this.#discard(this.#now('FLUSHDB'));
  }

  flushFunctions(): void {
    this.#libraries.clear();
  }

  stepClock(micros: number): void {
    this.#world.count('clock set');
    this.#steppedBy += micros;
  }

  away(micros: number): void {
    this.#awayUntil = this.#world.time.micros + micros;
  }

  /** What is there now is what an older disk has. */
  async writeDisk(): Promise<void> {
    this.#onDisk = await this.#lives.dump(this.#active, this.#aged);
  }

  async restart(data: RestoredData): Promise<void> {
    const dump = data === 'all' ? await this.#lives.dump(this.#active, this.#aged) : this.#onDisk;
    this.#active = this.#active === 0 ? 1 : 0;
    this.#libraries.clear();
    await this.#now('FLUSHDB');
    if (data !== 'nothing' && dump !== undefined) await this.#lives.restore(this.#active, dump);
  }

  /** A library is named like its one function. */
  #function(what: string, text: string): Promise<RespReply> {
    if (what === 'LIST') return Promise.resolve(this.#libraries.has(text) ? [text] : []);
    const name = libraryName(text);
    this.#libraries.add(name);
    return this.#room.load(this.#active, name, text);
  }

  #now(...words: (string | number)[]): Promise<RespReply> {
    return this.#room.call(this.#active, ...words);
  }

  #age(): void {
    const { micros } = this.#world.time;
    this.#aged += Math.floor((micros - this.#agedAt) / 1000);
    this.#discard(this.#lives.age(this.#active, this.#aged));
    this.#agedAt = micros;
    const now = performance.now();
    this.longestLook = Math.max(this.longestLook, now - this.#lookedAt);
    this.#lookedAt = now;
  }

  #discard(call: Promise<unknown>): void {
    call.catch((error: unknown) => this.#world.broken('redis-refuses', String(error)));
  }
}

/**
 * One key-service's connection to it, as far as the pool uses a driver. Each command takes its time there and back,
 * in order; a reply can be lost after the command was done.
 */
export class SimulatedConnection {
  readonly #world: World;
  readonly #server: SimulatedServer;
  /** Probability that a reply is lost. */
  losing = 0;
  #lastArrival = 0;
  #lastReply = 0;
  #closed = false;

  constructor(world: World, server: SimulatedServer) {
    this.#world = world;
    this.#server = server;
  }

  /** The process is gone: what was sent arrives, no reply does. */
  close(): void {
    this.#closed = true;
  }

  info(section: string): Promise<string> {
    return this.#round(() => ['INFO', section]) as Promise<string>;
  }

  get(key: string): Promise<string | null> {
    return this.#round(() => ['GET', key]) as Promise<string | null>;
  }

  eval(...words: (string | number)[]): Promise<RespReply> {
    return this.#round(() => ['EVAL', ...words]);
  }

  function(...words: ['LOAD', 'REPLACE', string] | ['LIST', 'LIBRARYNAME', string]): Promise<RespReply> {
    return this.#round(() => ['FUNCTION', ...words]);
  }

  time(): Promise<[string, string]> {
    return this.#round(() => {
      const [seconds, micros] = this.#clock();
      return ['EVAL', 'return { ARGV[1], ARGV[2] }', 0, seconds, micros];
    }) as Promise<[string, string]>;
  }

  /** The last two words are the clock, read when the command arrives. */
  fcall(...words: (string | number)[]): Promise<RespReply> {
    return this.#round(() => ['FCALL', ...words.slice(0, -2), ...this.#clock()], true);
  }

  #clock(): [string, string] {
    const micros = this.#server.micros();
    const seconds = Math.floor(micros / 1e6);
    return [String(seconds), String(micros - seconds * 1e6)];
  }

  /** What Redis really answers is waited for only when its reply is due: nobody can know of it before. */
  #round(words: () => (string | number)[], losable = false): Promise<RespReply> {
    const { time, chance } = this.#world;
    return new Promise((resolve, reject) => {
      this.#lastArrival = Math.max(this.#lastArrival, time.micros + chance.between(30, 400));
      time.at(this.#lastArrival, () => {
        const away = losable && this.#server.isAway();
        const lost = away || (losable && this.#losesReply());
        const done = away ? Promise.resolve(null) : this.#server.call(...words());
        // It may fail before anybody looks at it.
        done.catch(() => undefined);
        this.#lastReply = Math.max(this.#lastReply, time.micros + chance.between(30, 400));
        time.at(this.#lastReply, () => {
          time.woke();
          void done.then(
            (reply) => {
              if (this.#closed) return;
              if (lost) reject(new Error('Connection is closed.'));
              else resolve(reply);
            },
            (error: unknown) => {
              if (!String(error).includes('Function not found'))
                this.#world.broken('redis-refuses', String(error));
              if (!this.#closed) reject(error as Error);
            },
          );
        });
      });
    });
  }

  #losesReply(): boolean {
    const lost = this.losing > 0 && this.#world.chance.flip(this.losing);
    if (lost) this.#world.note('a reply of Redis is lost');
    return lost;
  }
}

function libraryName(text: string): string {
  return /^#!lua name=(\w+)/.exec(text)?.[1] ?? '';
}
