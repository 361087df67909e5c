import { buildNormalGraph, graphStatistics } from '@sociograph/graph-file';
import { seeded } from '@sociograph/testing';
import { GraphologyUpkeep } from './graphology-upkeep';

describe('GraphologyUpkeep', () => {
  it('has the figures of a full recount after any adds and removals', () => {
    const [people, random] = [20, seeded(4)];
    const upkeep = new GraphologyUpkeep(people);
    const there = new Map<number, [number, number]>();
    for (let step = 0; step < 150; step += 1) {
      const [a, b] = [random.below(people), random.below(people)];
      if (a === b) continue;
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      upkeep.toggle(a, b);
      if (!there.delete(low * people + high)) there.set(low * people + high, [low, high]);
      const ends = Uint32Array.from([...there.values()].flat());
      const everybody = Array.from({ length: people }, (_, person) => person + 1);
      const counted = graphStatistics(buildNormalGraph(everybody, ends, ends.length, 0));
      const { friendships, triangles, averageClustering, components } = upkeep.figures;
      expect({ friendships, triangles, components }).toEqual({
        friendships: counted.friendships,
        triangles: counted.triangles,
        components: counted.components,
      });
      expect(averageClustering).toBeCloseTo(counted.averageClustering, 10);
    }
  });
});
