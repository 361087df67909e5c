import type { StoredSpan } from './stored-span';
import { treeOf, type TreeRow } from './trace-tree';

/** Clocks of one machine's processes agree better than this; also less than this between spans is no waiting. */
const NOTICEABLE_MS = 1;
/** Beyond this the branches stand under each other. */
const DEEPEST_INDENT = 24;
const MOST_ROWS = 1_000;

/** The tree of one trace in lines: when each span began after the first one, how long it took, whose it is, what is odd about it. */
export function printTrace(spans: readonly StoredSpan[]): string[] {
  const rows = treeOf(spans);
  const all = rows.map(({ span }) => span);
  const beganMs = Math.min(...all.map(({ startMs }) => startMs));
  const endedMs = Math.max(...all.map(({ endMs }) => endMs));
  const services = [...new Set(all.map(({ service }) => service))];
  const width = Math.max(...services.map((service) => service.length));
  const failed = all.filter((span) => span.failed).length;
  return [
    `trace ${all[0]?.traceId}`,
    `${count(all.length, 'span')} of ${count(services.length, 'process', 'processes')}, ${duration(endedMs - beganMs)}, from ${new Date(beganMs).toISOString()}${failed === 0 ? '' : `, ${failed} failed`}`,
    '',
    `${'began'.padStart(10)} ${'took'.padStart(10)}  ${'process'.padEnd(width)}  span`,
    ...rows.slice(0, MOST_ROWS).map((row) => line(row, beganMs, width)),
    ...(rows.length > MOST_ROWS ? [`... and ${rows.length - MOST_ROWS} more`] : []),
    ...explanations(rows),
  ];
}

/** One line of a trace for a list of several. */
export function summarize(spans: readonly StoredSpan[]): string {
  const [first] = treeOf(spans);
  const beganMs = Math.min(...spans.map(({ startMs }) => startMs));
  const endedMs = Math.max(...spans.map(({ endMs }) => endMs));
  const failed = spans.filter((span) => span.failed).length;
  return `${first?.span.traceId}  ${new Date(beganMs).toISOString()}  ${duration(endedMs - beganMs).padStart(10)}  ${count(spans.length, 'span')}${failed === 0 ? '' : `, ${failed} failed`}  ${first?.span.name}`;
}

function line(row: TreeRow, beganMs: number, width: number): string {
  const { span } = row;
  const began = `+${duration(span.startMs - beganMs)}`.padStart(10);
  const took = duration(span.endMs - span.startMs).padStart(10);
  const remarks = remarksOf(row);
  return `${began} ${took}  ${span.service.padEnd(width)}  ${branches(row)}${span.name}${remarks.length === 0 ? '' : `  (${remarks.join('; ')})`}`;
}

function branches({ depth, follows }: TreeRow): string {
  if (depth === 0) return '';
  const above = follows.slice(1, -1).slice(0, DEEPEST_INDENT);
  return `${above.map((more) => (more ? '│ ' : '  ')).join('')}${follows.at(-1) === true ? '├ ' : '└ '}`;
}

function remarksOf({ span, parent, flaw }: TreeRow): string[] {
  const { attributes } = span;
  const remarks: string[] = [];
  if (span.failed) remarks.push(`FAILED ${attributes['error.type'] ?? 'without a code'}`);
  const status = attributes['http.response.status_code'];
  if (status !== undefined) remarks.push(String(status));
  const records = attributes['messaging.batch.message_count'];
  if (records !== undefined) remarks.push(count(Number(records), 'record'));
  if (flaw === 'orphan') remarks.push(`its parent ${span.parentSpanId} is missing`);
  if (flaw === 'circle') remarks.push(`in a circle with its parent ${span.parentSpanId}`);
  if (parent !== undefined && flaw === undefined) {
    const waited = span.startMs - parent.endMs;
    const early = parent.startMs - span.startMs;
    if (waited >= NOTICEABLE_MS) remarks.push(`${duration(waited)} after its parent ended`);
    if (early >= NOTICEABLE_MS) remarks.push(`began ${duration(early)} before its parent: clocks differ`);
  }
  for (const link of span.links) {
    if (link.traceId !== span.traceId) remarks.push(`see trace ${link.traceId}`);
  }
  return remarks;
}

function explanations(rows: readonly TreeRow[]): string[] {
  const orphans = rows.filter(({ flaw }) => flaw === 'orphan').length;
  const circles = rows.filter(({ flaw }) => flaw === 'circle').length;
  return [
    ...(orphans === 0
      ? []
      : [
          '',
          `${count(orphans, 'parent')} missing: a caller's own span, one that has not ended or arrived yet (spans are sent once a second), or one of a process that was killed.`,
        ]),
    ...(circles === 0
      ? []
      : ['', `${count(circles, 'span')} in a circle: whoever sent them named wrong parents.`]),
  ];
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${ms.toFixed(1)} ms`;
  return ms < 100_000 ? `${(ms / 1_000).toFixed(2)} s` : `${Math.round(ms / 1_000)} s`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
