import { type Drill, passed, report, rowsOf } from './report';

const graph = { triangles: 4, averageClustering: 0.5, transitivity: 0.25 };
const drill: Drill = {
  lists: { atBackup: 10, atLoss: 20, afterRestore: 12 },
  rpoMs: 4_940,
  backupMs: 20_000,
  rtoMs: { answers: 61_000, works: 65_500, completed: 90_000 },
  state: 'completed',
  summary: {
    ...graph,
    users: 9,
    friendships: 12,
    closedTriangleFraction: 0.1,
    components: { count: 1, largest: 9 },
  },
  expected: {
    ...graph,
    users: 9,
    friendships: 12,
    closedTriangleFraction: 0.1,
    wedges: 48,
    components: 1,
    largestComponent: 9,
    degreeDistribution: [],
  },
  certificate: {
    expected: { people: 10, lists: 10 },
    got: { people: 9, lists: 9 },
    gaps: [{ what: 'people', cause: 'withdrawn', count: 1, people: [] }],
  },
  refused: 0,
  dead: 0,
  erased: true,
};

describe('the verdict of a restore drill', () => {
  it('is good when every figure is exact, and the erased person is the only gap', () => {
    expect(passed(drill)).toBe(true);
    expect(rowsOf(drill).map(({ name }) => name)).toEqual([
      ...['import', 'people', 'friendships', 'triangles', 'average clustering', 'transitivity', 'components'],
      ...[
        'largest component',
        'gaps but the erased person',
        'erased after the backup',
        'calls beyond a limit',
      ],
      'dead letters',
    ]);
  });

  it.each<[string, Partial<Drill>]>([
    ['import', { state: 'running' }],
    ['people', { summary: { ...drill.summary, users: 10 } }],
    ['friendships', { summary: { ...drill.summary, friendships: 13 } }],
    ['triangles', { summary: { ...drill.summary, triangles: 3 } }],
    ['average clustering', { summary: { ...drill.summary, averageClustering: 0.500001 } }],
    ['transitivity', { summary: { ...drill.summary, transitivity: 0.249999 } }],
    ['components', { summary: { ...drill.summary, components: { count: 2, largest: 9 } } }],
    ['largest component', { summary: { ...drill.summary, components: { count: 1, largest: 8 } } }],
    [
      'gaps but the erased person',
      {
        certificate: {
          ...drill.certificate,
          gaps: [{ what: 'lists', cause: 'gave-up', count: 1, people: [] }],
        },
      },
    ],
    ['erased after the backup', { erased: false }],
    ['calls beyond a limit', { refused: 1 }],
    ['dead letters', { dead: 1 }],
  ])('is bad by "%s" alone', (name, change) => {
    const bad = { ...drill, ...change };
    expect(rowsOf(bad).flatMap((row) => (row.good ? [] : [row.name]))).toEqual([name]);
    expect(passed(bad)).toBe(false);
    expect(report(bad)).toMatch(/WRONG[^]* {2}NOT PASSED$/);
  });

  it('says how much was lost and how long it took', () => {
    const text = report(drill);
    expect(text).toContain('RPO 4.9 s');
    expect(text).toContain(
      'RTO 61.0 s until the gateway answered, 65.5 s until the import read on, 90.0 s until',
    );
    expect(text).toContain('10 at the backup, 20 at the loss, 12 after the restore');
    expect(text).toMatch(/ {2}PASSED$/);
  });
});
