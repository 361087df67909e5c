import { seededChance } from '@sociograph/testing';
import { aDocument, aList, seen } from '../../test/builders';
import type { ListObservation } from '../domain/observation';
import { assertedBy, isComplete } from '../domain/own-list';
import { Pause } from '../domain/ports';
import { InMemoryChangeLog, InMemoryGraph, InMemoryMeter } from '../infrastructure/in-memory';
import { ApplyObservations, type SeenPerson } from './apply-observations';
import { Confirmations } from './confirmations';

const PEOPLE = 9;
const OBSERVATIONS = 40;
const SEEDS = 25;

class NoPause extends Pause {
  async wait(): Promise<void> {}
}

interface One {
  id: string;
  list?: ListObservation;
  name?: string;
  at: number;
}

function observations(random: () => number): One[] {
  return Array.from({ length: OBSERVATIONS }, (_, i) => {
    const at = i + 1;
    const id = String(1 + Math.floor(random() * PEOPLE));
    const others = Array.from({ length: PEOPLE }, (_none, n) => String(n + 1)).filter(
      (other) => other !== id,
    );
    const dice = random();
    if (dice < 0.15) return { id, name: `Name ${Math.floor(random() * 3)}`, at };
    const kind = dice < 0.75 ? 'complete' : dice < 0.9 ? 'partial' : dice < 0.95 ? 'deleted' : 'nothing';
    const ids = kind === 'complete' || kind === 'partial' ? others.filter(() => random() < 0.4) : [];
    return { id, at, list: aList(at, ids, kind) };
  });
}

/** What DESIGN 5 says in plain words, without any of the service's code. */
function expectedState(all: readonly One[]): Map<string, Set<string>> {
  const asserted = new Map<string, Set<string>>();
  for (let person = 1; person <= PEOPLE; person++) {
    const lists = all
      .filter(({ id, list }) => id === String(person) && list)
      .map(({ list }) => list as ListObservation);
    const full = lists.filter(({ kind }) => kind === 'complete' || kind === 'deleted');
    const newest = full.reduce<ListObservation | undefined>(
      (a, b) => (!a || b.stamp.observedAt > a.stamp.observedAt ? b : a),
      undefined,
    );
    const since = newest?.stamp.observedAt ?? 0;
    const later = lists.filter(({ kind, stamp }) => kind === 'partial' && stamp.observedAt > since);
    asserted.set(String(person), new Set([...(newest?.ids ?? []), ...later.flatMap(({ ids }) => [...ids])]));
  }
  return asserted;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, by: random() }))
    .sort((a, b) => a.by - b.by)
    .map(({ item }) => item);
}

function merged(batch: readonly One[]): SeenPerson[] {
  const ids = [...new Set(batch.map(({ id }) => id))];
  return ids.map((id) => {
    const own = batch.filter((one) => one.id === id);
    return seen(
      id,
      own.flatMap(({ list }) => list ?? []),
      own.flatMap(({ name, at }) => (name === undefined ? [] : [aDocument(at, name)])),
    );
  });
}

async function stateAfter(
  stream: readonly One[],
  random: () => number,
  conflictRate: number,
): Promise<unknown> {
  const graph = new InMemoryGraph(() => random() < conflictRate);
  const log = new InMemoryChangeLog();
  const apply = new ApplyObservations(
    graph,
    log,
    new InMemoryMeter(),
    new Confirmations(),
    { nowMs: () => 1, monotonicMs: () => 0 },
    { next: random },
    new NoPause(),
  );
  for (let at = 0; at < stream.length;) {
    const size = 1 + Math.floor(random() * 20);
    await apply.execute({
      partition: 0,
      people: merged(stream.slice(at, at + size)),
      positions: {},
      heartbeat: async () => {},
    });
    at += size;
  }
  const published = new Map(
    log.batches.flatMap(({ changes }) => changes).map((person) => [person.ref.id, person]),
  );
  const brief = (people: Iterable<Parameters<typeof describePerson>[0]>) =>
    [...people].map(describePerson).sort();
  return {
    people: brief(graph.people.values()),
    published: brief(published.values()),
    edges: [...graph.edges.values()]
      .map(
        ({ key, low, high, deniedAt }) =>
          `${key} ${low ? 'low' : ''} ${high ? 'high' : ''} ${deniedAt ? 'disputed' : ''}`,
      )
      .sort(),
  };
}

function describePerson({ ref, list, document }: import('../domain/person').Person): string {
  return JSON.stringify([
    ref.id,
    [...assertedBy(list).keys()].sort(),
    isComplete(list),
    document?.content ?? null,
  ]);
}

describe('whatever the order, number and grouping of observations', () => {
  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'the stored state is the same (seed %i)',
    async (seed) => {
      const random = seededChance(seed);
      const all = observations(random);
      const clean = await stateAfter(all, random, 0);
      const expected = expectedState(all);
      const edges = new Set(
        [...expected].flatMap(([id, ids]) =>
          [...ids].map((other) => `demo.vk.${[id, other].sort().join('.')}`),
        ),
      );
      expect((clean as { edges: string[] }).edges.map((edge) => edge.split(' ')[0])).toEqual(
        [...edges].sort(),
      );
      for (let variant = 0; variant < 4; variant++) {
        const fivefold = shuffled([...all, ...all, ...all, ...all, ...all], random);
        expect(await stateAfter(fivefold, random, 0)).toEqual(clean);
        expect(await stateAfter(shuffled(all, random), random, 0.15)).toEqual(clean);
      }
      expect((clean as { published: unknown }).published).toEqual((clean as { people: unknown }).people);
    },
  );
});
