import { titleOf } from './systems';
import type { Line } from './worst';

const COLUMNS = [
  'what the provider is like',
  'limiter',
  'used',
  'of ceiling',
  'refused',
  'lease p50',
  'p99',
  'leases/s',
  'lag',
  'repeats',
] as const;

/** What the columns mean, in the words of somebody who was not there. */
export const LEGEND = `used        share of the keys' quota that was served, per key, averaged
of ceiling  the same against W/(W+J): what is possible for a limiter that does not look at answers
refused     share of the calls that the provider refused (error 6), from the first call on
lease       from asking for permission to having it; calls wait in line while every window is taken
lag         the largest lag of the simulator's event loop; rounds above 10 ms are played again (repeats)`;

/** One line per row and limiter, of several rounds the worst figure each. */
export function tableOf(lines: readonly Line[]): string {
  const rows = lines.map((line) => [
    describe(line),
    titleOf(line.system),
    percent(line.used, 1),
    percent(line.ofCeiling, 1),
    line.refused === 0 ? '0' : percent(line.refusedShare, 2),
    ms(line.leaseP50),
    ms(line.leaseP99),
    line.leasesPerSecond.toFixed(1),
    ms(line.lagMs),
    String(line.repeats),
  ]);
  return align([[...COLUMNS], ...rows]);
}

/** `sliding window, jitter 20 ms, service 80 ms`. */
export function describe({ row, workers }: Pick<Line, 'row' | 'workers'>): string {
  const window = row.window === 'sliding' ? 'sliding' : row.window.replace('-', ', ').replace('-', ' ');
  const reply = row.replyJitterMs > 0 ? ' both ways' : '';
  const jitter = row.scenario === 'shift' ? '20, then 100, then 20' : String(row.jitterMs);
  const more = [
    ...(row.workers === undefined ? [] : [`${workers} worker${workers === 1 ? '' : 's'}`]),
    ...(row.scenario === 'foreign' ? ['a stranger on one key'] : []),
  ];
  return [`${window}, jitter ${jitter} ms${reply}, service ${row.delay} ms`, ...more].join(', ');
}

function percent(share: number, digits: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '-';
}

function ms(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)} ms` : '-';
}

/** Words to the left, figures to the right. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
