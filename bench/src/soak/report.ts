import { growthOf, isFlat, type Memory, percent, type Series, type SoakFigures, trendOf } from './growth';
import type { SoakVerdict } from './soak-run';

export function reportSoak(verdict: SoakVerdict): string {
  const { capacity, offered, answered, keysInUse, listsPerSecond, streams, imports, misses } = verdict;
  return [
    `\nmeasured: ${capacity.requestsPerSecond.toFixed(0)} requests and ${capacity.listsPerSecond.toFixed(0)} lists a second`,
    `watched for ${verdict.minutes} minutes: ${answered.toFixed(0)} of ${offered.toFixed(0)} requests and ` +
      `${listsPerSecond.toFixed(0)} lists a second with ${keysInUse} keys, ${imports.ended} refreshes, ` +
      `${streams.events} events on ${streams.opened} streams`,
    '',
    '| process | heap, first | last | growth | resident, first | last | growth |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...verdict.processes.map(rowOf),
    '',
    '| figure | first third | last third | |',
    '| --- | --- | --- | --- |',
    ...verdict.series.map(seriesRow),
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}

function rowOf({ name, first, last }: SoakFigures['processes'][number]): string {
  if (last === undefined) return `| ${name} | started again | | | | | |`;
  const growth = growthOf(first, last);
  const cells = [
    name,
    ...[mb(first, 'heapBytes'), mb(last, 'heapBytes'), percent(growth.heap)],
    ...[mb(first, 'residentBytes'), mb(last, 'residentBytes'), percent(growth.resident)],
  ];
  return `| ${cells.join(' | ')} |`;
}

function seriesRow(series: Series): string {
  const { first, last } = trendOf(series);
  return `| ${series.name} | ${first} | ${last} | ${isFlat(series) ? 'flat' : 'ROSE'} |`;
}

function mb(memory: Memory, which: keyof Memory): string {
  return `${(memory[which] / 1024 / 1024).toFixed(1)} MB`;
}
