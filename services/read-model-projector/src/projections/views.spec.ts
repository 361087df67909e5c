import type { PendingRows } from './views';
import { graphKey } from './graph-view';
import { Views } from './views';
import type { ProfileRow, SummaryRow, VertexChange } from './ports';

const WRITER = 7;
const NOW = 1_795_000_001_000;

describe('Views', () => {
  it('gives whole rows for everybody whose figures or document changed', () => {
    const views = new Views(WRITER);
    expect(views.apply(person('1', ['2', '3']))).toBe(0);
    expect(views.apply(person('2', ['1', '3']))).toBe(1);
    expect(views.apply(person('3', []))).toBe(2);
    const { profiles, summaries } = taken(views);
    expect(profiles.map((row) => [row.id, row.degree, row.triangles, row.localClustering])).toEqual([
      ['1', 2, 1, 1],
      ['2', 2, 1, 1],
      ['3', 2, 1, 1],
    ]);
    expect(profiles[0]).toEqual({
      key: 'demo.vk.1',
      workspaceId: 'demo',
      network: 'vk',
      id: '1',
      state: 'active',
      profile: { firstName: 'Vera', lastName: 'Orlova' },
      observedAt: 1_795_000_000_000,
      degree: 2,
      triangles: 1,
      localClustering: 1,
      lists: {},
      lastPosts: [],
      writer: WRITER,
      writtenAt: NOW,
    });
    expect(summaries).toHaveLength(1);
    expect(summaries[0]).toMatchObject({
      key: 'demo.vk',
      workspaceId: 'demo',
      network: 'vk',
      users: 3,
      friendships: 3,
      averageClustering: 1,
      writer: WRITER,
      writtenAt: NOW,
    });
    expect(views.hasPending).toBe(false);
    expect(views.takePending(NOW)).toBeUndefined();
  });

  it('ignores a version that is not above the newest one seen', () => {
    const views = new Views(WRITER);
    views.apply(person('1', ['2'], { version: 5 }));
    views.apply(person('2', [], { version: 1 }));
    taken(views);
    expect(views.apply(person('1', [], { version: 5 }))).toBe(0);
    expect(views.apply(person('1', [], { version: 4 }))).toBe(0);
    expect(views.hasPending).toBe(false);
    expect(views.apply(person('1', [], { version: 6 }))).toBe(1);
  });

  it('writes a row for a document that changed, none for one that did not', () => {
    const views = new Views(WRITER);
    views.apply(person('1', [], { version: 1 }));
    taken(views);
    views.apply(person('1', [], { version: 2 }));
    expect(taken(views).profiles).toEqual([]);
    const document = {
      ...person('1', []).document!,
      state: 'deleted' as const,
      observedAt: 1_795_000_000_001,
    };
    views.apply({ ...person('1', [], { version: 3 }), document });
    expect(taken(views).profiles).toMatchObject([
      { id: '1', state: 'deleted', observedAt: 1_795_000_000_001 },
    ]);
    views.apply({ ...person('1', [], { version: 4 }), document: { ...document, fence: 2 } });
    expect(taken(views).profiles).toHaveLength(1);
  });

  it('counts people whose document is stored, closed and deleted ones too, and nobody else', () => {
    const views = new Views(WRITER);
    views.apply(person('1', ['2', '3']));
    views.apply({ ...person('2', []), document: { ...person('2', []).document!, state: 'deleted' } });
    const { document: _, ...listOnly } = person('4', ['1']);
    views.apply(listOnly);
    const { profiles, summaries } = taken(views);
    expect(profiles.map(({ id }) => id)).toEqual(['1', '2']);
    expect(summaries[0]).toMatchObject({ users: 2, friendships: 1, components: 1 });
  });

  it('takes an erased person out, by the record key, and lets a new import bring them back', () => {
    const views = new Views(WRITER);
    views.apply(person('1', ['2'], { version: 9 }));
    views.apply(person('2', []));
    taken(views);
    expect(views.erase('demo:vk:user:1')).toBe(1);
    const { profiles, removed, summaries } = taken(views);
    expect(profiles.map(({ id, degree }) => [id, degree])).toEqual([['2', 0]]);
    expect(removed).toEqual(['demo.vk.1']);
    expect(summaries[0]).toMatchObject({ users: 1, friendships: 0 });
    expect(views.apply(person('1', ['2'], { version: 1 }))).toBe(1);
  });

  it.each(['demo:vk:user:404', 'demo:ok:user:1', 'demo:vk:group:1', 'marker:3'])(
    'erases nobody by %s',
    (key) => {
      const views = new Views(WRITER);
      views.apply(person('1', []));
      taken(views);
      expect(views.erase(key)).toBe(0);
      expect(views.hasPending).toBe(false);
    },
  );

  it('keeps workspaces and networks apart', () => {
    const views = new Views(WRITER);
    views.apply(person('1', ['2']));
    views.apply({ ...person('2', []), workspaceId: 'other' });
    views.apply({ ...person('2', []), network: 'ok' });
    const { graphs, summaries } = taken(views);
    expect(graphs).toEqual(['demo.vk', 'other.vk', 'demo.ok']);
    expect(summaries.map(({ users, friendships }) => [users, friendships])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(views.sizes()).toEqual({ people: 3, friendships: 0 });
    expect(graphKey('other', 'vk')).toBe('other.vk');
  });

  it('counts groups nowhere', () => {
    const views = new Views(WRITER);
    expect(views.apply({ ...person('1', ['2']), kind: 'group' })).toBe(0);
    expect(views.sizes()).toEqual({ people: 0, friendships: 0 });
  });

  it('has the same rows pending again after a failed write, in chunks of the size asked for', () => {
    const views = new Views(WRITER);
    for (const id of ['1', '2', '3']) views.apply(person(id, []));
    const pending = views.takePending(NOW)!;
    expect([...pending.profiles(2)].map(({ written }) => written.map(({ id }) => id))).toEqual([
      ['1', '2'],
      ['3'],
    ]);
    pending.restore();
    expect(taken(views).profiles.map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  describe('of several graphs', () => {
    const ofFive = (): Views => {
      const views = new Views(WRITER);
      for (const network of ['a', 'b', 'c', 'd', 'e'])
        for (const id of ['1', '2']) views.apply({ ...person(id, []), network });
      return views;
    };
    const sizes = (batches: Iterable<unknown[]>): number[] => [...batches].map(({ length }) => length);
    const written = (batches: Iterable<{ written: unknown[] }>): number[] =>
      sizes([...batches].map((batch) => batch.written));

    it('give rows together, so that small ones do not cost a request each', () => {
      const pending = ofFive().takePending(NOW)!;
      expect(written(pending.profiles(4))).toEqual([4, 4, 2]);
      expect(written(pending.beside(4))).toEqual([4, 4, 2]);
      expect(sizes(pending.rankings(5))).toEqual([6, 6, 3]);
      expect(sizes(pending.summaries(5))).toEqual([5]);
    });

    it('are rewritten so many people at a time, small ones together and large ones in parts', () => {
      const views = ofFive();
      for (let id = 1; id <= 7; id++) views.apply({ ...person(String(id), []), network: 'large' });
      views.graph('demo', 'empty');
      views.takePending(NOW);
      const steps: [graphs: string[], people: number][] = [];
      for (const _ of views.rewriteAll(4)) {
        const pending = views.takePending(NOW)!;
        steps.push([pending.graphs, written(pending.profiles(100)).reduce((sum, count) => sum + count, 0)]);
      }
      expect(steps).toEqual([
        [['demo.a', 'demo.b'], 4],
        [['demo.c', 'demo.d'], 4],
        [['demo.e', 'demo.large'], 4],
        [['demo.large'], 4],
        [['demo.large', 'demo.empty'], 1],
      ]);
      expect(views.hasPending).toBe(false);
    });
  });
});

function person(id: string, friends: string[], { version = 1 } = {}): VertexChange {
  return {
    workspaceId: 'demo',
    network: 'vk',
    kind: 'user',
    id,
    version,
    changedAt: 1_795_000_000_100,
    document: {
      state: 'active',
      profile: { firstName: 'Vera', lastName: 'Orlova' },
      observedAt: 1_795_000_000_000,
      fence: 1,
    },
    friends: { ids: friends, complete: true, observedAt: 1_795_000_000_000, fence: 1 },
  };
}

function taken(views: Views): {
  graphs: string[];
  profiles: ProfileRow[];
  removed: string[];
  summaries: SummaryRow[];
} {
  const pending: PendingRows = views.takePending(NOW)!;
  const chunks = [...pending.profiles(100)];
  return {
    graphs: pending.graphs,
    profiles: chunks.flatMap(({ written }) => written).sort((a, b) => Number(a.id) - Number(b.id)),
    removed: chunks.flatMap(({ removed }) => removed),
    summaries: [...pending.summaries(2)].flat(),
  };
}
