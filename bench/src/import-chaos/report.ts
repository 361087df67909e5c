import type { KillVerdict } from './kill-run';
import type { StormVerdict } from './storm-run';

export function reportKills({ rounds, kills, misses }: KillVerdict): string {
  const lines = rounds.map(
    ({ killed, state, seconds, repeatedLists, differences }, index) =>
      `  import ${String(index + 1).padStart(2)}  ${state.padEnd(10)} ${seconds.toFixed(0).padStart(4)} s  ` +
      `${String(Object.values(killed).reduce((sum, times) => sum + times, 0)).padStart(3)} kills, ` +
      `${String(killed['parser-service-0'] ?? 0).padStart(2)} of parser-service-0  ` +
      `${String(repeatedLists).padStart(5)} lists twice  ${differences.length === 0 ? 'exact' : 'NOT EXACT'}`,
  );
  return [`\n${kills} kills in ${rounds.length} imports`, ...lines, ...closing(misses)].join('\n');
}

export function reportStorm(verdict: StormVerdict): string {
  const { state, callsMade, callsNeeded, callsHit, quotaBefore, quotaAfter, differences, dead, misses } =
    verdict;
  const quota = Number.isNaN(quotaAfter) ? 'not measured' : `${(quotaAfter * 100).toFixed(1)} %`;
  return [
    `\nThe import is ${state}, ${differences.length === 0 ? 'exact' : 'NOT EXACT'}, ${dead} dead letters.`,
    `${callsMade} calls made; ${callsNeeded} needed, ${callsHit} hit by the storm: ${(callsMade / (callsNeeded + callsHit)).toFixed(3)}.`,
    `Quota in use: ${(quotaBefore * 100).toFixed(1)} % before the storm, from 10 s after it on: ${quota}.`,
    ...closing(misses),
  ].join('\n');
}

function closing(misses: readonly string[]): string[] {
  return misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)];
}
