import type { PoolClock } from '@sociograph/lease-client';
import type { NetworkRules } from '../domain/networks';
import type { PathVerdict } from '../domain/learned-path';
import type { Provider } from './provider';
import type { SkewedClock } from './skewed-clock';
import type { Standstill } from './standstill';
import { GRACE_MS, type WorkerMessages } from './worker-messages';
import type { World } from './world';

type Sample = { sentAt: number; roundTripMs: number; serverDate: number };

export interface PathParts {
  world: World;
  provider: Provider;
  rules: NetworkRules;
  session: string;
  clock: SkewedClock;
  poolClock: PoolClock;
  standstill: Standstill;
  messages: WorkerMessages;
}

const FIRST_PROBES = 10;
const EVERY = 1_000_000;
const TIMEOUT_MS = 2_000;

/** One worker's probes of the path, each second while it has work, told at once; and how late its sends were. */
export class PathWatch {
  readonly #parts: PathParts;
  #lateness = { sends: 0, sumMs: 0, maxMs: 0 };
  #awakeLoops = 0;
  #stopped = false;

  constructor(parts: PathParts) {
    this.#parts = parts;
  }

  begin(loops: number): void {
    this.#awakeLoops = loops;
    const samples: Sample[] = [];
    let answered = 0;
    for (let index = 0; index < FIRST_PROBES; index += 1) {
      this.#parts.standstill.after(index * 80_000, undefined, () =>
        this.#probe((sample) => {
          answered += 1;
          if (sample !== undefined) samples.push(sample);
          if (answered === FIRST_PROBES && samples.length > 0) this.#report(samples);
        }),
      );
    }
    this.#tick();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** A loop of the worker has nothing to do for a while. */
  sleep(): void {
    this.#awakeLoops -= 1;
  }

  wake(): void {
    this.#awakeLoops += 1;
    if (this.#awakeLoops > 1) return;
    this.readClock();
    this.#tick();
  }

  sentAfter(lateMs: number): void {
    const { sends, sumMs, maxMs } = this.#lateness;
    this.#lateness = { sends: sends + 1, sumMs: sumMs + lateMs, maxMs: Math.max(maxMs, lateMs) };
  }

  readClock(then?: () => void): void {
    const { messages, standstill } = this.#parts;
    messages.exchange(
      async (service) => ({ poolNow: await service.ledger.readClock().catch(() => NaN) }),
      GRACE_MS,
      (reply) => {
        if (then === undefined) return;
        if (reply === undefined || Number.isNaN(reply.poolNow))
          standstill.after(500_000, undefined, () => this.readClock(then));
        else then();
      },
    );
  }

  #tick(): void {
    if (this.#stopped || this.#awakeLoops === 0) return;
    this.#parts.standstill.after(EVERY, undefined, () => {
      this.#probe((sample) => {
        if (sample !== undefined) this.#report([sample]);
      });
      this.#tick();
    });
  }

  /** Undefined: it took too long; a process that stood still reads an answer long after it came. */
  #probe(done: (sample: Sample | undefined) => void): void {
    const { provider, world, clock, poolClock, standstill } = this.#parts;
    const startedAt = clock.monotonicMs();
    const sentAt = poolClock.now();
    world.time.after(provider.delay(), () => {
      const serverDate = provider.date();
      standstill.after(provider.delay(), 'answer', () => {
        const roundTripMs = clock.monotonicMs() - startedAt;
        done(roundTripMs > TIMEOUT_MS ? undefined : { sentAt, roundTripMs, serverDate });
      });
    });
  }

  #report(probes: Sample[]): void {
    const { messages, rules, session, poolClock } = this.#parts;
    const { sends, sumMs, maxMs } = this.#lateness;
    this.#lateness = { sends: 0, sumMs: 0, maxMs: 0 };
    const issuedAt = poolClock.now();
    messages.exchange<PathVerdict>(
      (service, sequence) =>
        service.ledger.learn({
          session,
          sequence,
          rules,
          probes,
          ...(sends > 0 && { lateness: { sends, meanMs: sumMs / sends, maxMs } }),
          clockErrorMs: poolClock.errorMs,
          issuedAt,
        }),
      GRACE_MS,
      () => undefined,
    );
  }
}
