import type { CertificateView, SummaryView } from '@sociograph/api-client';
import type { GraphStatistics } from '@sociograph/graph-file';

export interface Drill {
  readonly lists: { readonly atBackup: number; readonly atLoss: number; readonly afterRestore: number };
  /** Between the moment up to which the backup has everything, and the loss. */
  readonly rpoMs: number;
  readonly backupMs: number;
  /** From the loss: until the gateway answers, the first list that is read anew, the end of the import. */
  readonly rtoMs: { readonly answers: number; readonly works: number; readonly completed: number };
  readonly state: string;
  readonly summary: SummaryView;
  readonly expected: GraphStatistics;
  readonly certificate: Pick<CertificateView, 'expected' | 'got' | 'gaps'>;
  readonly refused: number;
  readonly dead: number;
  /** True when the person who was erased after the backup is not there. */
  readonly erased: boolean;
}

export interface Row {
  readonly name: string;
  readonly is: string;
  readonly wanted: string;
  readonly good: boolean;
}

/** Counts must be equal, ratios in six digits. */
export function figuresOf({ summary, expected }: Pick<Drill, 'summary' | 'expected'>): Row[] {
  const row = (name: string, is: number, wanted: number, digits = 0): Row => ({
    name,
    is: is.toFixed(digits),
    wanted: wanted.toFixed(digits),
    good: is.toFixed(digits) === wanted.toFixed(digits),
  });
  return [
    row('people', summary.users, expected.users),
    row('friendships', summary.friendships, expected.friendships),
    row('triangles', summary.triangles, expected.triangles),
    row('average clustering', summary.averageClustering, expected.averageClustering, 6),
    row('transitivity', summary.transitivity, expected.transitivity, 6),
    row('components', summary.components.count, expected.components),
    row('largest component', summary.components.largest, expected.largestComponent),
  ];
}

export function rowsOf(drill: Drill): Row[] {
  const { state, certificate, refused, dead, erased } = drill;
  const withdrawn = certificate.gaps.filter(({ cause }) => cause !== 'withdrawn');
  return [
    { name: 'import', is: state, wanted: 'completed', good: state === 'completed' },
    ...figuresOf(drill),
    {
      name: 'gaps but the erased person',
      is: String(withdrawn.length),
      wanted: '0',
      good: withdrawn.length === 0,
    },
    { name: 'erased after the backup', is: erased ? 'gone' : 'there', wanted: 'gone', good: erased },
    { name: 'calls beyond a limit', is: String(refused), wanted: '0', good: refused === 0 },
    { name: 'dead letters', is: String(dead), wanted: '0', good: dead === 0 },
  ];
}

export function passed(drill: Drill): boolean {
  return rowsOf(drill).every(({ good }) => good);
}

/** For the terminal. */
export function report(drill: Drill): string {
  const { lists, rpoMs, backupMs, rtoMs } = drill;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return [
    ...rowsOf(drill).map(
      ({ name, is, wanted, good }) =>
        `  ${name.padEnd(28)}${is.padStart(14)}${wanted.padStart(14)}   ${good ? 'ok' : 'WRONG'}`,
    ),
    '',
    `  lists read: ${lists.atBackup} at the backup, ${lists.atLoss} at the loss, ${lists.afterRestore} after the restore`,
    `  backup taken in ${seconds(backupMs)}`,
    `  RPO ${seconds(rpoMs)}: what happened in so long before the loss was done again`,
    `  RTO ${seconds(rtoMs.answers)} until the gateway answered, ${seconds(rtoMs.works)} until the import read on, ` +
      `${seconds(rtoMs.completed)} until it was complete`,
    passed(drill) ? '  PASSED' : '  NOT PASSED',
  ].join('\n');
}
