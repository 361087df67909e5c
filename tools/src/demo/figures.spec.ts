import { compareFigures, EGO_FACEBOOK, figureTable } from './figures';

const imported = {
  users: 4039,
  friendships: 88234,
  triangles: 1612010,
  averageClustering: 0.605547,
  transitivity: 0.519174,
  closedTriangleFraction: 0.264662,
  components: { count: 1, largest: 4039 },
};

describe('the figures of the demo', () => {
  it('are equal when counts are equal and ratios agree in four digits', () => {
    expect(compareFigures(imported, EGO_FACEBOOK).every((row) => row.equal)).toBe(true);
  });

  it.each([
    ['users', { users: 4038 }],
    ['friendships', { friendships: 88235 }],
    ['triangles', { triangles: 1612011 }],
    ['average clustering', { averageClustering: 0.60544 }],
    ['fraction of closed triangles', { closedTriangleFraction: 0.26476 }],
    ['components', { components: { count: 2, largest: 4039 } }],
    ['largest component', { components: { count: 1, largest: 4038 } }],
  ])('say which one differs: %s', (name, change) => {
    const different = compareFigures({ ...imported, ...change }, EGO_FACEBOOK).filter((row) => !row.equal);
    expect(different.map((row) => row.name)).toEqual([name]);
  });

  it('are shown as a table', () => {
    const table = figureTable(compareFigures({ ...imported, users: 1 }, EGO_FACEBOOK), 'published (SNAP)');
    expect(table).toMatch(/users +1 +4039 +DIFFERENT/);
    expect(table).toMatch(/average clustering +0\.6055 +0\.6055 +equal/);
  });
});
