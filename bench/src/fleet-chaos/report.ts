import { type Cell, wordsOf } from './fault-plan';
import type { PlayedFault } from './play-fault';
import { balanceOf, type ChaosFigures } from './verdict';
import { WORK_IN_WORDS } from './work';

export interface ChaosVerdict extends ChaosFigures {
  readonly seed: number;
  readonly passed: boolean;
  readonly misses: readonly string[];
  /** Of what was chosen, what there was no time for. */
  readonly notPlayed: readonly Cell[];
}

export function reportChaos(verdict: ChaosVerdict): string {
  const { seed, played, imports, people, refused, frozenSends, dead, answers, misses, notPlayed } = verdict;
  const { lost, double } = balanceOf(imports, people);
  const seconds = imports.map((one) => one.seconds.toFixed(0)).join(', ');
  const times = played.flatMap(({ recoveryMs }) => (recoveryMs === undefined ? [] : [recoveryMs]));
  const longest = times.length === 0 ? 'none' : inSeconds(Math.max(...times));
  return [
    `\nseed ${seed}: ${played.length} faults, ${imports.length} imports of ${people} people (${seconds} s)`,
    '',
    '| fault | gone after | work after | which work |',
    '| --- | --- | --- | --- |',
    ...played.map(rowOf),
    '',
    `lost ${lost}, double ${double}, oversteps ${Math.max(0, refused - frozenSends)} ` +
      `(${frozenSends} sends of frozen processes beside them), dead letters ${dead}, longest recovery ${longest}`,
    `answers of the API meanwhile: ${words(answers)}`,
    ...(notPlayed.length === 0
      ? []
      : [`not played: ${notPlayed.map(({ kind, target }) => `${kind}:${target}`).join(', ')}`]),
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}

function rowOf({ fault, work, recoveryMs, exitMs }: PlayedFault): string {
  const cells = [
    wordsOf(fault),
    exitMs === undefined ? '' : inSeconds(exitMs),
    recoveryMs === undefined ? 'none' : inSeconds(recoveryMs),
    WORK_IN_WORDS[work],
  ];
  return `| ${cells.join(' | ')} |`;
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function words(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.join(', ') || 'none';
}
