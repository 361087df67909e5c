import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { summaryOf } from './graph-summary';
import { SocialGraph } from './social-graph';

/** Published by SNAP and recomputed with igraph 0.10.2 and networkx 2.8.8: see infra/vk-simulator/data. */
const FILE = join(__dirname, '../../../../infra/vk-simulator/data/ego-facebook.txt.gz');

describe('ego-Facebook, person by person', () => {
  const lists = friendLists();

  it('has the published figures', () => {
    const graph = imported([...lists]);
    const summary = summaryOf(graph);
    expect(summary).toMatchObject({
      users: 4039,
      friendships: 88234,
      triangles: 1612010,
      wedges: 9314849,
      components: 1,
      largestComponent: 4039,
    });
    expect(summary.averageClustering.toFixed(6)).toBe('0.605547');
    expect(summary.transitivity.toFixed(6)).toBe('0.519174');
    expect(summary.closedTriangleFraction.toFixed(6)).toBe('0.264662');
    expect(summary.degreeDistribution[0]).toEqual([1, 75]);
    expect(summary.degreeDistribution.at(-1)).toEqual([1045, 1]);
    expect(['107', '1684', '1912'].map((id) => figuresOf(graph, id))).toEqual([
      [1045, 26750],
      [792, 14025],
      [755, 30025],
    ]);
  });

  it('has them too when lists come backwards, and nothing once every list is empty', () => {
    const graph = imported([...lists].reverse());
    expect(summaryOf(graph)).toEqual(summaryOf(imported([...lists])));
    for (const id of lists.keys()) graph.setFriends(graph.intern(id), []);
    expect(summaryOf(graph)).toMatchObject({
      friendships: 0,
      triangles: 0,
      wedges: 0,
      components: 4039,
      largestComponent: 1,
    });
    expect(summaryOf(graph).averageClustering).toBe(0);
  });
});

function imported(lists: [string, string[]][]): SocialGraph {
  const graph = new SocialGraph();
  for (const [id, friends] of lists) {
    graph.addPerson(graph.intern(id));
    graph.setFriends(graph.intern(id), friends);
  }
  return graph;
}

function figuresOf(graph: SocialGraph, id: string): [number, number] {
  const person = graph.numberOf(id)!;
  return [graph.counts.degreeOf(person), graph.counts.trianglesOf(person)];
}

function friendLists(): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  const add = (from: string, to: string): unknown => lists.get(from)?.push(to) ?? lists.set(from, [to]);
  for (const line of gunzipSync(readFileSync(FILE)).toString('latin1').trim().split('\n')) {
    const [a, b] = line.split(' ') as [string, string];
    add(a, b);
    add(b, a);
  }
  return lists;
}
