import { seededChance } from '@sociograph/testing';
import { SocialGraph } from '../social-graph';
import { analyse, type Findings } from './analyse';
import type { AnalysisKind } from './analysis';
import { modularityOf } from './louvain';
import { wholeGraph } from './whole-graph';

/** People from edges, in the order in which they are named; `alone` has nobody. */
function graphOf(edges: readonly (readonly [string, string])[], alone: readonly string[] = []): SocialGraph {
  const graph = new SocialGraph();
  for (const id of [...alone, ...edges.flat()]) graph.addPerson(graph.intern(id));
  const lists = new Map<string, string[]>();
  for (const [a, b] of edges) lists.set(a, [...(lists.get(a) ?? []), b]);
  for (const [id, friends] of lists) graph.setFriends(graph.numberOf(id)!, friends);
  return graph;
}

function found(graph: SocialGraph, kind: AnalysisKind, seed = 1): Findings {
  const work = analyse(graph.copy(), kind, seed);
  let last = 0;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    expect(step.value).toBeGreaterThanOrEqual(0);
    expect(step.value).toBeLessThan(1);
    last = step.value;
    expect(last).toBe(step.value);
  }
}

function valuesOf({ ids, values }: Findings): Record<string, number> {
  return Object.fromEntries(ids.map((id, at) => [id, values[at]!]));
}

/** Two cliques of four, one link between them, a tail of one, and somebody alone. */
const CLIQUES = [
  ['1', '2'], ['1', '3'], ['1', '4'], ['2', '3'], ['2', '4'], ['3', '4'],
  ['5', '6'], ['5', '7'], ['5', '8'], ['6', '7'], ['6', '8'], ['7', '8'],
  ['4', '5'], ['8', '9'],
] as const; // prettier-ignore

const random = (seed: number, people: number, edges: number): [string, string][] => {
  const chance = seededChance(seed);
  const pick = (): string => String(Math.floor(chance() * people));
  return Array.from({ length: edges }, () => [pick(), pick()] as [string, string]).filter(
    ([a, b]) => a !== b,
  );
};

describe('an analysis', () => {
  it('looks at people in the order of their ids, and at friendships that count, once each', () => {
    const graph = graphOf([
      ['10', '2'],
      ['2', '10'],
      ['2', '3'],
      ['10', 'x'],
    ]);
    graph.removePerson(graph.numberOf('x')!);
    expect(wholeGraph(graph.copy())).toEqual({
      ids: ['2', '3', '10'],
      starts: Uint32Array.from([0, 2, 3, 4]),
      friends: Uint32Array.from([1, 2, 0, 0]),
    });
    expect(found(graph, 'k-core')).toMatchObject({ people: 3, friendships: 2 });
  });

  it('is not disturbed by what happens after the copy was made', () => {
    const graph = graphOf([['1', '2']]);
    const copy = graph.copy();
    graph.setFriends(graph.numberOf('1')!, []);
    graph.addPerson(graph.intern('3'));
    expect(wholeGraph(copy)).toMatchObject({ ids: ['1', '2'], friends: Uint32Array.from([1, 0]) });
  });

  it.each(['communities', 'k-core', 'page-rank'] as const)(
    'of nobody, or of people alone, ends: %s',
    (kind) => {
      expect(found(new SocialGraph(), kind)).toMatchObject({ people: 0, friendships: 0, ids: [] });
      expect(found(graphOf([], ['1', '2']), kind)).toMatchObject({ people: 2, ids: ['1', '2'] });
    },
  );
});

describe('core numbers', () => {
  it('are those of two cliques with a tail', () => {
    const cores = found(graphOf(CLIQUES, ['0']), 'k-core');
    expect(valuesOf(cores)).toEqual({ 0: 0, 1: 3, 2: 3, 3: 3, 4: 3, 5: 3, 6: 3, 7: 3, 8: 3, 9: 1 });
    expect(cores.ids).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '0']);
    expect([cores.figures, cores.sizes.length]).toEqual([{ degeneracy: 3 }, 0]);
  });

  it.each([1, 2, 3])('are what peeling finds, seed %i', (seed) => {
    const graph = graphOf(random(seed, 60, 240));
    const { ids, starts, friends } = wholeGraph(graph.copy());
    const left = new Map(
      ids.map((id, at) => [
        id,
        new Set([...friends.subarray(starts[at], starts[at + 1])].map((n) => ids[n]!)),
      ]),
    );
    const peeled: Record<string, number> = {};
    for (let core = 0; left.size > 0; core++) {
      for (let again = true; again;) {
        again = false;
        for (const [id, near] of left) {
          if (near.size > core) continue;
          peeled[id] = core;
          left.delete(id);
          for (const friend of near) left.get(friend)?.delete(id);
          again = true;
        }
      }
    }
    expect(valuesOf(found(graph, 'k-core'))).toEqual(peeled);
  });
});

describe('PageRank', () => {
  it('is that of a star: worked out by hand', () => {
    const ranks = found(
      graphOf([
        ['c', '1'],
        ['c', '2'],
        ['c', '3'],
      ]),
      'page-rank',
    );
    // c = 0.0375 + 0.85 * 3 l and l = 0.0375 + 0.85 c / 3.
    const centre = (0.0375 + 0.85 * 3 * 0.0375) / (1 - 0.85 * 0.85);
    expect(ranks.ids).toEqual(['c', '1', '2', '3']);
    expect(ranks.values[0]).toBeCloseTo(centre, 9);
    expect(ranks.values[1]).toBeCloseTo(0.0375 + (0.85 * centre) / 3, 9);
    expect(ranks.figures['rounds']).toBeGreaterThan(100);
    expect(ranks.figures['rounds']).toBeLessThan(200);
  });

  it('gives the share of those alone to everybody, and sums to 1', () => {
    const ranks = valuesOf(found(graphOf([['1', '2']], ['3']), 'page-rank'));
    // a = 0.05 + 0.85 (x/3 + a), x = 0.05 + 0.85 x/3.
    const alone = 0.05 / (1 - 0.85 / 3);
    expect(ranks['3']).toBeCloseTo(alone, 9);
    expect(ranks['1']).toBeCloseTo((1 - alone) / 2, 9);
    expect(ranks['1']! + ranks['2']! + ranks['3']!).toBeCloseTo(1, 12);
  });
});

describe('communities', () => {
  it('are the two cliques and who is alone, largest first, members by id', () => {
    const { ids, values, sizes, figures } = found(graphOf(CLIQUES, ['0']), 'communities');
    expect(ids).toEqual(['5', '6', '7', '8', '9', '1', '2', '3', '4', '0']);
    expect([...values]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 3]);
    expect([...sizes]).toEqual([5, 4, 1]);
    // Inside 7 and 6 of 14; degrees 15 and 13 of 28.
    expect(figures['modularity']).toBeCloseTo(13 / 14 - (15 / 28) ** 2 - (13 / 28) ** 2, 12);
    expect(figures).toMatchObject({ communities: 3, levels: expect.any(Number) });
  });

  it('are the same for the same graph and seed, in whatever order it was named', () => {
    const edges = random(5, 200, 900);
    const turned = [...edges].reverse().map(([a, b]): [string, string] => [b, a]);
    for (const seed of [1, 2])
      expect(found(graphOf(turned), 'communities', seed)).toEqual(found(graphOf(edges), 'communities', seed));
    const [one, other] = [found(graphOf(edges), 'communities', 1), found(graphOf(edges), 'communities', 2)];
    expect(other).not.toEqual(one);
  });

  it('find circles that were planted, and nobody would be better off in another one', () => {
    const chance = seededChance(7);
    const edges: [string, string][] = [];
    for (let a = 0; a < 200; a++)
      for (let b = 0; b < a; b++)
        if (chance() < (Math.floor(a / 20) === Math.floor(b / 20) ? 0.5 : 0.01))
          edges.push([String(a), String(b)]);
    const graph = graphOf(edges);
    const { ids, values, figures, sizes } = found(graph, 'communities');
    expect([...sizes]).toEqual(Array.from({ length: 10 }, () => 20));
    const whole = wholeGraph(graph.copy());
    const numbers = new Map(ids.map((id, at) => [id, values[at]! - 1]));
    const communityOf = Uint32Array.from(whole.ids, (id) => numbers.get(id)!);
    expect(figures['modularity']).toBeCloseTo(modularityOf(whole, communityOf, 10), 12);
    for (const moved of [0, 50, 199])
      for (let to = 0; to < 10; to++) {
        const other = communityOf.slice();
        other[moved] = to;
        expect(modularityOf(whole, other, 10)).toBeLessThanOrEqual(figures['modularity']! + 1e-12);
      }
  });
});
