import type { LearnedPath, PathFacts } from '../domain/learned-path';
import { micros } from './script-figures';

/** What a worker measured of a path, as the script takes it. */
export function pathArgument(facts: PathFacts): object {
  const { session, sequence, probes, lateness, clockErrorMs, issuedAt } = facts;
  return {
    session,
    seq: sequence,
    probes: probes.map((probe) => ({
      sent: micros(probe.sentAt),
      trip: micros(probe.roundTripMs),
      date: micros(probe.serverDate ?? 0),
    })),
    late: lateness && { n: lateness.sends, mean: micros(lateness.meanMs), max: micros(lateness.maxMs) },
    err: micros(clockErrorMs),
    issued: micros(issuedAt ?? 0),
  };
}

/** The record of learning.lua; microseconds. */
interface PathRecord {
  s: number;
  e: number;
  t: number;
  n: number;
  lo?: number;
  m?: { mean: number; max: number };
  h?: { s: number; u: number };
}

/** Undefined: nothing was learned. */
export function learnedPathOf(text: string): LearnedPath | undefined {
  const known = JSON.parse(text) as PathRecord | null;
  if (known === null) return undefined;
  return {
    spreadMs: known.s / 1000,
    clockErrorMs: known.e / 1000,
    shortestTripMs: (known.lo ?? 0) / 1000,
    samples: known.n,
    learnedAt: known.t / 1000,
    ...(known.m && { lateness: { meanMs: known.m.mean / 1000, maxMs: known.m.max / 1000 } }),
    ...(known.h && { heldUntil: known.h.u / 1000 }),
  };
}

export function keptPathArgument(path: LearnedPath): object {
  return {
    s: micros(path.spreadMs),
    e: micros(path.clockErrorMs),
    lo: micros(path.shortestTripMs),
    t: micros(path.learnedAt),
  };
}
