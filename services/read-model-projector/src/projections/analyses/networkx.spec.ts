import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SocialGraph } from '../social-graph';
import { analyse, type Findings } from './analyse';
import type { AnalysisKind } from './analysis';

interface Recorded {
  /** Absent for ego-Facebook: it is read from its file. */
  edges?: string;
  people: number;
  friendships: number;
  /** Core number and how many people have it, core by core. */
  cores: string;
  /** Sum of core number times id: who has which. */
  coreSum: number;
  /** The 25 highest. */
  ranks: Record<string, number>;
  /** Lowest and highest over three seeds. */
  modularity: [number, number];
  communities: [number, number];
}

const FACEBOOK = join(__dirname, '../../../../../infra/vk-simulator/data/ego-facebook.txt.gz');
const RECORDED = JSON.parse(readFileSync(join(__dirname, 'networkx.json'), 'utf8')) as Record<
  string,
  Recorded
>;

const pairsOf = (text: string): [string, string][] =>
  text.split(', ').map((pair) => pair.split(' ') as [string, string]);

function facebook(): [string, string][] {
  const lines = gunzipSync(readFileSync(FACEBOOK)).toString('utf8').split('\n');
  return lines.flatMap((line) => {
    const [a, b] = line.split(' ');
    return a !== undefined && b !== undefined && !a.startsWith('#') ? [[a, b] as [string, string]] : [];
  });
}

function graphOf(edges: readonly [string, string][]): SocialGraph {
  const graph = new SocialGraph();
  const lists = new Map<string, string[]>();
  for (const [a, b] of edges) lists.set(a, [...(lists.get(a) ?? []), b]);
  for (const id of new Set(edges.flat())) graph.addPerson(graph.intern(id));
  for (const [id, friends] of lists) graph.setFriends(graph.numberOf(id)!, friends);
  return graph;
}

function found(graph: SocialGraph, kind: AnalysisKind, seed = 1): Findings {
  const work = analyse(graph.copy(), kind, seed);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/** Recorded by record-networkx.py. */
describe.each(Object.entries(RECORDED))('what networkx 3.6.1 finds in %s', (_name, recorded) => {
  const graph = graphOf(recorded.edges === undefined ? facebook() : pairsOf(recorded.edges));

  it('is found: core numbers', () => {
    const { people, friendships, ids, values, figures } = found(graph, 'k-core');
    expect([people, friendships]).toEqual([recorded.people, recorded.friendships]);
    const counts = new Map<number, number>();
    for (const core of values) counts.set(core, (counts.get(core) ?? 0) + 1);
    expect([...counts].sort(([a], [b]) => a - b)).toEqual(
      pairsOf(recorded.cores).map((pair) => pair.map(Number)),
    );
    expect(ids.reduce((sum, id, at) => sum + Number(id) * values[at]!, 0)).toBe(recorded.coreSum);
    expect(figures['degeneracy']).toBe(Number(pairsOf(recorded.cores).at(-1)?.[0]));
  });

  it('is found: PageRank, to eight places', () => {
    const { ids, values } = found(graph, 'page-rank');
    const ranks = new Map(ids.map((id, at) => [id, values[at]!]));
    for (const [id, rank] of Object.entries(recorded.ranks)) expect(ranks.get(id)).toBeCloseTo(rank, 8);
    expect([...ids.slice(0, 10)].sort()).toEqual(
      Object.keys(recorded.ranks)
        .sort((a, b) => recorded.ranks[b]! - recorded.ranks[a]!)
        .slice(0, 10)
        .sort(),
    );
  });

  // Louvain is greedy and its order is chance: no two programs find the same parts, but parts as good.
  it('is matched: communities as good as those of networkx, whatever the seed', () => {
    for (const seed of [1, 2, 3]) {
      const { figures, sizes } = found(graph, 'communities', seed);
      expect(figures['modularity']).toBeGreaterThan(recorded.modularity[0] - 0.01);
      expect(figures['modularity']).toBeLessThan(recorded.modularity[1] + 0.01);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(recorded.people);
    }
  });
});
