import { comparePersonIds } from '@sociograph/contracts';
import { seededChance } from '@sociograph/testing';
import { localClustering } from './graph-summary';
import { MOST_RANKED, RANKED_BY, type RankedBy, Rankings } from './rankings';
import { SocialGraph } from './social-graph';

/** By other means: everybody sorted. */
function sorted(graph: SocialGraph, by: RankedBy, most: number): string[] {
  const valueOf = (person: number): number => {
    const [degree, triangles] = [graph.counts.degreeOf(person), graph.counts.trianglesOf(person)];
    return by === 'degree' ? degree : by === 'triangles' ? triangles : localClustering(degree, triangles);
  };
  return Array.from({ length: graph.size }, (_, person) => person)
    .filter((person) => graph.isPerson(person) && valueOf(person) > 0)
    .sort(
      (a, b) =>
        valueOf(b) - valueOf(a) ||
        (by === 'clustering' ? graph.counts.degreeOf(b) - graph.counts.degreeOf(a) : 0) ||
        comparePersonIds(graph.nameOf(a), graph.nameOf(b)),
    )
    .slice(0, most)
    .map((person) => graph.nameOf(person));
}

function graphOf(lists: Record<string, string[]>): SocialGraph {
  const graph = new SocialGraph();
  for (const id of Object.keys(lists)) graph.addPerson(graph.intern(id));
  for (const [id, friends] of Object.entries(lists)) graph.setFriends(graph.intern(id), friends);
  return graph;
}

describe('Rankings', () => {
  it('order people by the figure, ties by the shorter id and then the lower one, and leave out 0', () => {
    const graph = graphOf({ '10': ['9', '2'], '9': ['2'], '2': [], '3': ['2'], '4': [] });
    const rankings = new Rankings(graph);
    expect(rankings.refresh([])).toEqual(['degree', 'triangles', 'clustering']);
    expect(rankings.top('degree')).toEqual([
      ['2', 3, 1],
      ['9', 2, 1],
      ['10', 2, 1],
      ['3', 1, 0],
    ]);
    expect(rankings.top('triangles').map(([id]) => id)).toEqual(['2', '9', '10']);
    expect(rankings.top('clustering').map(([id]) => id)).toEqual(['9', '10', '2']);
  });

  it('put the higher degree first among equal clusterings', () => {
    const graph = graphOf({
      '1': ['2', '3'],
      '2': ['3'],
      '3': [],
      '5': ['6', '7', '8'],
      '6': ['7', '8'],
      '7': ['8'],
      '8': [],
    });
    const rankings = new Rankings(graph, 5);
    rankings.refresh([]);
    expect(rankings.top('clustering').map(([id]) => id)).toEqual(['5', '6', '7', '8', '1']);
  });

  it('are counted again only when somebody in them changes or somebody comes in', () => {
    const graph = graphOf({ '1': ['2', '3', '4'], '2': ['3'], '3': [], '4': [], '5': ['6'], '6': [] });
    const rankings = new Rankings(graph, 2);
    rankings.refresh(graph.takeTouched());
    expect(rankings.refresh([graph.numberOf('5')!])).toEqual([]);
    graph.setFriends(graph.numberOf('5')!, ['6', '4']);
    expect(rankings.refresh(graph.takeTouched())).toEqual([]);
    expect(rankings.top('degree').map(([id]) => id)).toEqual(['1', '2']);
    graph.setFriends(graph.numberOf('5')!, ['6', '4', '3', '2']);
    expect(rankings.refresh(graph.takeTouched())).toContain('degree');
    expect(rankings.top('degree').map(([id]) => id)).toEqual(['5', '1']);
    rankings.forget();
    expect(rankings.refresh([])).toEqual(RANKED_BY);
  });

  it('have a thousand people', () =>
    expect([MOST_RANKED, new Rankings(new SocialGraph()).top('degree')]).toEqual([1000, []]));

  it.each([1, 2, 3, 4])('are as sorting everybody would have them after any changes, seed %i', (seed) => {
    const random = seededChance(seed);
    const graph = new SocialGraph();
    const rankings = new Rankings(graph, 12);
    const pick = (): string => String(Math.floor(random() * 60));
    for (let step = 0; step < 400; step++) {
      const person = graph.intern(pick());
      if (random() < 0.1) graph.removePerson(person);
      else graph.addPerson(person);
      graph.setFriends(person, Array.from({ length: Math.floor(random() * 8) }, pick));
      if (step % 3 !== 0) continue;
      rankings.refresh(graph.takeTouched());
      for (const by of RANKED_BY)
        expect([by, rankings.top(by).map(([id]) => id)]).toEqual([by, sorted(graph, by, 12)]);
    }
  });
});
