import { Clock, DomainError } from '@sociograph/kernel';
import {
  InMemoryApplied,
  InMemoryViewCache,
  InMemoryViewStore,
  InMemoryWriterLock,
} from '../infrastructure/in-memory';
import type { ChangeRecord } from './ports';
import { Projector, ROWS_PER_WRITE } from './projector';

const CHANGES = 'sociograph.graph.changes.v1';
const LISTS = 'sociograph.social.friend-lists.v1';
const NOW = 1_795_000_001_000;

class StoppedClock extends Clock {
  nowMs(): number {
    return NOW;
  }

  monotonicMs(): number {
    return 0;
  }
}

describe('Projector', () => {
  const setUp = async (): Promise<{
    projector: Projector;
    store: InMemoryViewStore;
    cache: InMemoryViewCache;
    applied: InMemoryApplied;
    lock: InMemoryWriterLock;
  }> => {
    const store = new InMemoryViewStore();
    const cache = new InMemoryViewCache();
    const applied = new InMemoryApplied();
    const lock = new InMemoryWriterLock({ fence: 3, holder: undefined });
    const fence = (await lock.acquire(0))!;
    return {
      projector: new Projector({ store, cache, applied, lock, clock: new StoppedClock() }, fence),
      store,
      cache,
      applied,
      lock,
    };
  };

  it('writes rows, then invalidates caches, then announces both views per partition', async () => {
    const { projector, store, cache, applied } = await setUp();
    projector.take(record(0, '1', ['2'], { [LISTS]: { '3': 17 } }));
    expect(projector.take(record(1, '2', []))).toBe(1);
    expect(await projector.flush()).toEqual({ outcome: 'written', profiles: 2, partitions: 1 });
    expect(store.requests).toEqual(['profiles:2', 'search:2', 'rankings:3', 'summaries:1']);
    expect(store.summaries.get('demo.vk')).toMatchObject({
      users: 2,
      friendships: 1,
      writer: 4,
      writtenAt: NOW,
    });
    expect(cache.forgotten).toEqual([['demo.vk']]);
    const appliedUpTo = { [CHANGES]: { '3': 2 }, [LISTS]: { '3': 17 } };
    expect(applied.marks).toEqual([
      { view: 'user_profile_read', partition: 3, appliedUpTo, at: NOW, fence: 4 },
      { view: 'graph_summary', partition: 3, appliedUpTo, at: NOW, fence: 4 },
    ]);
    expect(await projector.flush()).toEqual({ outcome: 'nothing', profiles: 0, partitions: 0 });
    expect(projector.sizes()).toEqual({ people: 2, friendships: 1 });
  });

  it('announces a marker without touching store or caches', async () => {
    const { projector, store, cache, applied } = await setUp();
    expect(projector.take({ partition: 5, offset: 9, source: { [LISTS]: { '5': 4 } } })).toBe(0);
    expect(await projector.flush()).toEqual({ outcome: 'written', profiles: 0, partitions: 1 });
    expect(store.requests).toEqual([]);
    expect(cache.forgotten).toEqual([]);
    expect(applied.reached('graph_summary').positions).toEqual({
      [CHANGES]: { '5': 10 },
      [LISTS]: { '5': 4 },
    });
  });

  it('never announces a lower position than before', async () => {
    const { projector, applied } = await setUp();
    projector.take({ partition: 0, offset: 9, source: { [LISTS]: { '0': 40 } } });
    projector.take({ partition: 0, offset: 10, source: { [LISTS]: { '0': 30 } } });
    projector.take({ partition: 1, offset: 0 });
    await projector.flush();
    expect(applied.marks.map((mark) => [mark.partition, mark.appliedUpTo])).toEqual([
      [0, { [CHANGES]: { '0': 11 }, [LISTS]: { '0': 40 } }],
      [0, { [CHANGES]: { '0': 11 }, [LISTS]: { '0': 40 } }],
      [1, { [CHANGES]: { '1': 1 } }],
      [1, { [CHANGES]: { '1': 1 } }],
    ]);
  });

  it('removes the row of an erased person', async () => {
    const { projector, store } = await setUp();
    projector.take(record(0, '1', ['2']));
    projector.take(record(1, '2', []));
    await projector.flush();
    projector.take({ partition: 3, offset: 2, erased: 'demo:vk:user:1' });
    await projector.flush();
    expect([...store.profiles.keys()]).toEqual(['demo.vk.2']);
    expect(store.profiles.get('demo.vk.2')?.degree).toBe(0);
    expect(store.requests.slice(4)).toEqual([
      'profiles:1',
      'remove search:1',
      'rankings:1',
      'summaries:1',
      'remove:1',
    ]);
    expect([...store.beside.search.keys()]).toEqual(['demo.vk.user.2']);
  });

  it('announces nothing and keeps all pending when the store fails', async () => {
    const { projector, store, applied } = await setUp();
    projector.take(record(0, '1', []));
    store.failures = 1;
    await expect(projector.flush()).rejects.toThrow(DomainError);
    expect(applied.marks).toEqual([]);
    expect(projector.hasPending).toBe(true);
    expect(await projector.flush()).toEqual({ outcome: 'written', profiles: 1, partitions: 1 });
    expect(applied.marks).toHaveLength(2);
  });

  it('is over only when all kinds of rows are, also when one of them fails', async () => {
    const { projector, store, applied } = await setUp();
    projector.take(record(0, '1', []));
    store.failures = 1;
    let arrive!: () => void;
    jest
      .spyOn(store, 'writeSummaries')
      .mockImplementationOnce(() => new Promise<void>((resolve) => (arrive = resolve)));
    let isOver = false;
    const flushing = projector
      .flush()
      .catch((error: unknown) => error)
      .finally(() => (isOver = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    arrive();
    expect(await flushing).toBeInstanceOf(DomainError);
    expect(applied.marks).toEqual([]);
    expect(projector.hasPending).toBe(true);
  });

  it('reports a failure of the store rather than the doubt that came with it', async () => {
    const { projector, store, lock } = await setUp();
    projector.take(record(0, '1', []));
    jest.spyOn(store, 'writeProfiles').mockImplementationOnce(async () => {
      lock.doubtful = true;
      throw new Error('away');
    });
    await expect(projector.flush()).rejects.toThrow('away');
  });

  it('writes nothing while its lock is in doubt, and all of it afterwards', async () => {
    const { projector, store, lock } = await setUp();
    projector.take(record(0, '1', []));
    lock.doubtful = true;
    expect(await projector.flush()).toEqual({ outcome: 'suspended', profiles: 0, partitions: 0 });
    expect(store.requests).toEqual([]);
    lock.doubtful = false;
    expect(await projector.flush()).toMatchObject({ outcome: 'written', profiles: 1 });
  });

  it('stops between two chunks when the lock falls into doubt', async () => {
    const { projector, store, lock } = await setUp();
    for (let id = 0; id <= ROWS_PER_WRITE; id++) projector.take(record(id, `${id}`, []));
    const written = jest.spyOn(store, 'writeProfiles').mockImplementationOnce(async () => {
      lock.doubtful = true;
    });
    expect(await projector.flush()).toMatchObject({ outcome: 'suspended' });
    expect(written).toHaveBeenCalledTimes(1);
    lock.doubtful = false;
    expect(await projector.flush()).toMatchObject({ outcome: 'written', profiles: ROWS_PER_WRITE + 1 });
    expect(store.requests).toEqual([
      `profiles:${ROWS_PER_WRITE}`,
      `search:${ROWS_PER_WRITE}`,
      'rankings:3',
      'summaries:1',
      'profiles:1',
      'search:1',
    ]);
  });

  it('keeps what arrives during a flush for the next one', async () => {
    const { projector, store, applied } = await setUp();
    projector.take(record(0, '1', []));
    const flushing = projector.flush();
    projector.take(record(1, '2', ['1']));
    await flushing;
    expect(applied.marks[0]?.appliedUpTo).toEqual({ [CHANGES]: { '3': 1 } });
    await projector.flush();
    expect(applied.marks[2]?.appliedUpTo).toEqual({ [CHANGES]: { '3': 2 } });
    expect(store.summaries.get('demo.vk')).toMatchObject({ users: 2, friendships: 1 });
  });
});

function record(
  offset: number,
  id: string,
  friends: string[],
  source?: Record<string, Record<string, number>>,
): ChangeRecord {
  const seen = { observedAt: 1, fence: 1 };
  return {
    partition: 3,
    offset,
    change: {
      workspaceId: 'demo',
      network: 'vk',
      kind: 'user',
      id,
      version: 1,
      changedAt: 1,
      document: { state: 'active', profile: { firstName: 'A', lastName: 'B' }, ...seen },
      friends: { ids: friends, complete: true, ...seen },
    },
    ...(source === undefined ? {} : { source }),
  };
}
