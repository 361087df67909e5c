import { SHIFT } from './rows';
import type { Line } from './worst';

/** Most of one minute's calls that may be refused when the jitter grows in mid-run. */
const SHIFT_REFUSED = 0.005;
/** How far utilisation may move with the number of workers. */
const WORKERS_SPREAD = 0.01;
/** After the jitter fell the margin is at most so much (ms) above what it was before it grew. */
const MARGIN_BACK_MS = 10;

/** What is asked of ours and was not reached, one sentence each. */
export function faultsOf(lines: readonly Line[]): string[] {
  const ours = lines.filter((line) => line.system === 'ours');
  return [
    ...ours.flatMap((line) => [...refusals(line), ...bars(line), ...peers(line, lines), ...margin(line)]),
    ...workers(ours),
  ];
}

function refusals({ row, refused, refusedOfMinute }: Line): string[] {
  if (row.scenario === 'shift')
    return refusedOfMinute > SHIFT_REFUSED
      ? [`${row.name}: ${percent(refusedOfMinute)} of one minute's calls were refused`]
      : [];
  return refused > 0 ? [`${row.name}: ${refused} calls were refused`] : [];
}

function bars({ row, used, ofCeiling }: Line): string[] {
  if (row.bar === undefined) return [];
  if ('used' in row.bar)
    return used < row.bar.used ? [`${row.name}: ${percent(used)} used, asked ${percent(row.bar.used)}`] : [];
  return ofCeiling < row.bar.ofCeiling
    ? [`${row.name}: ${percent(ofCeiling)} of the ceiling, asked ${percent(row.bar.ofCeiling)}`]
    : [];
}

/** Ahead of a peer: more calls served, and no more refused. */
function peers(line: Line, lines: readonly Line[]): string[] {
  return lines
    .filter((peer) => peer.system !== 'ours' && peer.row.name === line.row.name)
    .filter((peer) => peer.used > line.used || peer.refused < line.refused)
    .map((peer) => `${line.row.name}: not ahead of ${peer.system} (${percent(peer.used)} used)`);
}

/** `shift` alone: the margin grows with the jitter and comes back after it. */
function margin({ row, margins }: Line): string[] {
  if (row.scenario !== 'shift') return [];
  const until = (at: number): number | undefined => margins.filter((reading) => reading.at <= at).at(-1)?.ms;
  const before = until(SHIFT.before);
  const after = margins.at(-1)?.ms;
  if (before === undefined || after === undefined) return [`${row.name}: the pool told no margin`];
  return after > before + MARGIN_BACK_MS
    ? [`${row.name}: the margin was ${ms(before)} before, and ${ms(after)} at the end`]
    : [];
}

function workers(ours: readonly Line[]): string[] {
  const used = ours.filter(({ row }) => row.workers !== undefined).map((line) => line.used);
  const spread = Math.max(...used) - Math.min(...used);
  return used.length > 1 && spread > WORKERS_SPREAD
    ? [`workers: utilisation moves by ${percent(spread)} with their number`]
    : [];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
