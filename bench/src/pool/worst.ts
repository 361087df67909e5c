import type { RoundResult } from './round';
import type { Row } from './rows';
import type { SystemName } from './systems';
import { ceilingOf } from './utilisation';
import type { MarginReading } from './worker/protocol';

/** What is shown of several rounds: of each figure the worst one. */
export interface Line {
  row: Row;
  system: SystemName;
  workers: number;
  rounds: number;
  used: number;
  ofCeiling: number;
  refused: number;
  refusedShare: number;
  /** The largest share of one minute's calls that was refused. */
  refusedOfMinute: number;
  leaseP50: number;
  leaseP99: number;
  leasesPerSecond: number;
  lagMs: number;
  /** Rounds that were thrown away because the simulator lagged. */
  repeats: number;
  /** Of the last round: margin over time, ms. */
  margins: readonly MarginReading[];
  lost: Record<string, number>;
}

const MINUTE = 6;

export function worstOf(results: readonly RoundResult[], repeats: number, windowMs: number): Line {
  const [first] = results;
  if (first === undefined) throw new Error('no round to show');
  const { row, system, workers } = first.plan;
  const least = (of: (result: RoundResult) => number): number => Math.min(...results.map(of));
  const most = (of: (result: RoundResult) => number): number => Math.max(...results.map(of));
  const used = least((result) => result.used);
  return {
    row,
    system,
    workers,
    rounds: results.length,
    used,
    ofCeiling: used / ceilingOf(row.window, windowMs, row.jitterMs),
    refused: most((result) => result.refused),
    refusedShare: most((result) => result.refusedShare),
    refusedOfMinute: most((result) => refusedOfMinute(result)),
    leaseP50: most((result) => result.leaseMs.p50),
    leaseP99: most((result) => result.leaseMs.p99),
    leasesPerSecond: least((result) => result.leasesPerSecond),
    lagMs: most((result) => result.lagMs.max),
    repeats,
    margins: results.at(-1)?.margins ?? [],
    lost: lostOf(results),
  };
}

/** The worst minute of a round, at any ten seconds; a shorter round counts as one. */
function refusedOfMinute({ stretches, refusedShare }: RoundResult): number {
  if (stretches.length < MINUTE) return refusedShare;
  const shares = stretches.slice(MINUTE - 1).map((_, end) => {
    const minute = stretches.slice(end, end + MINUTE);
    const calls = minute.reduce((sum, { calls }) => sum + calls, 0);
    return calls === 0 ? 0 : minute.reduce((sum, { refused }) => sum + refused, 0) / calls;
  });
  return Math.max(...shares);
}

/** Slots not used, by cause, over all rounds. */
function lostOf(results: readonly RoundResult[]): Record<string, number> {
  const lost: Record<string, number> = {};
  for (const { workers } of results)
    for (const report of workers)
      for (const [cause, count] of Object.entries({ ...report.lost, ...report.broken }))
        lost[cause] = (lost[cause] ?? 0) + count;
  return lost;
}
