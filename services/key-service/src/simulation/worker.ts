import { type KeyChange, KeyNews, PoolClock } from '@sociograph/lease-client';
import type { AcquireVerdict } from '../application/acquire-lease';
import type { SettleLeasesVerdict } from '../application/settle-leases';
import type { NetworkRules } from '../domain/networks';
import type { KeyServiceProcess } from './key-service-process';
import { PathWatch } from './path-watch';
import type { Provider } from './provider';
import { SkewedClock } from './skewed-clock';
import { type HeldLease, SlotCalls, unusedOf } from './slot-calls';
import { Standstill, type Step } from './standstill';
import { GRACE_MS, type Mishaps, WorkerMessages } from './worker-messages';
import type { World } from './world';

export interface Work {
  workspaceId: string;
  importId: string;
  /** Of each call. */
  methods: readonly string[];
  calls: number;
}

export interface WorkerParts {
  world: World;
  provider: Provider;
  rules: NetworkRules;
  name: string;
  /** The address it calls from. */
  egress: string;
  /** Requests under way at once. */
  loops: number;
  services: () => KeyServiceProcess[];
  /** The clock of Redis, us. */
  poolMicros: () => number;
  bucketOf: (keyId: string) => string;
  work: () => Work;
  /** At the key-service that settled, before its reply leaves. */
  onSettled: (settled: SettledAt) => void;
  mishaps: Mishaps;
}

export interface SettledAt {
  service: KeyServiceProcess;
  verdict: SettleLeasesVerdict;
}

const SECOND = 1_000_000;
const ACQUIRE_MS = 5_000;
/** Who has nothing to ask for so long needs no clock and no path meanwhile. */
const ASLEEP = 2_000_000;
const LONGEST_S = 3_600;
/** How far ahead slots are asked for, in turn. */
const LEADS_MS = [undefined, undefined, 25, undefined, 60];

/** A worker process: asks for leases, sends in its slots by its own reading of the pool's clock, and settles. */
export class SimulatedWorker {
  readonly clock: SkewedClock;
  readonly session: string;
  readonly #parts: WorkerParts;
  readonly #poolClock: PoolClock;
  readonly #standstill: Standstill;
  readonly #news = new KeyNews();
  readonly #messages: WorkerMessages;
  readonly #path: PathWatch;
  readonly #calls: SlotCalls;
  #requests = 0;
  #stopping = false;
  /** Denials in a row because no key may be used at all. */
  #keyless = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    const { world, name, provider, rules, egress, services, mishaps, bucketOf, poolMicros } = parts;
    const { chance } = world;
    const clock = new SkewedClock(world.time, {
      wallAheadMs: chance.between(-300_000, 300_000),
      drift: chance.flip(0.5) ? chance.between(-0.05, 0.05) : chance.between(-0.5, 0.5),
      upForMs: chance.between(1e3, 1e8),
    });
    const poolClock = new PoolClock({ clock });
    const standstill = new Standstill(world.time);
    const session = `session-${name}`;
    const mine = { world, clock, poolClock, standstill, session };
    const messages = new WorkerMessages({ ...mine, services, mishaps, poolMicros });
    const path = new PathWatch({ ...mine, provider, rules, messages });
    this.#calls = new SlotCalls({ ...mine, provider, rules, egress, path, bucketOf, news: this.#news });
    this.#poolClock = poolClock;
    this.#standstill = standstill;
    this.#messages = messages;
    this.#path = path;
    this.clock = clock;
    this.session = session;
  }

  start(): void {
    const { loops, world } = this.#parts;
    this.#path.readClock(() => {
      for (let loop = 0; loop < loops; loop += 1)
        this.#standstill.after(world.chance.between(0, 50_000), 'ask', () => this.#ask());
      this.#path.begin(loops);
    });
  }

  /** Asks for nothing more; what is under way is finished. */
  stop(): void {
    this.#stopping = true;
    this.#path.stop();
  }

  kill(): void {
    this.#standstill.kill();
  }

  freeze(micros: number): void {
    this.#standstill.freeze(micros);
  }

  freezeBefore(step: Step, micros: number): void {
    this.#standstill.freezeBefore(step, micros);
  }

  /** The whole machine: its monotonic clock stands still, too. */
  suspend(micros: number): void {
    this.freeze(micros);
    this.clock.slept(micros);
  }

  keyChanged(change: KeyChange): void {
    this.#standstill.after(0, undefined, () => this.#news.note(change, this.#poolClock.now()));
  }

  #ask(): void {
    if (this.#stopping) return;
    const { rules, work, world, egress } = this.#parts;
    this.#requests += 1;
    const requestId = `${this.session}-${this.#requests}`;
    const { methods, ...wanted } = work();
    const request = {
      ...wanted,
      methods: Object.fromEntries(methods.map((method) => [method, wanted.calls])),
      ...{ requestId, rules, egress },
      ...{ service: 'parser-service', session: this.session },
      // Not drawn: a seed plays what it played before, but for this.
      leadMs: LEADS_MS[this.#requests % LEADS_MS.length],
      deadlineAt: this.#poolClock.now() + ACQUIRE_MS,
    };
    this.#messages.exchange<AcquireVerdict>(
      (service, sequence) => service.desk.acquire({ ...request, sequence }),
      ACQUIRE_MS + GRACE_MS,
      (verdict) => {
        if (verdict === undefined) return this.#askAgain(world.chance.between(1e5, 1e6));
        if (verdict.kind === 'denied') {
          const inMs = verdict.retryAt - verdict.poolNow + world.chance.between(0, 20);
          // For hours, maybe: whoever finds no key at all asks less and less often.
          if (verdict.reason === 'no-key') this.#keyless += 1;
          if (verdict.reason === 'no-key')
            return this.#askAgain(Math.min(2 ** this.#keyless, LONGEST_S) * SECOND);
          return this.#askAgain(Math.max(1, inMs) * 1000);
        }
        this.#keyless = 0;
        this.#use({
          id: requestId,
          workspaceId: wanted.workspaceId,
          methods,
          grant: verdict.grant,
          generation: this.#poolClock.generation,
          wallAhead: this.#calls.wallAhead(),
          reports: [],
        });
      },
    );
  }

  #askAgain(inMicros: number): void {
    const asleep = inMicros > ASLEEP;
    if (asleep) this.#path.sleep();
    this.#standstill.after(inMicros, 'ask', () => {
      if (asleep) this.#path.wake();
      this.#ask();
    });
  }

  #use(lease: HeldLease): void {
    const { chance } = this.#parts.world;
    this.#calls.use(lease, () => {
      if (chance.flip(0.9)) this.#settle(lease);
      this.#askAgain(chance.between(0, 3_000));
    });
  }

  #settle(lease: HeldLease, again = true): void {
    const { world, rules, onSettled } = this.#parts;
    const { chance } = world;
    const { id: leaseId, workspaceId, grant, reports } = lease;
    const unusedMethods = unusedOf(lease);
    const wrong = again && chance.flip(0.02);
    const fence = wrong ? grant.fence + 1 : grant.fence;
    this.#standstill.after(0, 'settle', () => {
      this.#messages.exchange<SettledAt>(
        async (service, sequence) => ({
          service,
          verdict: await service.settles.settle({
            service: 'parser-service',
            session: this.session,
            sequence,
            settles: [{ leaseId, fence, workspaceId, rules, reports, unusedMethods }],
          }),
        }),
        GRACE_MS,
        (settled) => {
          if (settled === undefined) return;
          const { verdict } = settled;
          if (wrong && verdict.kind === 'settled' && verdict.results[0] !== 'unknown')
            world.broken('settled-by-a-wrong-fence', `${leaseId}: ${verdict.results[0]}`);
        },
        onSettled,
      );
    });
    if (wrong) this.#settle(lease, false);
    if (again && chance.flip(0.15))
      this.#standstill.after(chance.spread(1_000, 40_000_000), undefined, () => this.#settle(lease, false));
  }
}
