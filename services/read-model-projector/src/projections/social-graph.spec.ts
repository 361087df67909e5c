import { seededChance } from '@sociograph/testing';
import type { Assertion } from './recount';
import { recount } from './recount';
import { SocialGraph } from './social-graph';
import { localClustering, summaryOf } from './graph-summary';

describe('SocialGraph', () => {
  it('counts a friendship once, however many sides assert it', () => {
    const graph = graphOf({ a: ['b'], b: ['a'] });
    expect(summaryOf(graph)).toEqual({
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

  it('keeps a friendship until the last side that asserts it takes it back', () => {
    const graph = graphOf({ a: ['b'], b: ['a'] });
    expect(setFriends(graph, 'a', [])).toBe(0);
    expect(graph.counts.friendships).toBe(1);
    expect(setFriends(graph, 'b', [])).toBe(1);
    expect(graph.counts.friendships).toBe(0);
    expect(graph.components.count).toBe(2);
  });

  it('counts a friend who is no person yet only from when their document is stored', () => {
    const graph = graphOf({ a: ['x', 'b'], b: ['x'] });
    expect([graph.counts.people, graph.counts.friendships, graph.counts.triangles]).toEqual([2, 1, 0]);
    expect(graph.addPerson(graph.intern('x'))).toBe(2);
    expect([graph.counts.people, graph.counts.friendships, graph.counts.triangles]).toEqual([3, 3, 1]);
  });

  it('uses a list that arrives before its person', () => {
    const graph = new SocialGraph();
    expect(setFriends(graph, 'a', ['b'])).toBe(0);
    expect(graph.addPerson(graph.intern('a'))).toBe(0);
    expect(graph.addPerson(graph.intern('b'))).toBe(1);
  });

  it('takes a person away with all friendships and lets them come back by what others still assert', () => {
    const graph = graphOf({ a: ['b', 'c'], b: ['c'], c: [] });
    expect(graph.removePerson(graph.intern('b'))).toBe(2);
    expect(summaryOf(graph)).toMatchObject({ users: 2, friendships: 1, triangles: 0, components: 1 });
    expect(graph.removePerson(graph.intern('b'))).toBe(0);
    expect(graph.addPerson(graph.intern('b'))).toBe(2);
    expect(summaryOf(graph)).toMatchObject({ users: 3, friendships: 3, triangles: 1, wedges: 3 });
  });

  it('ignores repeats and the person themselves in a list', () => {
    const graph = graphOf({ a: ['b', 'a', 'b'], b: [] });
    expect(graph.counts.friendships).toBe(1);
    expect(setFriends(graph, 'a', ['b'])).toBe(0);
  });

  it('gives the figures of a triangle with a tail', () => {
    const graph = graphOf({ a: ['b', 'c'], b: ['c'], c: ['d'], d: [], e: [] });
    expect(summaryOf(graph)).toEqual({
      users: 5,
      friendships: 4,
      triangles: 1,
      wedges: 5,
      averageClustering: (1 + 1 + 1 / 3) / 5,
      transitivity: 3 / 5,
      closedTriangleFraction: 1 / 3,
      components: 2,
      largestComponent: 4,
      degreeDistribution: [
        [0, 1],
        [1, 1],
        [2, 2],
        [3, 1],
      ],
    });
    const c = graph.intern('c');
    expect(localClustering(graph.counts.degreeOf(c), graph.counts.trianglesOf(c))).toBe(1 / 3);
  });

  it('splits a component when its bridge goes and joins it when it comes back', () => {
    const graph = graphOf({ a: ['b'], b: ['c'], c: ['d'], d: ['e'], e: [] });
    expect([graph.components.count, graph.components.largest]).toEqual([1, 5]);
    setFriends(graph, 'b', []);
    expect([graph.components.count, graph.components.largest]).toEqual([2, 3]);
    setFriends(graph, 'b', ['c']);
    expect([graph.components.count, graph.components.largest]).toEqual([1, 5]);
  });

  it('keeps a component whole when a ring opens', () => {
    const graph = graphOf({ a: ['b'], b: ['c'], c: ['d'], d: ['a'] });
    setFriends(graph, 'b', []);
    expect([graph.components.count, graph.components.largest]).toEqual([1, 4]);
  });

  it('names exactly the people whose figures changed', () => {
    const graph = graphOf({ a: ['b', 'c'], b: [], c: [], d: ['a'], e: [] });
    graph.takeTouched();
    setFriends(graph, 'b', ['c']);
    expect(namesOf(graph, graph.takeTouched())).toEqual(['a', 'b', 'c']);
    setFriends(graph, 'b', ['c']);
    setFriends(graph, 'c', ['b']);
    expect(graph.takeTouched()).toEqual([]);
  });

  it('looks a short list up in a very long one with the same result as by scanning', () => {
    const crowd = Array.from({ length: 400 }, (_, i) => `p${i}`);
    const graph = graphOf({ hub: crowd, ...Object.fromEntries(crowd.map((id) => [id, []])) });
    setFriends(graph, 'p3', ['p5']);
    setFriends(graph, 'p399', ['p3', 'p5']);
    expect(graph.counts.triangles).toBe(4);
    graph.addPerson(graph.intern('other'));
    setFriends(graph, 'other', ['p3', 'p5', 'hub']);
    expect(summaryOf(graph)).toEqual(recount(graph.assertions()).summary);
    setFriends(graph, 'other', ['hub']);
    setFriends(graph, 'other', []);
    expect(summaryOf(graph)).toEqual(recount(graph.assertions()).summary);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('equals a full recount all along a random run (seed %i)', (seed) => {
    const random = seededChance(seed);
    const pick = (count: number): number => Math.floor(random() * count);
    const size = 6 + seed * 8;
    const graph = new SocialGraph();
    const model = new Map<string, Assertion>();
    for (let step = 1; step <= 1500; step++) {
      const id = String(pick(size));
      const vertex = model.get(id) ?? { id, person: false, friends: [] };
      const action = random();
      if (action < 0.2) {
        graph.addPerson(graph.intern(id));
        model.set(id, { ...vertex, person: true });
      } else if (action < 0.25) {
        setFriends(graph, id, []);
        graph.removePerson(graph.intern(id));
        model.delete(id);
      } else {
        const sparse = random() < 0.7;
        const friends = Array.from({ length: pick(sparse ? 4 : size) }, () => String(pick(size)));
        setFriends(graph, id, friends);
        if (random() < 0.3) setFriends(graph, id, [...friends].reverse());
        model.set(id, { ...vertex, friends });
      }
      if (step % 25 !== 0) continue;
      const expected = recount(model.values());
      expect(summaryOf(graph)).toEqual(expected.summary);
      for (const [person, figures] of expected.people) {
        const number = graph.numberOf(person)!;
        expect([graph.counts.degreeOf(number), graph.counts.trianglesOf(number)]).toEqual([
          figures.degree,
          figures.triangles,
        ]);
      }
    }
  });

  it('comes to the same figures whatever the order of the vertices', () => {
    const random = seededChance(99);
    const people = Array.from({ length: 60 }, (_, i) => String(i));
    const lists = people.map((id): [string, string[]] => [id, people.filter(() => random() < 0.1)]);
    const expected = summaryOf(graphOf(Object.fromEntries(lists)));
    for (let round = 0; round < 5; round++) {
      const shuffled = [...lists, ...lists].sort(() => random() - 0.5);
      const graph = new SocialGraph();
      for (const [id, friends] of shuffled) {
        if (random() < 0.5) setFriends(graph, id, friends.slice(0, 3));
        graph.addPerson(graph.intern(id));
      }
      for (const [id, friends] of shuffled) setFriends(graph, id, friends);
      expect(summaryOf(graph)).toEqual(expected);
    }
  });
});

function setFriends(graph: SocialGraph, id: string, friends: string[]): number {
  return graph.setFriends(graph.intern(id), friends);
}

function graphOf(lists: Record<string, string[]>): SocialGraph {
  const graph = new SocialGraph();
  for (const id of Object.keys(lists)) graph.addPerson(graph.intern(id));
  for (const [id, friends] of Object.entries(lists)) setFriends(graph, id, friends);
  return graph;
}

function namesOf(graph: SocialGraph, people: number[]): string[] {
  return people.map((person) => graph.nameOf(person)).sort();
}
