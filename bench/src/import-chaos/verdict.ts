import type { CertificateView, SummaryView } from '@sociograph/api-client';
import type { GraphStatistics } from '@sociograph/graph-file';

/** Items of one `execute`. */
export const LISTS_PER_CALL = 25;
/** Calls that the kill of one parser process may repeat, at 20 keys (issue 5). */
const REPEATED_CALLS_PER_PARSER_KILL = 12;
const MOST_CALLS_FACTOR = 1.2;
const LEAST_QUOTA_AFTER_STORM = 0.95;
const SAME_FRACTION = 1e-9;

/** Which figures of a summary differ from the graph's own; empty when all are equal. */
export function differences(summary: SummaryView, expected: GraphStatistics): string[] {
  const pairs: [string, number, number][] = [
    ['users', summary.users, expected.users],
    ['friendships', summary.friendships, expected.friendships],
    ['triangles', summary.triangles, expected.triangles],
    ['components', summary.components.count, expected.components],
    ['largest component', summary.components.largest, expected.largestComponent],
    ['average clustering', summary.averageClustering, expected.averageClustering],
    ['transitivity', summary.transitivity, expected.transitivity],
  ];
  return pairs
    .filter(([, is, should]) => !(Math.abs(is - should) <= SAME_FRACTION))
    .map(([name, is, should]) => `${name} is ${is}, not ${should}`);
}

/** One import that was hit, and what it came to. */
export interface Round {
  /** Kills by name of the process. */
  readonly killed: Readonly<Record<string, number>>;
  readonly state: string;
  readonly differences: readonly string[];
  /** Friend lists that the simulator answered beyond one a person. */
  readonly repeatedLists: number;
  readonly gaps: CertificateView['gaps'];
  readonly seconds: number;
}

/** What of the bar is missed, in words. */
export function missesOfKills(rounds: readonly Round[], dead: number, refused: number): string[] {
  const found = rounds.flatMap((round, index) =>
    missesOfRound(round).map((miss) => `import ${index + 1}: ${miss}`),
  );
  if (dead > 0) found.push(`${dead} messages and records in dead queues`);
  if (refused > 0) found.push(`${refused} calls were refused by the limit`);
  return found;
}

function missesOfRound({ killed, state, differences, repeatedLists, gaps }: Round): string[] {
  const found = [...differences];
  if (state !== 'completed') found.push(`it is ${state}`);
  for (const { what, cause, count } of gaps) found.push(`gap: ${count} of ${what}, ${cause}`);
  const parsers = Object.entries(killed)
    .filter(([name]) => name.startsWith('parser-service'))
    .reduce((sum, [, times]) => sum + times, 0);
  const allowed = parsers * REPEATED_CALLS_PER_PARSER_KILL * LISTS_PER_CALL;
  if (repeatedLists > allowed)
    found.push(
      `${repeatedLists} lists were fetched twice, ${allowed} may be after ${parsers} kills of parsers`,
    );
  return found;
}

export interface StormFigures {
  readonly state: string;
  readonly differences: readonly string[];
  readonly gaps: CertificateView['gaps'];
  readonly callsMade: number;
  readonly callsNeeded: number;
  /** Calls that the storm refused or broke. */
  readonly callsHit: number;
  /** Share of the quota of all keys in the seconds before the storm; told, not judged. */
  readonly quotaBefore: number;
  /** Share of the quota of the keys that still live, from 10 s after the storm on; NaN: the import was over by then. */
  readonly quotaAfter: number;
  readonly dead: number;
}

export function missesOfStorm(figures: StormFigures): string[] {
  const { state, gaps, callsMade, callsNeeded, callsHit, quotaAfter, dead } = figures;
  const found = [...figures.differences];
  if (state !== 'completed') found.push(`the import is ${state}`);
  for (const { what, cause, count } of gaps) found.push(`gap: ${count} of ${what}, ${cause}`);
  const factor = callsMade / (callsNeeded + callsHit);
  if (!(factor <= MOST_CALLS_FACTOR))
    found.push(`${callsMade} calls were made, ${factor.toFixed(2)} times what was needed and hit`);
  if (Number.isNaN(quotaAfter)) found.push('the import was over before 10 s after the storm: more people');
  else if (quotaAfter < LEAST_QUOTA_AFTER_STORM)
    found.push(`${(quotaAfter * 100).toFixed(1)} % of the quota is used 10 s after the storm`);
  if (dead > 0) found.push(`${dead} messages and records in dead queues`);
  return found;
}
