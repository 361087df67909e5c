import type { LeaseRecord } from './worker/protocol';

/** One call that the simulator refused with error 6; `at` is its arrival on the machine's clock. */
export interface Refusal {
  keyId: string;
  at: number;
}

export interface JudgeOptions {
  windowMs: number;
  quota: number;
  /** How long a request may travel: the simulator's jitter. */
  jitterMs: number;
  /** How far the simulator's clock and the workers' stamps may lie apart. */
  toleranceMs: number;
  /** The longest that the simulator's event loop stood still: so much later than they came it may have read requests. */
  lagMs: number;
}

/** Why a call was refused, as far as it can be proven. */
export type Cause =
  /** A process frozen between its check and the wire sent this call, or one that took its place; its stamps say so. */
  | 'frozen-send'
  /** The stamps of the sends keep the limit at the declared spread: the path itself was slower (a simulator that lagged). */
  | 'slow-path'
  /** None of these: the pool overstepped. */
  | 'overstep';

export interface Judged extends Refusal {
  cause: Cause;
  /** The send that explains it. */
  proof: LeaseRecord | undefined;
}

/** Judges every refusal by the workers' own stamps. */
export function judge(
  refusals: readonly Refusal[],
  records: readonly LeaseRecord[],
  options: JudgeOptions,
): Judged[] {
  const sendsOf = new Map<string, (LeaseRecord & { sentAt: number })[]>();
  for (const record of records) {
    if (record.sentAt === undefined) continue;
    const known = sendsOf.get(record.keyId);
    const send = { ...record, sentAt: record.sentAt };
    if (known === undefined) sendsOf.set(record.keyId, [send]);
    else known.push(send);
  }
  for (const sends of sendsOf.values()) sends.sort((a, b) => a.sentAt - b.sentAt);
  return refusals.map((refusal) => judgeOne(refusal, sendsOf.get(refusal.keyId) ?? [], options));
}

function judgeOne(
  refusal: Refusal,
  sends: readonly (LeaseRecord & { sentAt: number })[],
  { windowMs, quota, jitterMs, toleranceMs, lagMs }: JudgeOptions,
): Judged {
  const around = (send: { sentAt: number }, backMs: number): boolean =>
    send.sentAt <= refusal.at + toleranceMs && send.sentAt >= refusal.at - backMs - toleranceMs;
  const frozen = sends.find((send) => send.late === true && around(send, windowMs + jitterMs));
  if (frozen !== undefined) return { ...refusal, cause: 'frozen-send', proof: frozen };
  // The refused call itself: the latest one with that answer which can have arrived then.
  const own = sends.findLast((send) => send.result === '6' && around(send, jitterMs + lagMs));
  if (own === undefined) return { ...refusal, cause: 'overstep', proof: undefined };
  const before = sends.filter((send) => send.sentAt < own.sentAt && send.result !== '6');
  const first = before.at(-quota);
  // The earlier call may have travelled for all of the spread, this one not at all: then it must be this far behind.
  if (first === undefined || own.sentAt - first.sentAt >= windowMs + jitterMs - toleranceMs)
    return { ...refusal, cause: 'slow-path', proof: own };
  return { ...refusal, cause: 'overstep', proof: own };
}

/** Something that stopped or began to be there, on the machine's clock. */
export interface Presence {
  at: number;
  /** `redis`, `key-service 0`, `worker 3`. */
  who: string;
  there: boolean;
}

export interface Loss {
  at: number;
  what: string;
}

export interface Gap {
  what: string;
  at: number;
  ms: number;
}

/** Stretches in which Redis, a key-service and a worker were there at once. */
export function workingStretches(
  presences: readonly Presence[],
  untilMs: number,
): { from: number; to: number }[] {
  const there = new Set<string>();
  const ordered = [...presences].sort((a, b) => a.at - b.at);
  const stretches: { from: number; to: number }[] = [];
  let from: number | undefined;
  for (const { at, who, there: came } of ordered) {
    if (came) there.add(who);
    else there.delete(who);
    const works = ['redis', 'key-service', 'worker'].every((role) =>
      [...there].some((name) => name === role || name.startsWith(`${role} `)),
    );
    if (works && from === undefined) from = at;
    if (!works && from !== undefined) {
      if (at > from) stretches.push({ from, to: at });
      from = undefined;
    }
  }
  if (from !== undefined && untilMs > from) stretches.push({ from, to: untilMs });
  return stretches;
}

/**
 * How long nothing was granted after each loss of Redis, not counting time in which somebody else who is needed was
 * away too; longest first.
 */
export function gapsAfter(
  losses: readonly Loss[],
  grants: readonly number[],
  stretches: readonly { from: number; to: number }[],
): Gap[] {
  const ordered = [...grants].sort((a, b) => a - b);
  return losses
    .map(({ at, what }) => {
      const next = ordered[firstAbove(ordered, at)] ?? Number.POSITIVE_INFINITY;
      const ms = stretches.reduce(
        (total, { from, to }) => total + Math.max(0, Math.min(to, next) - Math.max(from, at)),
        0,
      );
      return { what, at, ms };
    })
    .sort((a, b) => b.ms - a.ms);
}

/** The longest time without a grant within the stretches. */
export function longestGap(
  grants: readonly number[],
  stretches: readonly { from: number; to: number }[],
): Gap | undefined {
  const ordered = [...grants].sort((a, b) => a - b);
  let longest: Gap | undefined;
  for (const { from, to } of stretches) {
    let since = from;
    for (let n = firstAbove(ordered, from); ; n += 1) {
      const at = ordered[n] ?? Number.POSITIVE_INFINITY;
      const ms = Math.min(at, to) - since;
      if (longest === undefined || ms > longest.ms) longest = { what: 'no grant', at: since, ms };
      if (at >= to) break;
      since = at;
    }
  }
  return longest;
}

function firstAbove(ordered: readonly number[], value: number): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ordered[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

export interface DeadKey {
  keyId: string;
  /** Answers with error 5. */
  refused: number;
  /** Sends begun at most `graceMs` after the first of them was answered, and later ones. */
  soon: number;
  afterwards: number;
}

/** How often a key was still used after its first error 5 was answered. */
export function afterDeath(
  records: readonly LeaseRecord[],
  keyIds: readonly string[],
  graceMs: number,
): DeadKey[] {
  return keyIds.map((keyId) => {
    const own = records.filter((record) => record.keyId === keyId && record.sentAt !== undefined);
    const refused = own.filter((record) => record.result === '5');
    const first = Math.min(...refused.map((record) => record.answeredAt ?? Number.POSITIVE_INFINITY));
    const later = own.filter((record) => (record.sentAt as number) > first);
    const afterwards = later.filter((record) => (record.sentAt as number) > first + graceMs).length;
    return { keyId, refused: refused.length, soon: later.length - afterwards, afterwards };
  });
}

/** Slots that were not used, by cause. */
export function countUnsent(records: readonly LeaseRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { sentAt, result } of records) {
    if (sentAt === undefined) counts[result] = (counts[result] ?? 0) + 1;
  }
  return counts;
}
