import { buildNormalGraph } from '@sociograph/graph-file';
import type { NormalGraph } from '@sociograph/graph-file';
import { World } from './world';
import type { Visibility } from './world';

const none = { private: 0, hidden: 0, deleted: 0, banned: 0 };

function path(length: number): NormalGraph {
  const ends = Uint32Array.from({ length: 2 * (length - 1) }, (_, at) => (at >> 1) + (at & 1));
  return buildNormalGraph(
    Array.from({ length }, (_, n) => n + 1),
    ends,
    ends.length,
    0,
  );
}

describe('World', () => {
  it('draws the same people for the same seed, close to the share asked for', () => {
    const shares = { ...none, private: 0.2, deleted: 0.1 };
    const world = (seed: number) => new World(path(4000), { seed, shares, named: new Map() }).restricted();
    expect(world(7)).toEqual(world(7));
    expect(world(7)).not.toEqual(world(8));
    expect(world(7).private.length / 4000).toBeCloseTo(0.2, 1);
    expect(world(7).deleted.length / 4000).toBeCloseTo(0.1, 1);
    expect(world(7).banned).toEqual([]);
  });

  it('opens a private profile to itself and to its friends', () => {
    const world = new World(path(3), {
      seed: 1,
      shares: none,
      named: new Map<number, Visibility>([[1, 'private']]),
    });
    const index = world.find(1);
    expect([1, 2, 3, null, 99].map((viewer) => world.maySee(index, viewer))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(world.maySee(world.find(3), null)).toBe(true);
  });

  it('names a seed per component, an open person first, and more where closed lists cut the graph', () => {
    const named = new Map<number, Visibility>([
      [3, 'private'],
      [5, 'deleted'],
      [6, 'hidden'],
      [7, 'banned'],
    ]);
    const world = new World(path(7), { seed: 1, shares: none, named });
    expect(world.seeds()).toEqual([2]);
    // 1 and 2 reach 3; 4 reaches 3 and 5; nobody open names 6 and 7.
    expect(world.reachableSeeds()).toEqual([2, 4, 6, 7]);
  });
});
