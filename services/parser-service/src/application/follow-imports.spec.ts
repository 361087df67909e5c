import { seeded } from '@sociograph/testing';
import { anImport, ToyNetwork } from '../../test/builders';
import { tooManyStreams } from '../domain/errors';
import { Networks } from '../domain/ports';
import { MemoryImportEvents, MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { FollowImports, type TakeStreamPlace } from './follow-imports';

async function setUp(most = 3, takePlace?: TakeStreamPlace) {
  const store = new MemoryStore(() => 0);
  const imports = new MemoryImports(store);
  await imports.add(anImport());
  const follow = new FollowImports(
    imports,
    new MemoryImportEvents(store),
    new Networks([new ToyNetwork()]),
    most,
    takePlace,
  );
  const step = (name: 'pause' | 'resume' | 'cancel' | 'delete') =>
    imports.change('demo', 'import-1', (job) => job.step(name, 1));
  const progress = async (callsMade: number) => {
    await imports.change('demo', 'import-1', (job) => job);
    const stored = store.imports.get('import-1');
    if (stored !== undefined) store.save(stored, stored.job.absorb({ callsMade }, 1));
  };
  const taking = { ready: true };
  const listen = async (after?: number, workspaceId = 'demo') => {
    const heard: string[] = [];
    const stop = await follow.follow(workspaceId, 'import-1', after, {
      get ready() {
        return taking.ready;
      },
      next: ({ mark, isStep }) => heard.push(`${mark.seq} ${isStep ? mark.state : 'progress'}`),
      end: (why) => heard.push(why),
    });
    return { heard, stop };
  };
  return { store, imports, follow, step, progress, listen, taking };
}

describe('following an import', () => {
  it('begins with what is, then tells what comes, steps apart from progress', async () => {
    const { listen, follow, step, progress } = await setUp();
    const { heard } = await listen();
    expect(heard).toEqual(['1 running']);
    await follow.tick();
    await progress(1);
    await step('pause');
    await follow.tick();
    expect(heard).toEqual(['1 running', '2 progress', '3 paused']);
  });

  it('goes on after the last event that a follower has, and misses nothing', async () => {
    const { listen, follow, step, progress } = await setUp();
    const whole = await listen();
    await progress(1);
    await step('pause');
    await follow.tick();
    await step('resume');
    await progress(2);
    const resumed = await listen(2);
    await follow.tick();
    await step('cancel');
    await follow.tick();
    expect(whole.heard).toEqual([
      ...['1 running', '2 progress', '3 paused', '4 running', '5 progress', '6 cancelled', 'import-ended'],
    ]);
    expect(resumed.heard).toEqual(whole.heard.slice(2));
    expect(follow.busy).toBe(false);
  });

  it('has nothing to tell to who has seen the end, and ends', async () => {
    const { listen, step } = await setUp();
    await step('cancel');
    expect((await listen(2)).heard).toEqual(['import-ended']);
    expect((await listen(1)).heard).toEqual(['2 cancelled', 'import-ended']);
    expect((await listen()).heard).toEqual(['2 cancelled', 'import-ended']);
  });

  it('ends when the import is deleted', async () => {
    const { listen, step, follow, store } = await setUp();
    const { heard } = await listen();
    const stored = store.imports.get('import-1');
    await step('cancel');
    await step('delete');
    expect(stored?.job.snapshot.state).toBe('deleted');
    await follow.tick();
    expect(heard).toEqual(['1 running', 'import-deleted']);
    expect(follow.open).toBe(0);
  });

  it('ends every stream when the process stops, also those that come then', async () => {
    const { listen, follow } = await setUp();
    const { heard } = await listen();
    follow.stop();
    expect(heard).toEqual(['1 running', 'shutting-down']);
    expect((await listen()).heard).toEqual(['shutting-down']);
    expect([follow.open, follow.busy]).toEqual([0, false]);
  });

  it('keeps so many streams for a workspace, and takes another one when one has left', async () => {
    const { listen, follow } = await setUp(2);
    const [first] = [await listen(), await listen()];
    expect(follow.open).toBe(2);
    await expect(listen()).rejects.toMatchObject({
      ...{ code: 'IMPORTS.QUOTA_STREAMS', kind: 'too-many', retryAfterSeconds: 15 },
      facts: { quota: 'streams', most: 2 },
    });
    first?.stop();
    await listen();
    expect(follow.open).toBe(2);
  });

  it('takes a place of the workspace for each stream, and gives it back however it ends', async () => {
    const places = { taken: 0, left: 0, none: false };
    const { listen, follow, step, store } = await setUp(2, async (workspaceId) => {
      expect(workspaceId).toBe('demo');
      if (places.none) throw tooManyStreams(7);
      places.taken += 1;
      return () => void (places.left += 1);
    });
    const first = await listen();
    await listen();
    await expect(listen()).rejects.toMatchObject({ code: 'IMPORTS.QUOTA_STREAMS', facts: { most: 2 } });
    expect(places).toMatchObject({ taken: 3, left: 1 });
    first.stop();
    expect(places.left).toBe(2);
    places.none = true;
    await expect(listen()).rejects.toMatchObject({ code: 'IMPORTS.QUOTA_STREAMS', facts: { most: 7 } });
    expect(follow.open).toBe(1);
    await step('cancel');
    await follow.tick();
    expect(places.left).toBe(3);
    places.none = false;
    await listen(2);
    expect(places).toMatchObject({ taken: 4, left: 4 });
    store.imports.clear();
    await expect(listen()).rejects.toMatchObject({ code: 'IMPORTS.UNKNOWN' });
    follow.stop();
    expect(places).toMatchObject({ taken: 4, left: 4 });
  });

  it('gives places back when the process stops', async () => {
    const places = { open: 0 };
    const { listen, follow } = await setUp(5, async () => {
      places.open += 1;
      return () => void (places.open -= 1);
    });
    await listen();
    await listen();
    follow.stop();
    expect(places.open).toBe(0);
    await listen();
    expect(places.open).toBe(0);
  });

  it('tells nothing to who has left', async () => {
    const { listen, follow, step } = await setUp();
    const { heard, stop } = await listen();
    stop();
    await step('pause');
    await follow.tick();
    expect(heard).toEqual(['1 running']);
    expect(follow.busy).toBe(false);
  });

  it('gives portions to who missed very much, one a look and only while they are taken, and nothing twice', async () => {
    const { listen, follow, step, progress, taking } = await setUp();
    for (let call = 0; call < 2_500; call += 1) await progress(1);
    await step('cancel');
    const { heard } = await listen(1);
    expect([heard.length, heard[0], heard.at(-1)]).toEqual([999, '2 progress', '1000 progress']);
    taking.ready = false;
    for (let look = 0; look < 3; look += 1) await follow.tick();
    expect(heard).toHaveLength(999);
    taking.ready = true;
    await follow.tick();
    // 300 of a portion are those that the estimate looks back at.
    expect(heard).toHaveLength(1_699);
    await progress(1);
    for (let look = 0; look < 3; look += 1) await follow.tick();
    const expected = Array.from({ length: 2_500 }, (_, index) => `${index + 2} progress`);
    expect(heard).toEqual([...expected, '2502 cancelled', '2503 progress', 'import-ended']);
    expect(follow.busy).toBe(false);
  });

  it('fills a hole that came because this process did not look for long', async () => {
    const { listen, follow, step, progress } = await setUp();
    const { heard } = await listen();
    for (let call = 0; call < 1_500; call += 1) await progress(1);
    const late = await listen();
    await step('pause');
    for (let look = 0; look < 3; look += 1) await follow.tick();
    expect(late.heard).toEqual(['1501 progress', '1502 paused']);
    const expected = Array.from({ length: 1_500 }, (_, index) => `${index + 2} progress`);
    expect(heard).toEqual(['1 running', ...expected, '1502 paused']);
  });

  it('takes two who come at once for two', async () => {
    const { listen } = await setUp(1);
    const outcomes = await Promise.allSettled([listen(), listen()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('refuses an event that never was, and imports of others', async () => {
    const { listen } = await setUp();
    await expect(listen(2)).rejects.toMatchObject({
      code: 'REQUEST.INVALID',
      fields: [{ field: 'Last-Event-ID', message: 'must be the id of an event of this import' }],
    });
    await expect(listen(undefined, 'other')).rejects.toMatchObject({ code: 'IMPORTS.UNKNOWN' });
  });
});

/** A client that takes up its stream at any process, with the last event that it has. */
interface Client {
  seqs: number[];
  callsMade: number[];
  over: boolean;
  leave: (() => void) | undefined;
}

describe('clients of two processes that are cut off, stopped and restarted at random', () => {
  it.each([1, 2, 3, 4, 5, 6])('miss no event and hear none twice, seed %i', async (seed) => {
    const random = seeded(seed);
    const { store, imports, step, progress } = await setUp();
    const newProcess = (): FollowImports =>
      new FollowImports(imports, new MemoryImportEvents(store, 7), new Networks([new ToyNetwork()]), 100);
    const processes = [newProcess(), newProcess()];
    const clients = Array.from({ length: 4 }, (): Client => ({
      seqs: [],
      callsMade: [],
      over: false,
      leave: undefined,
    }));
    const come = async (client: Client): Promise<void> => {
      let ended = false;
      const leave = await random.pick(processes).follow('demo', 'import-1', client.seqs.at(-1), {
        // Now and then it has not taken what it was given.
        get ready() {
          return random.next() < 0.8;
        },
        next: ({ mark }) => {
          client.seqs.push(mark.seq);
          client.callsMade.push(mark.counters.callsMade);
        },
        end: (why) => {
          ended = true;
          client.leave = undefined;
          client.over = why === 'import-ended';
        },
      });
      if (!ended) client.leave = leave;
    };
    const deeds = [
      () => progress(1),
      () => progress(2),
      () => step('pause'),
      () => step('resume'),
      () => random.pick(processes).tick(),
      async () => void (await Promise.all(clients.filter(({ leave }) => leave === undefined).map(come))),
      async () => {
        const client = random.pick(clients);
        client.leave?.();
        client.leave = undefined;
      },
      async () => {
        const which = random.next() < 0.5 ? 0 : 1;
        processes[which]?.stop();
        processes[which] = newProcess();
      },
    ];
    for (let deed = 0; deed < 300; deed += 1) await random.pick(deeds)();
    await step('cancel');
    const last = store.marks.get('import-1')?.length ?? 0;
    for (let look = 0; look < 2 * last && clients.some(({ over }) => !over); look += 1) {
      for (const client of clients) if (!client.over && client.leave === undefined) await come(client);
      for (const process of processes) await process.tick();
    }
    expect(last).toBeGreaterThan(50);
    for (const { seqs, callsMade, over } of clients) {
      const first = seqs[0] ?? 0;
      expect([over, seqs]).toEqual([true, Array.from({ length: last - first + 1 }, (_, at) => first + at)]);
      expect(callsMade).toEqual([...callsMade].sort((a, b) => a - b));
    }
    expect(processes.some(({ busy }) => busy)).toBe(false);
  });
});
