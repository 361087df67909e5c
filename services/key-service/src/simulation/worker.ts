import type { CallReport } from '@sociograph/contracts';
import { type KeyChange, KeyNews, PoolClock, slotVerdict } from '@sociograph/lease-client';
import type { AcquireVerdict } from '../application/acquire-lease';
import type { NetworkRules } from '../domain/networks';
import type { LedgerGrant, PathVerdict } from '../domain/ports';
import type { Chance } from './chance';
import type { KeyServiceProcess } from './key-service-process';
import type { Answer, Provider } from './provider';
import { SkewedClock } from './skewed-clock';
import type { World } from './world';

/** Where a process can stand still: before this step. */
export type Step = 'ask' | 'reply' | 'check' | 'wire' | 'stamp' | 'answer' | 'settle';

export const STEPS: readonly Step[] = ['ask', 'reply', 'check', 'wire', 'stamp', 'answer', 'settle'];

export interface WorkerParts {
  world: World;
  provider: Provider;
  rules: NetworkRules;
  name: string;
  /** Requests under way at once. */
  loops: number;
  /** Key-services that can be reached now. */
  services: () => KeyServiceProcess[];
  bucketOf: (keyId: string) => string;
  work: () => { workspaceId: string; importId: string; methods: Record<string, number>; calls: number };
  /** At the key-service that settled, before its reply leaves. */
  onSettled: (settled: SettledAt) => void;
  /** Messages between workers and key-services: probabilities. */
  messages: { lost: number; twice: number };
}

export type SettledAt = {
  service: KeyServiceProcess;
  verdict: Awaited<ReturnType<KeyServiceProcess['settles']['settle']>>;
};

interface Lease {
  id: string;
  workspaceId: string;
  method: string;
  grant: LedgerGrant;
  generation: number;
  wallAhead: number;
  reports: CallReport[];
  open: number;
}

type Sample = { sentAt: number; roundTripMs: number; serverDate: number };

const FIRST_PROBES = 10;
const CLOCK_EVERY = 1_000_000;
const ACQUIRE_MS = 5_000;
const GRACE_MS = 2_000;
/** Stamps that lie further apart than this prove that the process stood still between check and wire. */
const FROZEN_MS = 5;
const LATE_MS = 2;

/** A worker process: asks for leases, sends in its slots by its own reading of the pool's clock, and settles. */
export class SimulatedWorker {
  readonly clock: SkewedClock;
  readonly poolClock: PoolClock;
  readonly session: string;
  alive = true;
  readonly #parts: WorkerParts;
  readonly #news = new KeyNews();
  #lateness = { sends: 0, sumMs: 0, maxMs: 0 };
  #sequence = 0;
  #requests = 0;
  #frozenUntil = 0;
  #held: (() => void)[] = [];
  #armed: { step: Step; micros: number } | undefined;
  #stopping = false;
  #awakeLoops = 0;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    const { world, name } = parts;
    const { chance } = world;
    this.clock = new SkewedClock(world.time, {
      wallAheadMs: chance.between(-300_000, 300_000),
      drift: chance.flip(0.5) ? chance.between(-0.05, 0.05) : chance.between(-0.5, 0.5),
      upForMs: chance.between(1e3, 1e8),
    });
    this.poolClock = new PoolClock({ clock: this.clock });
    this.session = `session-${name}`;
  }

  start(): void {
    this.#readClock(() => {
      for (let loop = 0; loop < this.#parts.loops; loop += 1) {
        this.#awakeLoops += 1;
        this.#local(this.#now + this.#chance.between(0, 50_000), 'ask', () => this.#ask());
      }
      this.#firstProbes();
      this.#tick();
    });
  }

  /** Asks for nothing more; what is under way is finished. */
  stop(): void {
    this.#stopping = true;
  }

  kill(): void {
    this.alive = false;
  }

  freeze(micros: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#now + micros);
  }

  freezeBefore(step: Step, micros: number): void {
    this.#armed = { step, micros };
  }

  /** The whole machine: its monotonic clock stands still, too. */
  suspend(micros: number): void {
    this.freeze(micros);
    this.clock.slept(micros);
  }

  keyChanged(change: KeyChange): void {
    this.#local(this.#now, undefined, () => this.#news.note(change, this.poolClock.now()));
  }

  get #now(): number {
    return this.#parts.world.time.micros;
  }

  #local(at: number, step: Step | undefined, run: () => void): void {
    const { time } = this.#parts.world;
    time.at(at, () => this.#step(step, run));
  }

  #step(step: Step | undefined, run: () => void): void {
    if (!this.alive) return;
    if (step !== undefined && this.#armed?.step === step) {
      this.freeze(this.#armed.micros);
      this.#armed = undefined;
    }
    if (this.#frozenUntil <= this.#now && this.#held.length === 0) return run();
    this.#held.push(run);
    if (this.#held.length === 1) this.#thaw();
  }

  /** What came while the process stood still happens in its order when it goes on. */
  #thaw(): void {
    this.#parts.world.time.at(this.#frozenUntil, () => {
      if (!this.alive) return;
      if (this.#frozenUntil > this.#now) return this.#thaw();
      const held = this.#held;
      this.#held = [];
      for (const run of held) run();
    });
  }

  #ask(): void {
    if (this.#stopping) return;
    const { rules, work } = this.#parts;
    this.#requests += 1;
    const requestId = `${this.session}-${this.#requests}`;
    const wanted = work();
    const deadlineAt = this.poolClock.now() + ACQUIRE_MS;
    const next = (inMicros: number): void => {
      if (inMicros > 2_000_000) this.#awakeLoops -= 1;
      this.#local(this.#now + inMicros, 'ask', () => {
        if (inMicros > 2_000_000) this.#wake();
        this.#ask();
      });
    };
    this.#exchange<AcquireVerdict>(
      (service, sequence) =>
        service.desk.acquire({
          ...wanted,
          requestId,
          service: 'parser-service',
          session: this.session,
          sequence,
          rules,
          deadlineAt,
          egress: 'default',
        }),
      ACQUIRE_MS + GRACE_MS,
      (verdict) => {
        if (verdict === undefined) return next(this.#chance.between(1e5, 1e6));
        if (verdict.kind === 'denied') {
          const inMs = verdict.retryAt - verdict.poolNow + this.#chance.between(0, 20);
          return next(Math.max(1, inMs) * 1000);
        }
        const { grant } = verdict;
        this.#run(
          {
            id: requestId,
            workspaceId: wanted.workspaceId,
            method: Object.keys(wanted.methods)[0] as string,
            grant,
            generation: this.poolClock.generation,
            wallAhead: this.#wallAhead(),
            reports: [],
            open: grant.slots.length,
          },
          () => next(this.#chance.between(0, 3_000)),
        );
      },
    );
  }

  #run(lease: Lease, finished: () => void): void {
    const chance = this.#chance;
    const done = (report: CallReport): void => {
      lease.reports.push(report);
      lease.open -= 1;
      if (lease.open > 0) return;
      if (this.#chance.flip(0.9)) this.#settle(lease);
      finished();
    };
    const first = lease.grant.slots[0] as number;
    if (this.#chance.flip(0.12)) {
      // Not needed after all: said before its time as a rule.
      const at = this.#whenPoolShows(first);
      this.#local(this.#now + chance.between(0, 1.1) * (at - this.#now), undefined, () => {
        for (const slot of lease.grant.slots.keys()) done({ slot, outcome: 'unsent' });
      });
      return;
    }
    lease.grant.slots.forEach((notBefore, slot) => {
      // A busy event loop wakes late; too late is a slot lost.
      const late = chance.flip(0.03) ? chance.between(0, 15_000) : chance.between(0, 700);
      this.#local(this.#whenPoolShows(notBefore) + late, 'check', () => this.#send(lease, slot, done));
    });
  }

  #send(lease: Lease, slot: number, done: (report: CallReport) => void): void {
    const { world, provider, rules, bucketOf } = this.#parts;
    const chance = this.#chance;
    const notBefore = lease.grant.slots[slot] as number;
    const notAfter = notBefore + rules.slackMs;
    const checkedAt = this.poolClock.now();
    const { keyId, grantedAt, expiresAt } = lease.grant;
    const { generation, wallAhead } = lease;
    const verdict = slotVerdict(
      { notBefore, notAfter, lease: { ...{ generation, wallAhead, keyId, grantedAt, expiresAt } } },
      {
        now: checkedAt,
        generation: this.poolClock.generation,
        wallAhead: this.#wallAhead(),
        news: this.#news.of(keyId),
      },
    );
    if (verdict === 'wait') {
      const again = Math.max(this.#now + 100, this.#whenPoolShows(notBefore));
      this.#local(again, 'check', () => this.#send(lease, slot, done));
      return;
    }
    if (verdict !== 'send') {
      world.count(`lost ${verdict}`);
      world.note('slot lost', lease.id, verdict, checkedAt - notBefore);
      done({ slot, outcome: 'unsent', cause: verdict });
      return;
    }
    const checked = this.#now;
    let sentAt = NaN;
    this.#local(checked + chance.between(20, 200), 'wire', () => {
      const wire = this.#now;
      const frozen = wire - checked > FROZEN_MS * 1000;
      world.count('sent');
      world.note(frozen ? 'sent FROZEN' : 'sent', lease.id, keyId, notBefore, checkedAt - notBefore);
      this.#local(wire + chance.between(5, 50), 'stamp', () => {
        sentAt = this.poolClock.now();
        const late = Math.max(0, sentAt - notBefore);
        const { sends, sumMs, maxMs } = this.#lateness;
        this.#lateness = { sends: sends + 1, sumMs: sumMs + late, maxMs: Math.max(maxMs, late) };
        const recognised = sentAt - checkedAt > FROZEN_MS || sentAt > notAfter + LATE_MS;
        if (frozen && !recognised) world.broken('frozen-send-not-recognised', `${lease.id} slot ${slot}`);
      });
      const breaks = chance.flip(0.02);
      if (breaks && chance.flip(0.5)) {
        this.#local(wire + chance.between(1e3, 1e6), 'answer', () =>
          done({ slot, outcome: 'broken', sentAt }),
        );
        return;
      }
      world.time.after(provider.delay(), () => {
        const { method, id } = lease;
        world.note('arrives', id, keyId);
        const answer = provider.arrive({ bucket: bucketOf(keyId), keyId, method, lease: id, frozen });
        if (answer.code !== undefined || answer.status !== 200)
          world.note('answers', id, keyId, answer.status, answer.code);
        const service = answer.code === 6 || answer.status === 429 ? 1_000 : chance.between(50_000, 200_000);
        const date = provider.date();
        this.#local(this.#now + service + provider.delay(), 'answer', () => {
          if (breaks) done({ slot, outcome: 'broken', sentAt });
          else done(answered(slot, sentAt, this.poolClock.now(), answer, method, date));
        });
      });
    });
  }

  #settle(lease: Lease, again = true): void {
    const { rules, onSettled, world } = this.#parts;
    const { id: leaseId, workspaceId, grant, reports } = lease;
    const wrong = again && this.#chance.flip(0.02);
    const fence = wrong ? grant.fence + 1 : grant.fence;
    this.#local(this.#now, 'settle', () => {
      this.#exchange<SettledAt>(
        async (service, sequence) => ({
          service,
          verdict: await service.settles.settle({
            service: 'parser-service',
            session: this.session,
            sequence,
            settles: [{ leaseId, fence, workspaceId, rules, reports }],
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
    if (again && this.#chance.flip(0.15))
      this.#local(this.#now + this.#chance.spread(1_000, 40_000_000), undefined, () =>
        this.#settle(lease, false),
      );
  }

  /** A request and its reply, asked once more when none came; a message may be lost or come twice. */
  #exchange<T>(
    ask: (service: KeyServiceProcess, sequence: number) => Promise<T>,
    timeoutMs: number,
    done: (reply: T | undefined) => void,
    atService?: (reply: T) => void,
  ): void {
    const { world, messages, services } = this.#parts;
    const { time, chance } = world;
    let answered = false;
    /** Nobody can be blamed for an answer that did not come. */
    let excused = false;
    const clockSet = world.counts.get('clock set');
    const asked: KeyServiceProcess[] = [];
    const attempt = (left: number): void => {
      this.#sequence += 1;
      const sequence = this.#sequence;
      const sentAt = this.clock.monotonicMs();
      const copies = messages.twice > 0 && chance.flip(messages.twice) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        if (messages.lost > 0 && chance.flip(messages.lost)) {
          excused = true;
          continue;
        }
        time.after(chance.between(100, 1_500) * (copy === 0 ? 1 : chance.spread(1, 1_000)), () => {
          const alive = services();
          if (alive.length === 0) return;
          const service = chance.pick(alive);
          asked.push(service);
          time.woke();
          ask(service, sequence).then(
            (reply) => {
              if (!service.alive) return;
              atService?.(reply);
              if (messages.lost > 0 && chance.flip(messages.lost)) {
                excused = true;
                return;
              }
              this.#local(this.#now + chance.between(100, 1_500), 'reply', () => {
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
      this.#local(this.#now + timeoutMs * 1000, undefined, () => {
        if (answered) return;
        // A clock of Redis that was set moves the deadlines of those who wait.
        const set = world.counts.get('clock set') !== clockSet;
        if (!excused && !set && asked.length > 0 && asked.every(({ alive }) => alive))
          world.broken('never-answered', `${this.session}, ${timeoutMs} ms`);
        if (left > 0) return attempt(left - 1);
        answered = true;
        done(undefined);
      });
    };
    attempt(1);
  }

  #observe(sentAt: number, reply: unknown): void {
    const outer = reply as { poolNow?: number; verdict?: { poolNow?: number } };
    const poolNow = outer.poolNow ?? outer.verdict?.poolNow;
    if (poolNow === undefined || Number.isNaN(poolNow)) return;
    if (!this.poolClock.observe(sentAt, this.clock.monotonicMs(), poolNow))
      this.#parts.world.note('clock contradicted', this.session);
  }

  #readClock(then?: () => void): void {
    this.#exchange(
      async (service) => ({ poolNow: await service.ledger.readClock().catch(() => NaN) }),
      GRACE_MS,
      (reply) => {
        if (then === undefined) return;
        if (reply === undefined || Number.isNaN(reply.poolNow))
          this.#local(this.#now + 500_000, undefined, () => this.#readClock(then));
        else then();
      },
    );
  }

  #firstProbes(): void {
    const samples: Sample[] = [];
    for (let index = 0; index < FIRST_PROBES; index += 1) {
      this.#local(this.#now + index * 80_000, undefined, () =>
        this.#probe((sample) => {
          samples.push(sample);
          if (samples.length === FIRST_PROBES) this.#report(samples);
        }),
      );
    }
  }

  /** A probe of the path each second, told at once: that reads the pool's clock as well. */
  #tick(): void {
    if (this.#stopping || this.#awakeLoops === 0) return;
    this.#local(this.#now + CLOCK_EVERY, undefined, () => {
      this.#probe((sample) => this.#report([sample]));
      this.#tick();
    });
  }

  #probe(done: (sample: Sample) => void): void {
    const { provider, world } = this.#parts;
    const startedAt = this.clock.monotonicMs();
    const sentAt = this.poolClock.now();
    world.time.after(provider.delay(), () => {
      const serverDate = provider.date();
      this.#local(this.#now + provider.delay(), 'answer', () =>
        done({ sentAt, roundTripMs: this.clock.monotonicMs() - startedAt, serverDate }),
      );
    });
  }

  #report(probes: Sample[]): void {
    const { sends, sumMs, maxMs } = this.#lateness;
    this.#lateness = { sends: 0, sumMs: 0, maxMs: 0 };
    this.#exchange<PathVerdict>(
      (service, sequence) =>
        service.ledger.learn({
          ...{ by: 'parser-service', session: this.session, sequence, rules: this.#parts.rules, probes },
          ...(sends > 0 && { lateness: { sends, meanMs: sumMs / sends, maxMs } }),
          clockErrorMs: this.poolClock.errorMs,
        }),
      GRACE_MS,
      () => undefined,
    );
  }

  #wake(): void {
    this.#awakeLoops += 1;
    if (this.#awakeLoops === 1) {
      this.#readClock();
      this.#tick();
    }
  }

  #whenPoolShows(poolMs: number): number {
    return this.clock.whenShows(this.poolClock.toMonotonic(poolMs));
  }

  #wallAhead(): number {
    return this.clock.nowMs() - this.clock.monotonicMs();
  }

  get #chance(): Chance {
    return this.#parts.world.chance;
  }
}

function answered(
  slot: number,
  sentAt: number,
  answeredAt: number,
  answer: Answer,
  method: string,
  serverDate: number,
): CallReport {
  const { status, code, text, retryAfterMs, inner } = answer;
  const error = code === undefined ? undefined : { code, ...(text !== undefined && { text }) };
  return {
    slot,
    outcome: 'answered',
    sentAt,
    answeredAt,
    status,
    serverDate,
    ...(error !== undefined && (inner === true ? { methodErrors: [{ method, ...error }] } : { error })),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
