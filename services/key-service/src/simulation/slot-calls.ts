import type { CallReport } from '@sociograph/contracts';
import { type KeyNews, type PoolClock, slotVerdict } from '@sociograph/lease-client';
import type { NetworkRules } from '../domain/networks';
import type { LedgerGrant } from '../domain/quota-ledger';
import type { PathWatch } from './path-watch';
import type { Answer, Provider } from './provider';
import type { SkewedClock } from './skewed-clock';
import type { Standstill } from './standstill';
import type { World } from './world';

/** A lease as its worker holds it. */
export interface HeldLease {
  id: string;
  workspaceId: string;
  /** Of each of its calls. */
  methods: readonly string[];
  grant: LedgerGrant;
  /** Of the clock's mapping, when the lease came. */
  generation: number;
  wallAhead: number;
  reports: CallReport[];
}

export interface SlotParts {
  world: World;
  provider: Provider;
  rules: NetworkRules;
  egress: string;
  clock: SkewedClock;
  poolClock: PoolClock;
  standstill: Standstill;
  news: KeyNews;
  path: PathWatch;
  bucketOf: (keyId: string) => string;
}

/** Stamps that lie further apart than this prove that the process stood still between check and wire. */
const FROZEN_MS = 5;
const LATE_MS = 2;

/** The calls of one worker: each is checked in its slot, sent, and reported once. */
export class SlotCalls {
  readonly #parts: SlotParts;

  constructor(parts: SlotParts) {
    this.#parts = parts;
  }

  /** Uses the slots of a lease, or gives them back; `finished` when each of them has its report. */
  use(lease: HeldLease, finished: () => void): void {
    const { standstill, world } = this.#parts;
    const { chance, time } = world;
    const { slots } = lease.grant;
    const done = (report: CallReport): void => {
      lease.reports.push(report);
      if (lease.reports.length === slots.length) finished();
    };
    if (chance.flip(0.12)) {
      // Not needed after all: said before its time as a rule.
      const inMicros = this.#whenPoolShows(slots[0] as number) - time.micros;
      standstill.after(chance.between(0, 1.1) * inMicros, undefined, () => {
        for (const slot of slots.keys()) done({ slot, outcome: 'unsent' });
      });
      return;
    }
    slots.forEach((notBefore, slot) => {
      // A busy event loop wakes late; too late is a slot lost.
      const late = chance.flip(0.03) ? chance.between(0, 15_000) : chance.between(0, 700);
      standstill.at(this.#whenPoolShows(notBefore) + late, 'check', () => this.#check(lease, slot, done));
    });
  }

  wallAhead(): number {
    return this.#parts.clock.nowMs() - this.#parts.clock.monotonicMs();
  }

  #check(lease: HeldLease, slot: number, done: (report: CallReport) => void): void {
    const { world, rules, poolClock, news, standstill } = this.#parts;
    const notBefore = lease.grant.slots[slot] as number;
    const now = poolClock.now();
    const { keyId, grantedAt, expiresAt } = lease.grant;
    const { generation, wallAhead } = lease;
    const facts = { generation, wallAhead, keyId, grantedAt, expiresAt };
    const verdict = slotVerdict(
      { notBefore, notAfter: notBefore + rules.slackMs, lease: facts },
      { now, generation: poolClock.generation, wallAhead: this.wallAhead(), news: news.of(keyId) },
    );
    if (verdict === 'wait') {
      const again = Math.max(world.time.micros + 100, this.#whenPoolShows(notBefore));
      standstill.at(again, 'check', () => this.#check(lease, slot, done));
    } else if (verdict === 'send') this.#send(lease, slot, now, done);
    else {
      world.count(`lost ${verdict}`);
      world.note('slot lost', lease.id, verdict, now - notBefore);
      done({ slot, outcome: 'unsent', cause: verdict });
    }
  }

  #send(lease: HeldLease, slot: number, checkedAt: number, done: (report: CallReport) => void): void {
    const { world, provider, standstill } = this.#parts;
    const { chance, time } = world;
    const checked = time.micros;
    standstill.after(chance.between(20, 200), 'wire', () => {
      const wire = time.micros;
      const frozen = wire - checked > FROZEN_MS * 1000;
      const notBefore = lease.grant.slots[slot] as number;
      world.count('sent');
      world.note(frozen ? 'sent FROZEN' : 'sent', lease.id, lease.grant.keyId, checkedAt - notBefore);
      const stamp = this.#stamp(lease, slot, checkedAt, frozen);
      const breaks = chance.flip(0.02);
      if (breaks && chance.flip(0.5)) {
        standstill.after(chance.between(1e3, 1e6), 'answer', () =>
          done({ slot, outcome: 'broken', sentAt: stamp.sentAt }),
        );
        return;
      }
      time.after(provider.delay(), () => this.#arrive(lease, slot, { frozen, breaks, stamp }, done));
    });
  }

  /** Taken right after the write; a process that stood still before it must be recognised by it. */
  #stamp(lease: HeldLease, slot: number, checkedAt: number, frozen: boolean): { sentAt: number } {
    const { world, standstill, poolClock, rules, path } = this.#parts;
    const notBefore = lease.grant.slots[slot] as number;
    const stamp = { sentAt: NaN };
    standstill.after(world.chance.between(5, 50), 'stamp', () => {
      stamp.sentAt = poolClock.now();
      path.sentAfter(Math.max(0, stamp.sentAt - notBefore));
      const late = stamp.sentAt > notBefore + rules.slackMs + LATE_MS;
      if (frozen && !late && stamp.sentAt - checkedAt <= FROZEN_MS)
        world.broken('frozen-send-not-recognised', `${lease.id} slot ${slot}`);
    });
    return stamp;
  }

  #arrive(
    lease: HeldLease,
    slot: number,
    { frozen, breaks, stamp }: { frozen: boolean; breaks: boolean; stamp: { sentAt: number } },
    done: (report: CallReport) => void,
  ): void {
    const { world, provider, standstill, poolClock, egress, bucketOf } = this.#parts;
    const { keyId, tokenVersion } = lease.grant;
    const { methods } = lease;
    world.note('arrives', lease.id, keyId);
    const bucket = bucketOf(keyId);
    const answer = provider.arrive({ bucket, keyId, tokenVersion, methods, lease: lease.id, egress, frozen });
    if (answer.code !== undefined || answer.status !== 200)
      world.note('answers', lease.id, keyId, answer.status, answer.code);
    const isRefused = answer.code === 6 || answer.status === 429;
    const service = isRefused ? 1_000 : world.chance.between(50_000, 200_000);
    const date = provider.date();
    standstill.after(service + provider.delay(), 'answer', () => {
      const { sentAt } = stamp;
      if (breaks) done({ slot, outcome: 'broken', sentAt });
      else done(answered(slot, sentAt, poolClock.now(), answer, methods[0] as string, date));
    });
  }

  #whenPoolShows(poolMs: number): number {
    return this.#parts.clock.whenShows(this.#parts.poolClock.toMonotonic(poolMs));
  }
}

/** Parts of `methods` that were not used: told with the settle, so that their budgets get them back. */
export function unusedOf({ reports, methods }: HeldLease): Record<string, number> | undefined {
  const unsent = reports.filter(({ outcome }) => outcome === 'unsent').length;
  return unsent === 0 ? undefined : Object.fromEntries(methods.map((method) => [method, unsent]));
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
