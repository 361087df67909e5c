import type { Positions } from '@sociograph/contracts';
import { encodePositions } from '@sociograph/contracts';
import {
  InMemoryApplied,
  InMemoryLogEnds,
  InMemoryViewCache,
  InMemoryViewStore,
} from '../infrastructure/in-memory';
import { FreshAnswers, MAX_WAIT_MS } from './fresh-answers';
import { LiveViews } from './live-views';
import { ReadViews } from './read-views';
import type { SummaryRow } from './ports';

const LISTS = 'sociograph.social.friend-lists.v1';
const row = { key: 'demo.vk', workspaceId: 'demo', network: 'vk', users: 2, writer: 1 } as SummaryRow;

describe('ReadViews', () => {
  const setUp = (
    ends: Positions = {},
  ): { read: ReadViews; store: InMemoryViewStore; cache: InMemoryViewCache; applied: InMemoryApplied } => {
    const store = new InMemoryViewStore();
    const cache = new InMemoryViewCache();
    const applied = new InMemoryApplied();
    store.summaries.set('demo.vk', row);
    const answers = new FreshAnswers(cache, applied, new InMemoryLogEnds(ends), new LiveViews());
    return { read: new ReadViews(store, answers), store, cache, applied };
  };
  const announce = (applied: InMemoryApplied, view: string, offset: number): Promise<void> =>
    applied.announce([
      { view, partition: 0, appliedUpTo: { [LISTS]: { '0': offset } }, at: 1000 + offset, fence: 1 },
    ]);

  it('says how fresh an answer is, by the positions of its own view', async () => {
    const { read, applied } = setUp();
    await announce(applied, 'graph_summary', 5);
    await announce(applied, 'user_profile_read', 9);
    expect(await read.summary('demo', 'vk')).toEqual({
      row,
      freshness: { appliedUpTo: encodePositions({ [LISTS]: { '0': 5 } }), at: 1005 },
    });
  });

  it('answers from the cache until the graph is forgotten', async () => {
    const { read, store, cache } = setUp();
    await read.summary('demo', 'vk');
    store.summaries.set('demo.vk', { ...row, users: 3 });
    expect((await read.summary('demo', 'vk')).row.users).toBe(2);
    await cache.forget(['demo.vk']);
    expect((await read.summary('demo', 'vk')).row.users).toBe(3);
  });

  it('reads past the cache when a position is asked for that is covered', async () => {
    const { read, store, applied } = setUp();
    await read.summary('demo', 'vk');
    await announce(applied, 'graph_summary', 5);
    store.summaries.set('demo.vk', { ...row, users: 3 });
    expect((await read.summary('demo', 'vk', token(5))).row.users).toBe(3);
  });

  it('waits for a position that the view has not reached', async () => {
    const { read, store, applied } = setUp({ [LISTS]: { '0': 6 } });
    const waiting = read.summary('demo', 'vk', token(6));
    await Promise.resolve();
    store.summaries.set('demo.vk', { ...row, users: 4 });
    await announce(applied, 'graph_summary', 6);
    expect((await waiting).row.users).toBe(4);
  });

  it('gives up after five seconds with 503 and when to try again', async () => {
    const { read, applied } = setUp({ [LISTS]: { '0': 6 } });
    const waitFor = jest.spyOn(applied, 'waitFor').mockResolvedValue(false);
    await expect(read.summary('demo', 'vk', token(6))).rejects.toMatchObject({
      code: 'VIEWS.POSITION_NOT_REACHED',
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
    expect(waitFor).toHaveBeenCalledWith('graph_summary', { [LISTS]: { '0': 6 } }, MAX_WAIT_MS);
    expect(MAX_WAIT_MS).toBe(5000);
  });

  it('refuses a position beyond the end of the log, without waiting', async () => {
    const { read, applied } = setUp({ [LISTS]: { '0': 6 } });
    const waitFor = jest.spyOn(applied, 'waitFor');
    await expect(read.summary('demo', 'vk', token(7))).rejects.toMatchObject({
      code: 'VIEWS.POSITION_BEYOND_END',
      kind: 'unprocessable',
      fields: [{ field: 'min-position', message: 'is beyond the end of the log' }],
    });
    expect(waitFor).not.toHaveBeenCalled();
  });

  it.each(['', 'nonsense', encodePositions({ 'sociograph.imports.v1': { '0': 1 } })])(
    'refuses a token that nobody gave: %p',
    async (value) => {
      const { read } = setUp();
      await expect(read.profile('demo', 'vk', '1', value)).rejects.toMatchObject({
        code: 'VIEWS.POSITION_MALFORMED',
        kind: 'invalid-input',
        fields: [{ field: 'min-position', message: 'is not a position token' }],
      });
    },
  );

  it('knows nothing of other workspaces, networks and people', async () => {
    const { read } = setUp();
    await expect(read.summary('other', 'vk')).rejects.toMatchObject({
      code: 'VIEWS.GRAPH_UNKNOWN',
      kind: 'not-found',
    });
    await expect(read.summary('demo', 'ok')).rejects.toMatchObject({ code: 'VIEWS.GRAPH_UNKNOWN' });
    await expect(read.profile('demo', 'vk', '1')).rejects.toMatchObject({
      code: 'VIEWS.PERSON_UNKNOWN',
      kind: 'not-found',
    });
  });

  it('does not remember that somebody was unknown', async () => {
    const { read, store } = setUp();
    await expect(read.profile('demo', 'vk', '1')).rejects.toMatchObject({ kind: 'not-found' });
    store.profiles.set('demo.vk.1', { id: '1', lists: {}, lastPosts: [] } as never);
    expect((await read.profile('demo', 'vk', '1')).row.row.id).toBe('1');
  });
});

function token(offset: number): string {
  return encodePositions({ [LISTS]: { '0': offset } });
}
