import {
  actionAudited,
  decodePositions,
  encodePositions,
  importChanged,
  inputMarked,
  keyUsed,
  type MessageDefinition,
  TOPICS,
  vertexChanged,
} from '@sociograph/contracts';
import { fakeClock, seeded } from '@sociograph/testing';
import {
  EventFeed,
  type FeedEvent,
  EventFeedLog,
  type FeedOptions,
  type FeedQuery,
  type FeedRecord,
  type Offsets,
} from './event-feed';
import { tooManyStreams } from './event-feed-errors';
import { visibleVertex } from './visible-vertex';

const GRAPH = TOPICS.graphChanges.name;
const IMPORTS = TOPICS.imports.name;

/** Logs in memory, in the order in which they were written. */
class MemoryLog extends EventFeedLog {
  readonly records: FeedRecord[] = [];
  lows: Offsets = {};
  followers: { topic: string; take: (record: FeedRecord) => Promise<void>; stopped: boolean }[] = [];

  add(topic: string, message: MessageDefinition | undefined, value: unknown, partition = 0): void {
    const offset = this.records.filter((one) => one.topic === topic && one.partition === partition).length;
    const rest = { id: `${topic}-${partition}-${offset}`, source: 'spec', timestampMs: 1_795_000_000_000 };
    this.records.push({ topic, partition, offset, message, value, ...rest });
  }

  async bounds(topic: string): Promise<{ partition: number; low: number; high: number }[]> {
    return [0, 1].map((partition) => ({
      partition,
      low: this.lows[`${topic}/${partition}`] ?? 0,
      high: this.records.filter((one) => one.topic === topic && one.partition === partition).length,
    }));
  }

  async read(
    topic: string,
    from: Offsets,
    to: Offsets,
    take: (record: FeedRecord) => boolean,
  ): Promise<void> {
    for (const record of this.records) {
      const { partition, offset } = record;
      const wanted = offset >= (from[String(partition)] ?? 0) && offset < (to[String(partition)] ?? 0);
      if (record.topic === topic && wanted && !take(record)) return;
    }
  }

  follow(
    topic: string,
    _from: Offsets,
    take: (record: FeedRecord) => Promise<void>,
  ): { stop(): Promise<void> } {
    const follower = { topic, take, stopped: false };
    this.followers.push(follower);
    return { stop: async () => void (follower.stopped = true) };
  }
}

const vertex = (id: string, workspaceId = 'a') => ({ ...vertexChanged.example, id, workspaceId });
const imported = (importId: string, workspaceId = 'a') => ({
  ...importChanged.example,
  importId,
  workspaceId,
});

function stand(erased: readonly string[] = [], takePlace?: FeedOptions['takePlace']) {
  const log = new MemoryLog();
  const clock = fakeClock();
  let ready = true;
  const feed = new EventFeed({
    log,
    clock,
    ready: () => ready,
    erased: { isSuppressed: (_workspace, _network, id) => erased.includes(id) },
    ...(takePlace !== undefined && { takePlace }),
  });
  const ask = (changes: Partial<FeedQuery> = {}): FeedQuery => ({
    workspaceId: 'a',
    roles: ['admin'],
    types: undefined,
    cursor: undefined,
    from: 'start',
    ...changes,
  });
  return { log, clock, feed, ask, makeReady: (value: boolean) => (ready = value) };
}

describe('EventFeed', () => {
  it('gives the events of the workspace as CloudEvents, topic by topic', async () => {
    const { log, feed, ask } = stand();
    log.add(IMPORTS, importChanged, imported('i-1'));
    log.add(GRAPH, vertexChanged, vertex('1'), 1);
    const { events, endOfLog, next } = await feed.page(ask(), 10);
    expect(events).toHaveLength(2);
    expect(events[0]).toEqual({
      specversion: '1.0',
      id: `${GRAPH}-1-0`,
      source: 'spec',
      type: 'sociograph.graph.vertex-changed.v1',
      time: new Date(1_795_000_000_000).toISOString(),
      datacontenttype: 'application/json',
      data: vertex('1'),
      cursor: expect.any(String) as string,
    });
    expect(events[1]?.data).toEqual(imported('i-1'));
    expect(endOfLog).toBe(true);
    expect(decodePositions(next)?.[GRAPH]).toEqual({ '0': 0, '1': 1 });
  });

  it('never gives an event of another workspace, whatever the page size, and each own one exactly once', async () => {
    const chance = seeded(7);
    const { log, feed, ask } = stand();
    const own: string[] = [];
    for (let n = 0; n < 300; n += 1) {
      const workspaceId = chance.pick(['a', 'b', 'ab']);
      const partition = chance.below(2);
      if (chance.below(2) === 0) log.add(GRAPH, vertexChanged, vertex(String(n), workspaceId), partition);
      else log.add(IMPORTS, importChanged, imported(String(n), workspaceId), partition);
      if (workspaceId === 'a') own.push(String(n));
      if (chance.below(10) === 0) log.add(GRAPH, inputMarked, { partition: 0 }, partition);
      if (chance.below(10) === 0) log.add(GRAPH, vertexChanged, null, partition);
    }
    for (const limit of [1, 7, 1_000]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let end = false; !end;) {
        const page = await feed.page(ask({ cursor }), limit);
        expect(page.events.length).toBeLessThanOrEqual(limit);
        for (const { data } of page.events) {
          const { workspaceId, id, importId } = data as Record<string, string>;
          expect(workspaceId).toBe('a');
          seen.push(id !== undefined && importId === undefined ? id : String(importId));
        }
        [cursor, end] = [page.next, page.endOfLog];
      }
      expect(seen.sort()).toEqual([...own].sort());
    }
  });

  it('goes on after any event by its own cursor', async () => {
    const { log, feed, ask } = stand();
    for (const n of [1, 2, 3]) log.add(GRAPH, vertexChanged, vertex(String(n)));
    const { events } = await feed.page(ask(), 10);
    const rest = await feed.page(ask({ cursor: events[0]?.cursor }), 10);
    expect(rest.events.map(({ data }) => (data as { id: string }).id)).toEqual(['2', '3']);
  });

  it('begins at the end when told to, and says so with an empty page', async () => {
    const { log, feed, ask } = stand();
    log.add(GRAPH, vertexChanged, vertex('1'));
    const page = await feed.page(ask({ from: 'now' }), 10);
    expect([page.events, page.endOfLog]).toEqual([[], true]);
    log.add(GRAPH, vertexChanged, vertex('2'));
    const more = await feed.page(ask({ cursor: page.next }), 10);
    expect(more.events.map(({ data }) => (data as { id: string }).id)).toEqual(['2']);
  });

  it.each([
    ['viewer', ['sociograph.graph.vertex-changed.v1']],
    ['analyst', ['sociograph.graph.vertex-changed.v1', 'sociograph.imports.import-changed.v1']],
    [
      'operator',
      [
        'sociograph.graph.vertex-changed.v1',
        'sociograph.imports.import-changed.v1',
        'sociograph.keys.key-used.v1',
      ],
    ],
    [
      'admin',
      [
        'sociograph.graph.vertex-changed.v1',
        'sociograph.imports.import-changed.v1',
        'sociograph.keys.key-used.v1',
        'sociograph.audit.action-audited.v1',
      ],
    ],
  ])('shows a %s what the role covers', async (role, types) => {
    const { log, feed, ask } = stand();
    log.add(GRAPH, vertexChanged, vertex('1'));
    log.add(IMPORTS, importChanged, imported('i'));
    log.add(TOPICS.keys.name, keyUsed, { ...keyUsed.example, workspaceId: 'a' });
    log.add(TOPICS.audit.name, actionAudited, { ...actionAudited.example, workspaceId: 'a' });
    const { events } = await feed.page(ask({ roles: [role] }), 10);
    expect(events.map(({ type }) => type)).toEqual(types);
  });

  it('gives only the types that were asked for, and refuses one that the roles do not cover', async () => {
    const { log, feed, ask } = stand();
    log.add(GRAPH, vertexChanged, vertex('1'));
    log.add(IMPORTS, importChanged, imported('i'));
    const types = ['sociograph.imports.import-changed'];
    const { events } = await feed.page(ask({ types }), 10);
    expect(events.map(({ type }) => type)).toEqual(['sociograph.imports.import-changed.v1']);
    await expect(feed.page(ask({ types, roles: ['viewer'] }), 10)).rejects.toMatchObject({
      code: 'EVENTS.TYPE_FORBIDDEN',
      kind: 'forbidden',
    });
  });

  it('refuses cursors that are none, of other logs, too old or beyond the end', async () => {
    const { log, feed, ask } = stand();
    log.add(GRAPH, vertexChanged, vertex('1'));
    log.lows[`${GRAPH}/0`] = 1;
    const page = (positions: Record<string, Offsets>) =>
      feed.page(ask({ cursor: encodePositions(positions) }), 10);
    await expect(feed.page(ask({ cursor: 'nonsense' }), 10)).rejects.toMatchObject({
      kind: 'invalid-input',
      fields: [{ field: 'cursor' }],
    });
    await expect(page({ 'sociograph.views.v1': { '0': 0 } })).rejects.toMatchObject({
      kind: 'invalid-input',
    });
    await expect(page({ [GRAPH]: { '2': 0 } })).rejects.toMatchObject({ kind: 'invalid-input' });
    await expect(page({ [GRAPH]: { '0': 0 } })).rejects.toMatchObject({ code: 'EVENTS.CURSOR_TOO_OLD' });
    await expect(page({ [GRAPH]: { '0': 2 } })).rejects.toMatchObject({ code: 'EVENTS.CURSOR_BEYOND_END' });
    expect((await page({ [GRAPH]: { '0': 1 } })).events).toEqual([]);
  });

  it('ends a page that takes too long, with the place that it reached', async () => {
    const { log, clock, feed, ask } = stand();
    for (const id of ['1', '2', '3', '4']) log.add(GRAPH, vertexChanged, vertex(id, 'b'));
    const read = log.read.bind(log);
    log.read = (topic, from, to, take) =>
      read(topic, from, to, (record) => (clock.advance(2_500), take(record)));
    const page = await feed.page(ask(), 10);
    expect([page.events, page.endOfLog]).toEqual([[], false]);
    expect(decodePositions(page.next)?.[GRAPH]?.['0']).toBe(3);
  });

  it('gives the reading of each topic its time, however long it takes to begin', async () => {
    const { log, feed, ask, clock } = stand();
    for (const id of ['1', '2']) log.add(GRAPH, vertexChanged, vertex(id));
    for (const id of ['i-1', 'i-2']) log.add(IMPORTS, importChanged, imported(id));
    const read = log.read.bind(log);
    log.read = (topic, from, to, take) => {
      clock.advance(60_000);
      return read(topic, from, to, (record) => (clock.advance(4_999), take(record)));
    };
    const page = await feed.page(ask(), 10);
    expect([page.events.length, page.endOfLog]).toEqual([4, true]);
  });

  it('lets four readers of a workspace in at once, and gives a place back when one leaves', async () => {
    const { feed, ask, log } = stand();
    const listener = { next: async () => undefined, end: () => undefined };
    const leave = await feed.follow(ask({ from: 'now' }), listener);
    for (let n = 0; n < 3; n += 1) await feed.follow(ask({ from: 'now' }), listener);
    await expect(feed.follow(ask(), listener)).rejects.toMatchObject({
      code: 'EVENTS.TOO_MANY_READERS',
      kind: 'too-many',
    });
    await feed.follow(ask({ workspaceId: 'b' }), listener);
    leave();
    leave();
    expect(log.followers.filter(({ stopped }) => stopped)).toHaveLength(4);
    await feed.page(ask(), 1);
    await feed.follow(ask(), listener);
    await expect(feed.page(ask(), 1)).rejects.toMatchObject({ code: 'EVENTS.TOO_MANY_READERS' });
  });

  it('takes one of the places of the workspace for each reader, and gives it back when that leaves or fails', async () => {
    const places = { open: 0, most: 2, asked: [] as string[] };
    const { feed, ask } = stand([], async (workspaceId) => {
      places.asked.push(workspaceId);
      if (places.open >= places.most) throw tooManyStreams(places.most);
      places.open += 1;
      return () => void (places.open -= 1);
    });
    const listener = () => ({ next: async () => undefined, end: () => undefined });
    const leave = await feed.follow(ask({ from: 'now' }), listener());
    await feed.page(ask(), 1);
    expect([places.open, places.asked]).toEqual([1, ['a', 'a']]);
    await expect(feed.page(ask({ cursor: 'none' }), 1)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
    expect(places.open).toBe(1);
    await feed.follow(ask({ from: 'now' }), listener());
    const full = {
      ...{ code: 'EVENTS.QUOTA_STREAMS', kind: 'too-many', retryAfterSeconds: 15 },
      facts: { quota: 'streams', most: 2 },
    };
    // Of the four of this process none is lost to those who were refused.
    for (let n = 0; n < 5; n += 1) await expect(feed.page(ask(), 1)).rejects.toMatchObject(full);
    leave();
    leave();
    expect(places.open).toBe(1);
    await feed.close();
    expect(places.open).toBe(0);
  });

  it('tells followers what is theirs, waits for them, and ends them with the process', async () => {
    const { log, feed, ask } = stand();
    const told: FeedEvent[] = [];
    const ends: string[] = [];
    let goOn!: () => void;
    const listener = {
      next: (event: FeedEvent) => (told.push(event), new Promise<void>((resolve) => (goOn = resolve))),
      end: (reason: string) => void ends.push(reason),
    };
    await feed.follow(ask({ types: ['sociograph.graph.vertex-changed'], from: 'now' }), listener);
    expect(log.followers.map(({ topic }) => topic)).toEqual([GRAPH]);
    log.add(GRAPH, vertexChanged, vertex('1', 'b'));
    log.add(GRAPH, vertexChanged, vertex('2'));
    const take = log.followers[0]?.take as (record: FeedRecord) => Promise<void>;
    await take(log.records[0] as FeedRecord);
    let taken = false;
    const taking = take(log.records[1] as FeedRecord).then(() => (taken = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect([told.map(({ id }) => id), taken]).toEqual([[`${GRAPH}-0-1`], false]);
    expect(decodePositions(told[0]?.cursor ?? '')?.[GRAPH]).toEqual({ '0': 2, '1': 0 });
    goOn();
    await taking;
    await feed.close();
    expect([ends, log.followers.map(({ stopped }) => stopped)]).toEqual([['shutting-down'], [true]]);
    await expect(feed.page(ask(), 1)).rejects.toMatchObject({ code: 'EVENTS.NOT_READY' });
  });

  it('shows nothing before all erased people are known, and nothing of them', async () => {
    const { log, feed, ask, makeReady } = stand(['107']);
    log.add(GRAPH, vertexChanged, vertex('107'));
    log.add(GRAPH, vertexChanged, {
      ...vertex('1'),
      friends: { ...vertexChanged.example.friends, ids: ['107', '2'] },
    });
    makeReady(false);
    await expect(feed.page(ask(), 10)).rejects.toMatchObject({
      code: 'EVENTS.NOT_READY',
      kind: 'unavailable',
    });
    makeReady(true);
    const { events } = await feed.page(ask(), 10);
    expect(JSON.stringify(events)).not.toContain('107');
    expect(events).toHaveLength(1);
  });
});

describe('visibleVertex', () => {
  const erased = { isSuppressed: (_w: string, _n: string, id: string) => id === '107' };
  const post = (content: object) => ({
    ...vertexChanged.example,
    kind: 'post' as const,
    id: '5_1',
    post: {
      content: { ownerKind: 'user' as const, ownerId: '5', publishedAt: 1, text: 'x', ...content },
      observedAt: 1,
      fence: 1,
    },
  });

  it('hides posts of and by erased people, and what a post repeats of them', () => {
    expect(visibleVertex(post({ ownerId: '107' }), erased)).toBeUndefined();
    expect(visibleVertex(post({ authorId: '107' }), erased)).toBeUndefined();
    expect(visibleVertex(post({ ownerKind: 'group', ownerId: '107' }), erased)).toBeDefined();
    expect(visibleVertex(post({ repostOf: '107_9' }), erased)?.post?.content).toEqual(post({}).post.content);
    expect(visibleVertex(post({ repostOf: '107_b_9' }), erased)?.post?.content.repostOf).toBe('107_b_9');
    expect(visibleVertex(post({ repostOf: '108_9' }), erased)?.post?.content.repostOf).toBe('108_9');
  });

  it('leaves erased people out of the lists of those whom somebody follows', () => {
    const follows = { ids: ['107', '3'], complete: true, observedAt: 1, fence: 1 };
    expect(visibleVertex({ ...vertexChanged.example, id: '1', follows }, erased)?.follows?.ids).toEqual([
      '3',
    ]);
  });
});
