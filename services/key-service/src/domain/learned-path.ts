import type { NetworkRules } from './networks';

/** What is known of the path to a network; ms. `spreadMs` is how far apart the delays of two requests may lie. */
export interface LearnedPath {
  spreadMs: number;
  /** How far off the clocks of workers may be, within the spread. */
  clockErrorMs: number;
  /** The shortest round trip of the last minute; 0 before the first. */
  shortestTripMs: number;
  /** Measured round trips that the spread rests on; 0: begun with what was kept or declared. */
  samples: number;
  lateness?: { meanMs: number; maxMs: number } | undefined;
  /** Pool clock, ms; 0: never. */
  learnedAt: number;
  /** A refusal keeps the spread from falling until then (pool clock, ms). */
  heldUntil?: number | undefined;
}

/** Learned paths, kept where they survive every loss of the pool's memory. */
export abstract class LearnedPaths {
  abstract get(network: string): Promise<LearnedPath | undefined>;
  abstract save(network: string, path: LearnedPath): Promise<void>;
  abstract remove(network: string): Promise<void>;
}

/** What a worker measured of the path to a network, by requests that no limit counts. Pool clock and ms. */
export interface PathFacts {
  session: string;
  sequence: number;
  rules: NetworkRules;
  probes: { sentAt: number; roundTripMs: number; serverDate?: number | undefined }[];
  lateness?: { sends: number; meanMs: number; maxMs: number } | undefined;
  /** How far the worker's reading of the pool's clock may be off. */
  clockErrorMs: number;
  /** When the report left, by the worker's reading of the pool's clock. */
  issuedAt?: number | undefined;
}

export type PathVerdict =
  | { kind: 'learned'; poolNow: number; marginMs: number }
  | { kind: 'denied'; poolNow: number; reason: 'replay' | 'recovering' };
