import type { Friendship, SideAssertion } from '../src/domain/friendship';
import { pastOf } from '../src/domain/past-friendship';
import type { Person } from '../src/domain/person';
import type { GraphQueries, GraphStore, Versioned } from '../src/domain/ports';
import { aDocument, aList, IMPORT, ref, stamp } from './builders';

export interface Graph {
  store: GraphStore;
  queries: GraphQueries;
  /** A workspace that no other spec uses. */
  workspace: string;
}

/** What every adapter of the graph must do; the real one runs it against a server that shuffles what is unordered. */
export function graphStoreContract(make: () => Promise<Graph>): void {
  let graph: Graph;
  beforeEach(async () => {
    graph = await make();
  });

  const key = (id: string): string => `${graph.workspace}.vk.${id}`;
  const edgeKey = (low: string, high: string): string => `${graph.workspace}.vk.${low}.${high}`;
  const side = (at: number): SideAssertion => ({ ...stamp(at), ...IMPORT });

  function edge(low: string, high: string, sides: Partial<Friendship>): Friendship {
    return { key: edgeKey(low, high), lowId: low, highId: high, since: 1, ...sides };
  }

  function person(id: string, version = 1, ids: string[] = ['2', '3']): Person {
    const list = aList(5, ids);
    return {
      ref: ref(id, graph.workspace),
      version,
      changedAt: 77,
      document: aDocument(4, 'Vera'),
      list: {
        base: { kind: 'complete', ids: list.ids, stamp: list.stamp, source: list.source },
        added: new Map([['9', { stamp: stamp(6), source: IMPORT }]]),
      },
    };
  }

  /** Repeats what the server in test mode refuses by chance. */
  async function create(...edges: Friendship[]): Promise<void> {
    for (let pending = edges; pending.length > 0;) {
      const { conflicts } = await graph.store.writeFriendships({ create: pending, replace: [], remove: [] });
      pending = pending.filter((one) => conflicts.includes(one.key));
    }
  }

  async function save(...people: Person[]): Promise<void> {
    for (let pending = people; pending.length > 0;) {
      const outcome = await graph.store.writePeople(pending.map((one) => ({ person: one, rev: undefined })));
      pending = pending.filter((one) => outcome.conflicts.includes(key(one.ref.id)));
    }
  }

  async function stored(low: string, high: string): Promise<Versioned<Friendship> | undefined> {
    return (await graph.store.friendships([edgeKey(low, high)])).get(edgeKey(low, high));
  }

  it('gives back a person as it was written', async () => {
    await save(person('1'));
    const { people } = await graph.store.read([key('1'), key('2')]);
    expect([...people.keys()]).toEqual([key('1')]);
    const { rev, ...rest } = people.get(key('1')) as Versioned<Person>;
    expect(rest).toEqual(person('1'));
    expect(rev).toEqual(expect.any(String));
    expect(await graph.queries.person(ref('1', graph.workspace))).toMatchObject({ version: 1 });
    expect(await graph.queries.person(ref('2', graph.workspace))).toBeUndefined();
  });

  it('writes a person only under the revision that was read', async () => {
    await save(person('1'));
    const before = (await graph.store.read([key('1')])).people.get(key('1')) as Versioned<Person>;
    const write = (version: number, rev: string | undefined) =>
      graph.store.writePeople([{ person: person('1', version), rev }]);
    let outcome = await write(2, before.rev);
    for (let tries = 0; outcome.written === 0 && tries < 20; tries++) outcome = await write(2, before.rev);
    expect(outcome).toEqual({ written: 1, conflicts: [] });
    expect(await write(3, before.rev)).toEqual({ written: 0, conflicts: [key('1')] });
    expect(await write(3, undefined)).toEqual({ written: 0, conflicts: [key('1')] });
    expect((await graph.queries.person(ref('1', graph.workspace)))?.version).toBe(2);
  });

  it('gives back a friendship as it was written', async () => {
    await create(edge('1', '2', { low: side(3), deniedAt: stamp(4) }));
    const found = await stored('1', '2');
    expect(found).toMatchObject(edge('1', '2', { low: side(3), deniedAt: stamp(4) }));
    expect(found?.high).toBeUndefined();
  });

  it('reports each friendship that another writer changed, and writes the others', async () => {
    await create(edge('1', '2', { low: side(1) }), edge('1', '3', { low: side(1) }));
    const [a, b] = [await stored('1', '2'), await stored('1', '3')];
    const replace = [
      { ...(a as Versioned<Friendship>), high: side(2), rev: 'old' },
      { ...(b as Versioned<Friendship>), high: side(2) },
    ];
    const create2 = edge('1', '2', { low: side(9) });
    let outcome = await graph.store.writeFriendships({
      create: [create2],
      replace,
      remove: [{ key: edgeKey('7', '8'), rev: 'r' }],
    });
    for (let tries = 0; outcome.written === 0 && tries < 20; tries++) {
      outcome = await graph.store.writeFriendships({
        create: [create2],
        replace,
        remove: [{ key: edgeKey('7', '8'), rev: 'r' }],
      });
    }
    expect(outcome.written).toBe(1);
    expect(outcome.conflicts.sort()).toEqual([edgeKey('1', '2'), edgeKey('1', '2'), edgeKey('7', '8')]);
    expect((await stored('1', '2'))?.high).toBeUndefined();
    expect((await stored('1', '3'))?.high).toEqual(side(2));
  });

  it('keeps the lineage of a side that is written back without it', async () => {
    await create(edge('1', '2', { low: side(1) }));
    const { unanswered } = await graph.store.read([key('2')]);
    const brief = unanswered.get(edgeKey('1', '2')) as Versioned<Friendship>;
    expect(brief).toMatchObject({ lowId: '1', highId: '2', low: stamp(1), since: 1 });
    let outcome = { written: 0 };
    for (let tries = 0; outcome.written === 0 && tries < 20; tries++) {
      outcome = await graph.store.writeFriendships({
        create: [],
        replace: [{ ...brief, high: side(2) }],
        remove: [],
      });
    }
    expect(await stored('1', '2')).toMatchObject({ low: side(1), high: side(2) });
  });

  it('forgets a side and a dispute that are over', async () => {
    await create(edge('1', '2', { low: side(1), deniedAt: stamp(2) }));
    const before = (await stored('1', '2')) as Versioned<Friendship>;
    const next = { ...before, low: undefined, high: side(3), deniedAt: undefined };
    for (let written = 0, tries = 0; written === 0 && tries < 20; tries++) {
      ({ written } = await graph.store.writeFriendships({ create: [], replace: [next], remove: [] }));
    }
    const after = await stored('1', '2');
    expect([after?.low, after?.high, after?.deniedAt]).toEqual([undefined, side(3), undefined]);
    expect([...(await graph.store.read([key('1')])).unanswered.keys()]).toEqual([edgeKey('1', '2')]);
    expect((await graph.store.read([key('2')])).unanswered.size).toBe(0);
  });

  it('removes a friendship under its revision', async () => {
    await create(edge('1', '2', { low: side(1) }));
    const { rev } = (await stored('1', '2')) as Versioned<Friendship>;
    const remove = (wanted: string) =>
      graph.store.writeFriendships({
        create: [],
        replace: [],
        remove: [{ key: edgeKey('1', '2'), rev: wanted }],
      });
    expect((await remove('other')).conflicts).toEqual([edgeKey('1', '2')]);
    for (let written = 0, tries = 0; written === 0 && tries < 20; tries++) ({ written } = await remove(rev));
    expect(await stored('1', '2')).toBeUndefined();
  });

  it('finds what a dispute is weighed by', async () => {
    const partial: Person = {
      ...person('4'),
      list: { base: undefined, added: new Map([['1', { stamp: stamp(6), source: IMPORT }]]) },
    };
    await save(person('2'), partial);
    await create(
      edge('1', '2', { low: side(1) }),
      edge('1', '3', { high: side(1), deniedAt: stamp(2) }),
      edge('1', '5', { low: side(1), high: side(1) }),
    );
    const evidence = await graph.store.disputeEvidence(
      [key('1'), key('2'), key('3')],
      [key('2'), key('4'), key('7')],
    );
    expect(evidence.unanswered.map((one) => one.key).sort()).toEqual([edgeKey('1', '2'), edgeKey('1', '3')]);
    expect(evidence.disputed.map((one) => one.key)).toEqual([edgeKey('1', '3')]);
    expect(evidence.completeLists).toEqual(new Map([[key('2'), stamp(5)]]));
  });

  it('pages through the friendships of one person in a stable order', async () => {
    const others = Array.from({ length: 23 }, (_, i) => String(i + 1)).filter((id) => id !== '10');
    await create(
      ...others.map((id) => {
        const [low, high] = Number(id) < 10 ? [id, '10'] : ['10', id];
        return edge(low as string, high as string, { low: side(1), high: side(1) });
      }),
      edge('1', '2', { low: side(1) }),
    );
    const found: string[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = await graph.queries.friendshipsOf(ref('10', graph.workspace), { limit: 5, after });
      expect(page.items.length).toBeLessThanOrEqual(5);
      found.push(...page.items.map((one) => one.key));
      after = page.next;
      pages += 1;
    } while (after !== undefined);
    expect(pages).toBe(5);
    expect(found).toEqual([...found].sort());
    expect(new Set(found).size).toBe(22);
    const whole = await graph.queries.friendshipsOf(ref('10', graph.workspace), {
      limit: 22,
      after: undefined,
    });
    expect([whole.items.length, whole.next]).toEqual([22, undefined]);
    expect(
      (await graph.queries.friendshipsOf(ref('99', graph.workspace), { limit: 5, after: undefined })).items,
    ).toEqual([]);
  });

  /** Writes and ends friendships as the use case does: what ends is removed with its past. */
  async function lasted(low: string, high: string, since: number, until: number): Promise<void> {
    await create(edge(low, high, { low: side(since), since }));
    await end(low, high, until);
  }

  async function end(low: string, high: string, until: number): Promise<void> {
    for (let written = 0, tries = 0; written === 0 && tries < 20; tries++) {
      const { rev, ...now } = (await stored(low, high)) as Versioned<Friendship>;
      const past = pastOf(now, [{ ...now, side: 'low', assertion: undefined, ended: side(until) }]);
      ({ written } = await graph.store.writeFriendships({
        create: [],
        replace: [],
        remove: [{ key: now.key, rev, past }],
      }));
    }
  }

  async function friendsAt(at: number | undefined): Promise<string[]> {
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = await graph.queries.friendshipsOf(ref('5', graph.workspace), { limit: 2, after, at });
      expect(page.items.length).toBeLessThanOrEqual(2);
      found.push(...page.items.map((one) => (one.lowId === '5' ? one.highId : one.lowId)));
      after = page.next;
    } while (after !== undefined);
    return found;
  }

  async function changes(from: number, to: number, limit = 2): Promise<string[]> {
    const found: string[] = [];
    let after: string | undefined;
    do {
      const span = { from, to, limit, after };
      const { items, next } = await graph.queries.changedFriendships(ref('5', graph.workspace), span);
      expect(items.length).toBeLessThanOrEqual(limit);
      found.push(...items.map(({ lowId, highId, change }) => `${change} ${lowId === '5' ? highId : lowId}`));
      after = next;
    } while (after !== undefined);
    return found.sort();
  }

  it('shows the friendships as of a moment, each once, also those that are over', async () => {
    await lasted('1', '5', 10, 20);
    await lasted('1', '5', 30, 40);
    await create(edge('1', '5', { low: side(50), since: 50 }), edge('5', '8', { low: side(15), since: 15 }));
    await lasted('5', '9', 15, 35);
    expect(await friendsAt(undefined)).toEqual(['1', '8']);
    expect(await friendsAt(9)).toEqual([]);
    expect(await friendsAt(10)).toEqual(['1']);
    expect(await friendsAt(15)).toEqual(['1', '8', '9']);
    expect(await friendsAt(20)).toEqual(['8', '9']);
    expect(await friendsAt(34)).toEqual(['1', '8', '9']);
    expect(await friendsAt(35)).toEqual(['1', '8']);
    expect(await friendsAt(50)).toEqual(['1', '8']);
    const page = { limit: 5, after: undefined, at: 35 };
    const [first] = (await graph.queries.friendshipsOf(ref('5', graph.workspace), page)).items;
    expect(first).toEqual({
      ...edge('1', '5', { low: side(30), since: 30 }),
      high: undefined,
      until: 40,
      endedBy: side(40),
    });
  });

  it('compares two moments', async () => {
    await lasted('1', '5', 10, 20);
    await lasted('1', '5', 30, 40);
    await create(edge('1', '5', { low: side(50), since: 50 }), edge('5', '8', { low: side(15), since: 15 }));
    await lasted('5', '9', 15, 35);
    expect(await changes(1, 9)).toEqual([]);
    expect(await changes(9, 10)).toEqual(['added 1']);
    expect(await changes(9, 15, 1)).toEqual(['added 1', 'added 8', 'added 9']);
    expect(await changes(15, 20)).toEqual(['removed 1']);
    expect(await changes(15, 30)).toEqual([]);
    expect(await changes(19, 60)).toEqual(['removed 9']);
    expect(await changes(20, 60)).toEqual(['added 1', 'removed 9']);
  });

  it('tells an ending once however often it is written', async () => {
    await lasted('1', '5', 10, 20);
    await lasted('1', '5', 10, 25);
    expect(await friendsAt(24)).toEqual(['1']);
    expect(await friendsAt(25)).toEqual([]);
  });

  it('tells no ending of a friendship that another writer saved meanwhile, nor once it is over in truth', async () => {
    await create(edge('1', '5', { low: side(10), since: 10 }));
    const { rev, ...before } = (await stored('1', '5')) as Versioned<Friendship>;
    for (let written = 0, tries = 0; written === 0 && tries < 20; tries++) {
      const now = (await stored('1', '5')) as Versioned<Friendship>;
      const replace = [{ ...now, high: side(5), since: 5 }];
      ({ written } = await graph.store.writeFriendships({ create: [], replace, remove: [] }));
    }
    const past = pastOf(before, [{ ...before, side: 'low', assertion: undefined, ended: side(20) }]);
    const remove = [{ key: before.key, rev, past }];
    const lost = await graph.store.writeFriendships({ create: [], replace: [], remove });
    expect(lost).toEqual({ written: 0, conflicts: [before.key] });
    const page = { limit: 5, after: undefined, at: 15 };
    const [lasting] = (await graph.queries.friendshipsOf(ref('5', graph.workspace), page)).items;
    expect(lasting).toMatchObject({ since: 5, low: side(10), high: side(5) });
    expect(lasting).not.toHaveProperty('until');
    expect(await changes(15, 25)).toEqual([]);
    await end('1', '5', 40);
    const [over] = (await graph.queries.friendshipsOf(ref('5', graph.workspace), page)).items;
    expect(over).toMatchObject({ since: 5, until: 40 });
  });

  it('lets one of twenty writers win', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        graph.store.writeFriendships({
          create: [edge('1', '2', { low: side(i + 1) })],
          replace: [],
          remove: [],
        }),
      ),
    );
    expect(outcomes.reduce((sum, { written }) => sum + written, 0)).toBe(1);
    expect((await stored('1', '2'))?.low).toBeDefined();
  });
}
