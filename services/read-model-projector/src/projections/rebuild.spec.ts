import { SystemClock } from '@sociograph/kernel';
import {
  InMemoryApplied,
  InMemoryViewCache,
  InMemoryViewStore,
  InMemoryWriterLock,
} from '../infrastructure/in-memory';
import { inSlices } from './full-recount';
import type { RecountOutcome } from './jobs';
import { type ChangeRecord, ChangeLog, type Following } from './ports';
import { Projector } from './projector';
import { PEOPLE_PER_SLICE, Rebuild } from './rebuild';
import { recountGraph } from './recount-graph';
import { Views } from './views';

/** Gives one record a turn of the event loop; what is appended meanwhile comes, too. */
class SlowLog extends ChangeLog {
  readonly records: ChangeRecord[] = [];
  open = 0;
  followed = 0;
  /** Where it is mistaken for read, before its end. */
  endsAt: number | undefined;
  onFollow: (time: number) => void = () => undefined;

  async follow(
    take: (record: ChangeRecord) => void,
    caughtUp: () => void,
    from?: ReadonlyMap<number, number>,
  ): Promise<Following> {
    const end = this.endsAt ?? this.records.length;
    let stopped = false;
    this.open++;
    this.onFollow(++this.followed);
    void (async () => {
      for (let at = 0; !stopped; at++) {
        if (at === end) caughtUp();
        const record = at < (this.endsAt ?? Infinity) ? this.records[at] : undefined;
        if (record !== undefined && record.offset >= (from?.get(record.partition) ?? 0)) take(record);
        if (record === undefined) at--;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    return {
      stop: async () => {
        stopped = true;
        this.open--;
      },
    };
  }
}

// For a machine that does much else.
jest.setTimeout(60_000);

describe('Rebuild', () => {
  const setUp = async () => {
    const log = new SlowLog();
    const store = new InMemoryViewStore();
    const cache = new InMemoryViewCache();
    const lock = new InMemoryWriterLock({ fence: 0, holder: undefined });
    const ports = { log, store, cache, lock, applied: new InMemoryApplied(), clock: new SystemClock() };
    const fence = (await lock.acquire(0))!;
    await store.claim(fence);
    const projector = new Projector(ports, fence);
    const rebuild = new Rebuild(
      ports,
      projector,
      async () => (await projector.flush()).outcome !== 'suspended',
    );
    const append = (...records: ChangeRecord[]): void => {
      log.records.push(...records);
      for (const record of records) projector.take(record);
    };
    return { log, store, cache, lock, ports, projector, rebuild, append };
  };

  it('loses nothing that comes while it reads, in whichever partition, and nothing counts twice', async () => {
    const { log, store, projector, rebuild, append } = await setUp();
    const ends = [0, 0, 0];
    const come = (partition: number, id: string, friends: string[], version = 1): void =>
      append(person(partition, ends[partition]!++, id, friends, version));
    for (let id = 0; id < 40; id++) come(id % 3, String(id), [String(id + 1), '0']);
    await projector.flush();
    let times = 0;
    const more = setInterval(() => {
      times++;
      come(times % 3, `new-${times}`, [`new-${times - 1}`, '5', '6']);
      come(1, '7', [String(times % 40)], times + 1);
    }, 1);
    const outcome = await rebuild.run(new AbortController().signal);
    clearInterval(more);
    expect(times).toBeGreaterThan(3);
    expect(outcome.differing).toEqual([]);
    expect(log.open).toBe(0);
    come(2, 'last', ['0']);
    await projector.flush();
    const clean = new Views(9);
    for (const record of log.records) clean.take(record);
    expect(projector.hashes()).toEqual(clean.hashes());
    const fresh = clean.all()[0]!.summaryRow(2, 0);
    expect({ ...store.summaries.get('demo.vk')!, writtenAt: 0 }).toEqual(fresh);
    expect(store.profiles.size).toBe(fresh.users);
    expect(new Set([...store.profiles.values()].map(({ writer }) => writer))).toEqual(new Set([2]));
  });

  it('writes the rows in slices, and forgets what was cached of graphs that only the old state had', async () => {
    const { log, store, cache, projector, rebuild, append } = await setUp();
    for (let id = 0; id <= PEOPLE_PER_SLICE; id++) append(person(0, id, String(id), []));
    projector.take(person(1, 0, '1', [], 1, 'gone'));
    await projector.flush();
    log.records.push({ partition: 1, offset: 0 });
    const before = store.requests.length;
    const { differing } = await rebuild.run(new AbortController().signal);
    expect(differing).toHaveLength(1);
    expect(store.requests.slice(before)).toEqual([
      'profiles:1000',
      'search:1000',
      'rankings:3',
      'summaries:1',
      'profiles:1000',
      'search:1000',
      'profiles:1',
      'search:1',
      'summaries:1',
      'older',
    ]);
    expect([...store.summaries.keys()]).toEqual(['demo.vk']);
    expect(cache.forgotten.at(-1)!.sort()).toEqual(['demo.gone', 'demo.vk']);
  });

  it('leaves everything as it was when the writer stops before the swap', async () => {
    const { log, store, projector, rebuild, append } = await setUp();
    append(person(0, 0, '1', ['2']), person(0, 1, '2', []));
    await projector.flush();
    const requests = store.requests.length;
    const term = new AbortController();
    log.onFollow = (time) => time === 2 && term.abort();
    await expect(rebuild.run(term.signal)).rejects.toMatchObject({ code: 'VIEWS.REBUILD_BROKEN_OFF' });
    expect([log.open, store.fence, store.requests.length]).toEqual([0, 1, requests]);
    expect(projector.tap).toBeUndefined();
    append(person(0, 2, '1', [], 2));
    await projector.flush();
    expect(store.summaries.get('demo.vk')).toMatchObject({ friendships: 0, writer: 1 });
  });

  it('is broken off when the log is not read to its end, also when records after the gap come meanwhile', async () => {
    const { log, store, projector, rebuild, append } = await setUp();
    append(person(0, 0, '1', ['2']), person(1, 0, '2', []), person(0, 1, '3', []));
    await projector.flush();
    const hashes = projector.hashes();
    log.endsAt = 2;
    log.onFollow = (time) => time === 2 && append(person(1, 1, '4', []), person(0, 2, '1', ['2'], 2));
    await expect(rebuild.run(new AbortController().signal)).rejects.toMatchObject({
      code: 'VIEWS.REBUILD_BROKEN_OFF',
      facts: { reason: 'the log was not read to its end' },
    });
    expect([store.fence, store.summaries.get('demo.vk')!.users]).toEqual([1, 3]);
    expect(projector.hashes()).not.toEqual(hashes);
    expect(projector.sizes().people).toBe(4);
  });

  it('is broken off when another instance has the lock', async () => {
    const { lock, projector, rebuild, append } = await setUp();
    append(person(0, 0, '1', []));
    const hashes = projector.hashes();
    jest.spyOn(lock, 'acquire').mockResolvedValue(undefined);
    await expect(rebuild.run(new AbortController().signal)).rejects.toMatchObject({
      code: 'VIEWS.REBUILD_BROKEN_OFF',
      kind: 'unavailable',
    });
    expect(projector.hashes()).toEqual(hashes);
  });

  it('waits for a store that is away, once the new state is live', async () => {
    const { store, projector, rebuild, append } = await setUp();
    append(person(0, 0, '1', []));
    await projector.flush();
    const removing = jest.spyOn(store, 'removeOlderThan');
    removing.mockImplementationOnce(async () => {
      store.failures = 1;
      return store.writeSummaries([]);
    });
    expect((await rebuild.run(new AbortController().signal)).users).toBe(1);
    expect(removing).toHaveBeenCalledTimes(2);
  });
});

describe('recountGraph', () => {
  const setUp = async () => {
    const store = new InMemoryViewStore();
    const lock = new InMemoryWriterLock({ fence: 0, holder: undefined });
    const clock = new SystemClock();
    const ports = { store, cache: new InMemoryViewCache(), lock, applied: new InMemoryApplied(), clock };
    const projector = new Projector(ports, (await lock.acquire(0))!);
    for (const [offset, id] of ['1', '2', '3'].entries()) projector.take(person(0, offset, id, ['1', '2']));
    await projector.flush();
    const [view] = projector.graphs();
    const recount = (goOn = (): void => undefined): Promise<RecountOutcome> =>
      recountGraph(view!, { projector, store, clock, goOn });
    return { store, projector, view: view!, recount };
  };

  it('finds everything equal, and says how large the graph is', async () => {
    const { recount } = await setUp();
    expect(await recount()).toMatchObject({
      workspaceId: 'demo',
      network: 'vk',
      users: 3,
      friendships: 3,
      differences: [],
    });
  });

  it('finds people whose figures in memory are wrong, and the rows that agree with them', async () => {
    const { view, recount } = await setUp();
    view.graph.counts.addEdge(0, 1, new Uint32Array(), 0);
    const { differences } = await recount();
    expect(differences.find(({ what }) => what === 'friendships')).toMatchObject({ kept: 4, counted: 3 });
    expect(differences.find(({ what }) => what === 'people with other figures')).toEqual({
      what: 'people with other figures',
      kept: 2,
      counted: 0,
      ids: ['1', '2'],
    });
  });

  it('finds rows that were changed or lost, and has them written again', async () => {
    const { store, projector, recount } = await setUp();
    store.profiles.get('demo.vk.1')!.profile = { firstName: 'X', lastName: 'B' };
    store.profiles.delete('demo.vk.3');
    store.summaries.get('demo.vk')!.triangles = 9;
    const { differences } = await recount();
    expect(differences.map(({ what, kept, ids }) => [what, ids ?? kept])).toEqual([
      ['rows of people', ['1', '3']],
      ['row of the summary', expect.stringContaining('[3,3,9,')],
    ]);
    await projector.flush();
    expect(store.profiles.size).toBe(3);
    expect(store.summaries.get('demo.vk')!.triangles).toBe(1);
    expect((await recount()).differences).toEqual([]);
  });

  it('finds nothing and writes nothing again wherever it may not go on, up to its very end', async () => {
    const { store, projector, recount } = await setUp();
    store.profiles.delete('demo.vk.3');
    for (const last of [1, 2, 3]) {
      let asked = 0;
      const goOn = (): void => {
        if (++asked === last) throw new Error(`not beyond ${last}`);
      };
      await expect(recount(goOn)).rejects.toThrow(`not beyond ${last}`);
      expect(projector.hasPending).toBe(false);
    }
    const goOn = jest.fn();
    expect((await recount(goOn)).differences).toHaveLength(1);
    expect(goOn).toHaveBeenCalledTimes(5);
  });

  it('ends in the middle of counting, after the slice in which it may not go on', async () => {
    let counted = 0;
    function* counting(): Generator<void, void> {
      for (; counted < 100; counted++) yield;
    }
    const clock = new SystemClock();
    const times = jest.spyOn(clock, 'monotonicMs');
    // Every look at the clock is later by more than a slice: each slice is one step.
    for (let ms = 0; ms < 300; ms++) times.mockReturnValueOnce(ms * 1000);
    let slices = 0;
    const goOn = (): void => {
      if (++slices === 3) throw new Error('no more');
    };
    await expect(inSlices(counting(), clock, goOn)).rejects.toThrow('no more');
    expect(counted).toBe(2);
  });

  it('takes no row for wrong that waits to be written', async () => {
    const { projector, recount } = await setUp();
    projector.take(person(0, 3, '1', [], 2));
    projector.take(person(0, 4, '4', ['3']));
    expect((await recount()).differences).toEqual([]);
    expect(projector.hasPending).toBe(true);
  });
});

function person(
  partition: number,
  offset: number,
  id: string,
  friends: string[],
  version = 1,
  network = 'vk',
): ChangeRecord {
  const seen = { observedAt: 1, fence: 1 };
  const document = { state: 'active' as const, profile: { firstName: 'A', lastName: 'B' }, ...seen };
  const vertex = { workspaceId: 'demo', network, kind: 'user' as const, id, version, changedAt: 1 };
  return {
    partition,
    offset,
    change: { ...vertex, document, friends: { ids: friends, complete: true, ...seen } },
  };
}
