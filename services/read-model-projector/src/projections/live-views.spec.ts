import type { Positions } from '@sociograph/contracts';
import { encodePositions } from '@sociograph/contracts';
import { Clock } from '@sociograph/kernel';
import {
  InMemoryApplied,
  InMemoryLogEnds,
  InMemoryViewCache,
  InMemoryViewStore,
  InMemoryWriterLock,
} from '../infrastructure/in-memory';
import { FreshAnswers, MAX_WAIT_MS } from './fresh-answers';
import { LiveViews } from './live-views';
import type { ChangeRecord, VertexChange } from './ports';
import { Projector } from './projector';
import { ReadViews } from './read-views';

const CHANGES = 'sociograph.graph.changes.v1';
const LISTS = 'sociograph.social.friend-lists.v1';
const stamp = { observedAt: 5, fence: 1 };

class SetClock extends Clock {
  now = 1_795_000_000_000;

  nowMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return 0;
  }
}

describe('LiveViews', () => {
  const setUp = () => {
    const store = new InMemoryViewStore();
    const cache = new InMemoryViewCache();
    const applied = new InMemoryApplied();
    const lock = new InMemoryWriterLock({ fence: 0, holder: undefined });
    const clock = new SetClock();
    const projector = new Projector({ store, cache, applied, lock, clock }, 1);
    const live = new LiveViews();
    const ends = new InMemoryLogEnds({ [LISTS]: { '3': 30 } });
    const read = new ReadViews(store, new FreshAnswers(cache, applied, ends, live));
    return { store, cache, applied, clock, projector, live, read };
  };
  const token = (offset: number): string => encodePositions({ [LISTS]: { '3': offset } });

  it('shows a change when its record was taken in, with the positions and the moment of that, no row needed', async () => {
    const { projector, live, read, store, clock } = setUp();
    live.open(projector);
    projector.take(person(0, '1', ['2']));
    clock.now += 7;
    projector.take({ ...person(1, '2', []), source: { [LISTS]: { '3': 17 } } });
    clock.now += 1_000;
    const { row, freshness } = await read.profile('demo', 'vk', '1');
    expect(row).toMatchObject({ row: { id: '1', degree: 1, observedAt: 5 }, groups: [], lastPosts: [] });
    expect(freshness).toEqual({
      appliedUpTo: encodePositions({ [CHANGES]: { '3': 2 }, [LISTS]: { '3': 17 } }),
      at: 1_795_000_000_007,
    });
    const summary = await read.summary('demo', 'vk');
    expect(summary.row).toMatchObject({ users: 2, friendships: 1, components: 1 });
    expect(summary.freshness).toEqual(freshness);
    projector.take({ partition: 4, offset: 8 });
    expect(live.reached()).toEqual({
      positions: { [CHANGES]: { '3': 2, '4': 9 }, [LISTS]: { '3': 17 } },
      at: 1_795_000_001_007,
    });
    expect(store.requests).toEqual([]);
  });

  it('names the groups and the posts of a person as they are in memory', () => {
    const { projector, live } = setUp();
    live.open(projector);
    const ids = Array.from({ length: 51 }, (_, n) => String(100 + n));
    const own = { complete: true, ...stamp };
    projector.take(
      person(0, '1', [], {
        groups: { ids, ...own },
        pages: { ids: ['100', '200', '300'], ...own },
        follows: { ids: ['9'], ...own },
      }),
    );
    projector.take(group(1, '100'));
    projector.take(group(2, '150'));
    projector.take(group(3, '200'));
    projector.take(post(4, '1_5', 10));
    projector.take(post(5, '1_6', 20));
    const profile = live.profile('demo', 'vk', '1');
    // 150 is the fifty-first group, of 300 nothing is known.
    expect(profile?.groups.map(({ id }) => id)).toEqual(['100', '200']);
    expect(profile?.lastPosts.map(({ id }) => id)).toEqual(['1_6', '1_5']);
    expect(profile?.row.lists.groups).toMatchObject({ total: 51 });
    expect(profile?.groups[0]).toMatchObject({ key: 'demo.vk.100', profile: { name: 'Group 100' } });
  });

  it('knows nobody who is no person, who was erased, or of another graph', async () => {
    const { projector, live, read } = setUp();
    live.open(projector);
    projector.take(person(0, '1', ['2']));
    expect(live.profile('demo', 'vk', '2')).toBeUndefined();
    expect(live.profile('demo', 'ok', '1')).toBeUndefined();
    expect(live.profile('other', 'vk', '1')).toBeUndefined();
    expect(live.summary('demo', 'ok')).toBeUndefined();
    projector.take({ partition: 3, offset: 1, erased: 'demo:vk:user:1' });
    await expect(read.profile('demo', 'vk', '1')).rejects.toMatchObject({ code: 'VIEWS.PERSON_UNKNOWN' });
    await expect(read.summary('demo', 'ok')).rejects.toMatchObject({ code: 'VIEWS.GRAPH_UNKNOWN' });
  });

  it('leaves readers to the rows while this instance does not write', async () => {
    const { projector, live, read, applied } = setUp();
    projector.take({ ...person(0, '1', []), source: { [LISTS]: { '3': 17 } } });
    expect([live.reached(), live.profile('demo', 'vk', '1'), live.summary('demo', 'vk')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await live.waitFor({}, MAX_WAIT_MS)).toBe('closed');
    await expect(read.profile('demo', 'vk', '1')).rejects.toMatchObject({ kind: 'not-found' });
    const waitFor = jest.spyOn(applied, 'waitFor').mockResolvedValue(false);
    await expect(read.profile('demo', 'vk', '1', token(17))).rejects.toMatchObject({
      code: 'VIEWS.POSITION_NOT_REACHED',
    });
    expect(waitFor).toHaveBeenCalledTimes(1);
  });

  it('answers at a position that the memory has, before any row has it', async () => {
    const { projector, live, read, applied } = setUp();
    live.open(projector);
    projector.take({ ...person(0, '1', []), source: { [LISTS]: { '3': 17 } } });
    const waitFor = jest.spyOn(applied, 'waitFor');
    expect((await read.profile('demo', 'vk', '1', token(17))).row.row.id).toBe('1');
    expect(waitFor).not.toHaveBeenCalled();
  });

  it('lets a reader wait until the record is taken in that brings the position', async () => {
    const { projector, live, read } = setUp();
    live.open(projector);
    projector.take(person(0, '1', []));
    let degree: number | undefined;
    const waiting = read.profile('demo', 'vk', '1', token(18)).then(({ row }) => (degree = row.row.degree));
    const next = async (record: ChangeRecord): Promise<void> => {
      projector.take(record);
      live.advanced();
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    };
    await next({ ...person(1, '2', ['1']), source: { [LISTS]: { '3': 17 } } });
    expect(degree).toBeUndefined();
    await next({ ...person(2, '3', ['1']), source: { [LISTS]: { '3': 18 } } });
    expect(degree).toBe(2);
    await waiting;
  });

  it('gives up after five seconds, and refuses a position beyond the end of the log', async () => {
    const { projector, live, read } = setUp();
    live.open(projector);
    projector.take(person(0, '1', []));
    expect(await live.waitFor({ [LISTS]: { '3': 30 } }, 1)).toBe('late');
    const waitFor = jest.spyOn(live, 'waitFor').mockResolvedValue('late');
    await expect(read.profile('demo', 'vk', '1', token(30))).rejects.toMatchObject({
      code: 'VIEWS.POSITION_NOT_REACHED',
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
    expect(waitFor.mock.calls).toEqual([[{ [LISTS]: { '3': 30 } }, 5_000]]);
    await expect(read.profile('demo', 'vk', '1', token(31))).rejects.toMatchObject({
      code: 'VIEWS.POSITION_BEYOND_END',
    });
    expect(waitFor).toHaveBeenCalledTimes(1);
  });

  it('sends those who wait to the rows when the instance ceases to write', async () => {
    const { projector, live, read, store, applied } = setUp();
    live.open(projector);
    const waiting = read.profile('demo', 'vk', '1', token(20));
    await new Promise((resolve) => setImmediate(resolve));
    live.close();
    store.profiles.set('demo.vk.1', { id: '1', degree: 4, lists: {}, lastPosts: [] } as never);
    await new Promise((resolve) => setImmediate(resolve));
    await applied.announce([
      { view: 'user_profile_read', partition: 3, appliedUpTo: { [LISTS]: { '3': 20 } }, at: 9, fence: 2 },
    ]);
    expect((await waiting).row.row.degree).toBe(4);
  });
});

function person(
  offset: number,
  id: string,
  friends: string[],
  lists: Partial<VertexChange> = {},
): ChangeRecord & { source?: Positions } {
  const profile = { firstName: 'Vera', lastName: 'Orlova' };
  return {
    partition: 3,
    offset,
    change: {
      ...{ workspaceId: 'demo', network: 'vk', kind: 'user', id, version: offset + 1, changedAt: 1 },
      document: { state: 'active', profile, ...stamp },
      friends: { ids: friends, complete: true, ...stamp },
      ...lists,
    } as VertexChange,
  };
}

function group(offset: number, id: string): ChangeRecord {
  const change = { workspaceId: 'demo', network: 'vk', kind: 'group', id, version: 1, changedAt: 1 };
  const document = { state: 'active', profile: { name: `Group ${id}` }, ...stamp };
  return { partition: 3, offset, change: { ...change, group: document } as VertexChange };
}

function post(offset: number, id: string, publishedAt: number): ChangeRecord {
  const change = { workspaceId: 'demo', network: 'vk', kind: 'post', id, version: 1, changedAt: 1 };
  const content = { ownerKind: 'user', ownerId: '1', publishedAt, text: 'snow' };
  return { partition: 3, offset, change: { ...change, post: { content, ...stamp } } as VertexChange };
}
