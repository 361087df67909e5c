import type { PoolClock } from '@sociograph/lease-client';
import type { KeyServiceProcess } from './key-service-process';
import type { SkewedClock } from './skewed-clock';
import type { Standstill } from './standstill';
import type { World } from './world';

/** Messages between workers and key-services: probabilities that one is lost, or comes twice. */
export interface Mishaps {
  lost: number;
  twice: number;
}

export interface MessageParts {
  world: World;
  standstill: Standstill;
  clock: SkewedClock;
  poolClock: PoolClock;
  session: string;
  mishaps: Mishaps;
  /** Key-services that can be reached now. */
  services: () => KeyServiceProcess[];
  /** The clock of Redis, us. */
  poolMicros: () => number;
}

/** Who reads the pool's clock so wrongly is not answered when it expects to be. */
const MISREAD_MS = 100;

/** An answer that did not come after this is not coming. */
export const GRACE_MS = 2_000;

/** One worker's requests and the replies to them; each reply is a reading of the pool's clock as well. */
export class WorkerMessages {
  readonly #parts: MessageParts;
  #sequence = 0;

  constructor(parts: MessageParts) {
    this.#parts = parts;
  }

  /** A request and its reply, asked once more when none came; a message may be lost or come twice. */
  exchange<T>(
    ask: (service: KeyServiceProcess, sequence: number) => Promise<T>,
    timeoutMs: number,
    done: (reply: T | undefined) => void,
    atService?: (reply: T) => void,
  ): void {
    const { world, mishaps, standstill, session } = this.#parts;
    let answered = false;
    /** Nobody can be blamed for an answer that did not come. */
    let excused = false;
    const clockSet = world.counts.get('clock set');
    const asked: KeyServiceProcess[] = [];
    const attempt = (left: number): void => {
      this.#sequence += 1;
      const sequence = this.#sequence;
      const sentAt = this.#parts.clock.monotonicMs();
      excused ||= this.#misreadsTheClock();
      const copies = mishaps.twice > 0 && world.chance.flip(mishaps.twice) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        if (this.#loses()) {
          excused = true;
          continue;
        }
        const delay = world.chance.between(100, 1_500) * (copy === 0 ? 1 : world.chance.spread(1, 1_000));
        this.#deliver(delay, asked, (service) => {
          ask(service, sequence).then(
            (reply) => {
              if (!service.alive) return;
              atService?.(reply);
              if (this.#loses()) {
                excused = true;
                return;
              }
              standstill.after(world.chance.between(100, 1_500), 'reply', () => {
                if (answered) return;
                answered = true;
                this.#observe(sentAt, reply);
                done(reply);
              });
            },
            (error: unknown) => world.note('a key-service fails', String(error)),
          );
        });
      }
      standstill.after(timeoutMs * 1000, undefined, () => {
        if (answered) return;
        // A clock of Redis that was set moves the deadlines of those who wait.
        const set = world.counts.get('clock set') !== clockSet;
        if (!excused && !set && asked.length > 0 && asked.every(({ alive }) => alive))
          world.broken('never-answered', `${session}, ${timeoutMs} ms`);
        if (left > 0) return attempt(left - 1);
        answered = true;
        done(undefined);
      });
    };
    attempt(1);
  }

  #deliver(delay: number, asked: KeyServiceProcess[], run: (service: KeyServiceProcess) => void): void {
    const { world, services } = this.#parts;
    world.time.after(delay, () => {
      const alive = services();
      if (alive.length === 0) return;
      const service = world.chance.pick(alive);
      asked.push(service);
      world.time.woke();
      run(service);
    });
  }

  #misreadsTheClock(): boolean {
    const { poolClock, poolMicros } = this.#parts;
    return Math.abs(poolClock.now() - poolMicros() / 1000) > MISREAD_MS;
  }

  #loses(): boolean {
    const { world, mishaps } = this.#parts;
    return mishaps.lost > 0 && world.chance.flip(mishaps.lost);
  }

  #observe(sentAt: number, reply: unknown): void {
    const { clock, poolClock, world, session } = this.#parts;
    const outer = reply as { poolNow?: number; verdict?: { poolNow?: number } };
    const poolNow = outer.poolNow ?? outer.verdict?.poolNow;
    if (poolNow === undefined || Number.isNaN(poolNow)) return;
    if (!poolClock.observe(sentAt, clock.monotonicMs(), poolNow)) world.note('clock contradicted', session);
  }
}
