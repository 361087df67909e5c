import type { SummaryView } from '@sociograph/api-client';

/** Figures that the demo compares: from SNAP's page for ego-Facebook, else counted anew from the edge list. */
export interface ExpectedFigures {
  source: string;
  users: number;
  friendships: number;
  triangles: number;
  averageClustering: number;
  closedTriangleFraction: number;
  components: number;
  largestComponent: number;
}

/** SNAP's page of ego-Facebook; the ratios are published with four digits. */
export const EGO_FACEBOOK: ExpectedFigures = {
  source: 'published (SNAP)',
  users: 4039,
  friendships: 88234,
  triangles: 1612010,
  averageClustering: 0.6055,
  closedTriangleFraction: 0.2647,
  components: 1,
  largestComponent: 4039,
};

export interface ComparedFigure {
  name: string;
  imported: string;
  expected: string;
  equal: boolean;
}

/** One row a figure; counts must be equal, ratios equal in the four digits that SNAP prints. */
export function compareFigures(summary: SummaryView, expected: ExpectedFigures): ComparedFigure[] {
  const rows: [string, number, number, boolean][] = [
    ['users', summary.users, expected.users, false],
    ['friendships', summary.friendships, expected.friendships, false],
    ['triangles', summary.triangles, expected.triangles, false],
    ['average clustering', summary.averageClustering, expected.averageClustering, true],
    ['fraction of closed triangles', summary.closedTriangleFraction, expected.closedTriangleFraction, true],
    ['components', summary.components.count, expected.components, false],
    ['largest component', summary.components.largest, expected.largestComponent, false],
  ];
  return rows.map(([name, imported, wanted, isRatio]) => {
    const print = (value: number): string => (isRatio ? value.toFixed(4) : String(value));
    return {
      name,
      imported: print(imported),
      expected: print(wanted),
      equal: print(imported) === print(wanted),
    };
  });
}

/** A table for the terminal. */
export function figureTable(rows: ComparedFigure[], source: string): string {
  const widths = [28, 14, 18];
  const line = (cells: string[]): string =>
    '  ' +
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i] ?? 0))).join('');
  return [
    line(['', 'imported', source, '']),
    ...rows.map((row) =>
      line([row.name, row.imported, row.expected, row.equal ? '   equal' : '   DIFFERENT']),
    ),
  ].join('\n');
}
