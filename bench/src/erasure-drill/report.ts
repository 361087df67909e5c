import type { ErasureVerdict } from './run-drill';
import { rowsOf } from './verdict';

export function reportErasure(verdict: ErasureVerdict): string {
  const { again, completeMs, misses } = verdict;
  const rows = rowsOf(verdict).map(
    ({ kind, before, afterComplete, again: then }) => `| ${kind} | ${before} | ${afterComplete} | ${then} |`,
  );
  return [
    '',
    '| places that show id or name | before | after `complete` | after rebuild, redrive and a new import |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    `complete after ${(completeMs / 1000).toFixed(1)} s; ${again.files} files and ${(again.bytes / 1e6).toFixed(0)} MB looked at in the last look`,
    ...(misses.length === 0 ? ['\nPassed.'] : ['', ...misses.map((miss) => `Missed: ${miss}.`)]),
  ].join('\n');
}
