import { join } from 'node:path';
import { graphStatistics, triangleCounts } from './graph-statistics';
import { buildNormalGraph } from './normal-graph';
import { readGraphFile } from './read-graph-file';

describe('graphStatistics', () => {
  it('gives the published figures of ego-Facebook', async () => {
    const graph = await readGraphFile(
      join(__dirname, '../../../infra/vk-simulator/data/ego-facebook.txt.gz'),
    );
    const statistics = graphStatistics(graph);
    expect(graph.shift).toBe(1);
    expect(statistics).toMatchObject({
      users: 4039,
      friendships: 88234,
      triangles: 1612010,
      wedges: 9314849,
      components: 1,
      largestComponent: 4039,
    });
    expect(statistics.averageClustering).toBeCloseTo(0.605547, 6);
    expect(statistics.transitivity).toBeCloseTo(0.519174, 6);
    expect(statistics.closedTriangleFraction).toBeCloseTo(0.264662, 6);
    expect(statistics.degreeDistribution[0]).toEqual([1, 75]);
    expect(statistics.degreeDistribution.at(-1)).toEqual([1045, 1]);
    const triangles = triangleCounts(graph);
    for (const [id, degree, expected] of [
      [107, 1045, 26750],
      [1684, 792, 14025],
      [1912, 755, 30025],
    ] as const) {
      const index = graph.indexOf(id + graph.shift);
      expect([graph.degree(index), triangles[index]]).toEqual([degree, expected]);
    }
  });

  it('agrees with counting every triple in small random graphs', () => {
    let state = 7;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return Math.floor((state / 0x80000000) * below);
    };
    for (let round = 0; round < 30; round += 1) {
      const people = Array.from({ length: 12 }, (_, n) => n * 3 + 1);
      const ends = Uint32Array.from({ length: 80 }, () => next(12));
      const graph = buildNormalGraph(people, ends, ends.length, 0);
      const friends = (a: number, b: number): boolean => graph.row(a).includes(b);
      let triangles = 0;
      for (let a = 0; a < 12; a += 1)
        for (let b = a + 1; b < 12; b += 1)
          for (let c = b + 1; c < 12; c += 1)
            if (friends(a, b) && friends(b, c) && friends(a, c)) triangles += 1;
      expect(graphStatistics(graph).triangles).toBe(triangles);
    }
  });

  it('gives zeros where nothing can be closed', () => {
    const graph = buildNormalGraph([5, 2], Uint32Array.from([0, 1, 0, 0]), 4, 0);
    expect(graphStatistics(graph)).toEqual({
      users: 2,
      friendships: 1,
      triangles: 0,
      wedges: 0,
      averageClustering: 0,
      transitivity: 0,
      closedTriangleFraction: 0,
      components: 1,
      largestComponent: 2,
      degreeDistribution: [[1, 2]],
    });
  });
});
