import type { Access } from './document';
import { type FuzzRecord, statusesOf, type Verdict } from './verdict';

export const ROLES = [
  'viewer',
  'analyst',
  'operator',
  'admin',
  'platform-operator',
  'none',
  'nobody',
] as const;
const HEADINGS = ['viewer', 'analyst', 'operator', 'admin', 'platform', 'no role', 'no token'];
const MOST_FAULTS = 60;

/** Operation by role: requests and, where any succeeded, how many did; then the statuses and the verdict. */
export function report(record: FuzzRecord, access: Access, verdict: Verdict): string {
  const rows = Object.keys(access).map((operation) => [
    operation,
    ...ROLES.map((role) => cell(record.operations[operation]?.[role] ?? {})),
    line(statusesOf(record, operation)),
  ]);
  const heading = ['operation (requests/succeeded)', ...HEADINGS, 'statuses'];
  const widths = heading.map((text, at) => Math.max(text.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const table = [heading, ...rows].map((row) =>
    row
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const total: Record<string, number> = {};
  for (const operation of Object.keys(access))
    for (const [status, count] of Object.entries(statusesOf(record, operation)))
      total[status] = (total[status] ?? 0) + count;
  const { requests, tooMany, passed, faults } = verdict;
  return [
    ...table,
    '',
    `${requests} requests to ${rows.length} operations, ${(tooMany * 100).toFixed(1)} % of them 429; ${line(total)}`,
    ...faults.slice(0, MOST_FAULTS).map((fault) => `  ${fault}`),
    ...(faults.length > MOST_FAULTS ? [`  and ${faults.length - MOST_FAULTS} more`] : []),
    passed ? 'PASSED' : `NOT PASSED: ${faults.length} faults`,
  ].join('\n');
}

function cell(statuses: Record<string, number>): string {
  const requests = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  const good = Object.entries(statuses).reduce(
    (sum, [status, count]) => sum + (/^2/.test(status) ? count : 0),
    0,
  );
  if (requests === 0) return '-';
  return good === 0 ? String(requests) : `${requests}/${good}`;
}

function line(statuses: Record<string, number>): string {
  return Object.entries(statuses)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, count]) => `${status}: ${count}`)
    .join(', ');
}
