import { personSuppressed, recordKey, userObserved, vertexChanged } from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import type { EventRecord } from '@sociograph/messaging';
import { markOf, Suppressions } from '@sociograph/suppression';
import { ForgetErased } from './forget-erased';
import { OneAtATime } from './one-at-a-time';
import { StoreEvents } from './store-events';
import type { Table } from './tables';
import {
  Pause,
  rowsRefused,
  Warehouse,
  warehouseUnavailable,
  type RowsOfTable,
  type Scope,
} from './warehouse';

const KEY = new Secret(Buffer.alloc(32, 3).toString('base64'));

class NotedPause extends Pause {
  readonly waits: number[] = [];
  async wait(ms: number): Promise<void> {
    this.waits.push(ms);
  }
}

/** Keeps what it was told; fails as the spec wants. */
class NotedWarehouse extends Warehouse {
  readonly told: string[] = [];
  failing: () => Error | undefined = () => undefined;
  people: string[] = [];
  async prepare(): Promise<void> {}
  async write(rows: RowsOfTable): Promise<void> {
    const failure = this.failing();
    if (failure !== undefined) throw failure;
    for (const [table, content] of rows) this.told.push(`write ${summary(table, content.length)}`);
  }
  async peopleIn(): Promise<string[]> {
    this.told.push('look');
    return this.people;
  }
  async erase({ workspaceId, network }: Scope, ids: readonly string[]): Promise<void> {
    this.told.push(`erase ${workspaceId}:${network} ${ids.join()}`);
  }
  async removePosts(scope: Scope, ids: readonly string[]): Promise<void> {
    this.told.push(`remove posts ${scope.workspaceId} ${ids.join()}`);
  }
  async ask(): Promise<Record<string, unknown>[]> {
    return [];
  }
  async answers(): Promise<boolean> {
    return true;
  }
  async close(): Promise<void> {}
}

function summary({ name }: Table, rows: number): string {
  return `${name} ${rows}`;
}

let offset = 0;
const snapshot = (userId: string, workspaceId = 'demo'): EventRecord =>
  record({ message: userObserved, value: { ...userObserved.example, userId, workspaceId } });
const tombstone = (kind: 'user' | 'post' | 'group', id: string): EventRecord =>
  record({ message: vertexChanged, value: null, key: recordKey('demo', 'vk', kind, id) });

function record(changes: Partial<EventRecord>): EventRecord {
  offset += 1;
  const bare = { topic: 't', partition: 0, offset, key: 'k', id: undefined, source: undefined };
  return {
    ...bare,
    ...{ timestampMs: 0, subject: undefined, correlationId: undefined, headers: {} },
    ...{ message: undefined, value: null },
    ...changes,
  };
}

function stand() {
  const warehouse = new NotedWarehouse();
  const pause = new NotedPause();
  const suppressions = new Suppressions(KEY);
  const turns = new OneAtATime();
  const telemetry: string[] = [];
  const store = new StoreEvents(warehouse, { suppressions, caughtUp: Promise.resolve() }, turns, pause, {
    repeated: (_error, waitMs) => telemetry.push(`repeated ${waitMs}`),
    stored: (records, rows) => telemetry.push(`stored ${records} ${rows}`),
  });
  const erase = (id: string): boolean =>
    suppressions.add({
      ...personSuppressed.example,
      mark: markOf(KEY, 'demo', 'vk', id),
    });
  return { warehouse, pause, suppressions, turns, telemetry, store, erase };
}

describe('StoreEvents', () => {
  it('writes one row for several states of the same person, and asks for nothing when there is nothing', async () => {
    const { warehouse, store, telemetry, pause } = stand();
    await store.execute([snapshot('1'), snapshot('1'), snapshot('2')]);
    await store.execute([]);
    expect(warehouse.told).toEqual(['write people 2']);
    expect([telemetry, pause.waits]).toEqual([['stored 3 2'], []]);
  });

  it('repeats a failed write three times, after 2, 4 and 8 s, then passes the failure on', async () => {
    const { warehouse, store, pause, telemetry } = stand();
    let tries = 0;
    warehouse.failing = () => ((tries += 1), warehouseUnavailable('away'));
    await expect(store.execute([snapshot('1')])).rejects.toMatchObject({
      code: 'ANALYTICS.WAREHOUSE_UNAVAILABLE',
      kind: 'unavailable',
    });
    expect([tries, pause.waits]).toEqual([4, [2_000, 4_000, 8_000]]);
    expect(telemetry).toEqual(['repeated 2000', 'repeated 4000', 'repeated 8000']);
  });

  it('goes on when a repeat succeeds', async () => {
    const { warehouse, store, pause } = stand();
    const failures = [warehouseUnavailable('away'), rowsRefused('for now')];
    warehouse.failing = () => failures.shift();
    await store.execute([snapshot('1')]);
    expect([warehouse.told, pause.waits]).toEqual([['write people 1'], [2_000, 4_000]]);
  });

  it('does not wait again for the halves of a batch that was refused', async () => {
    const { warehouse, store, pause } = stand();
    warehouse.failing = () => rowsRefused('poison');
    const batch = [snapshot('1'), snapshot('2')];
    await expect(store.execute(batch)).rejects.toMatchObject({ code: 'ANALYTICS.ROWS_REFUSED' });
    for (const half of batch)
      await expect(store.execute([half])).rejects.toMatchObject({ code: 'ANALYTICS.ROWS_REFUSED' });
    expect(pause.waits).toEqual([2_000, 4_000, 8_000]);
    await expect(store.execute([batch[0] as EventRecord, snapshot('3')])).rejects.toThrow();
    expect(pause.waits).toHaveLength(6);
  });

  it('waits each time for a warehouse that is away', async () => {
    const { warehouse, store, pause } = stand();
    warehouse.failing = () => warehouseUnavailable('away');
    const batch = [snapshot('1')];
    for (let round = 0; round < 2; round += 1) await expect(store.execute(batch)).rejects.toThrow();
    expect(pause.waits).toHaveLength(6);
  });

  it('blames no record when the process ends between two tries', async () => {
    const { warehouse, store, pause } = stand();
    warehouse.failing = () => rowsRefused('poison');
    pause.wait = async () => Promise.reject(new Error('The operation was aborted'));
    await expect(store.execute([snapshot('1')])).rejects.toMatchObject({
      code: 'ANALYTICS.STOPPING',
      kind: 'unavailable',
    });
  });

  it('writes nothing before it knows who was erased, and nothing about them', async () => {
    const { warehouse, suppressions, turns, pause, erase } = stand();
    let known!: () => void;
    const caughtUp = new Promise<void>((resolve) => (known = resolve));
    const telemetry = { repeated: () => undefined, stored: () => undefined };
    const store = new StoreEvents(warehouse, { suppressions, caughtUp }, turns, pause, telemetry);
    const storing = store.execute([snapshot('107'), snapshot('1')]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(warehouse.told).toEqual([]);
    erase('107');
    known();
    await storing;
    await store.execute([snapshot('107')]);
    expect(warehouse.told).toEqual(['write people 1']);
    await store.execute([snapshot('107', 'other')]);
    expect(warehouse.told).toHaveLength(2);
  });

  it('erases whom graph-storage has taken out, also from the same batch, and removes posts', async () => {
    const { warehouse, store } = stand();
    await store.execute([snapshot('1'), snapshot('2'), tombstone('user', '1'), tombstone('post', '2_5')]);
    await store.execute([tombstone('group', '9'), record({ message: undefined, value: null })]);
    expect(warehouse.told).toEqual(['erase demo:vk 1', 'remove posts demo 2_5', 'write people 1']);
  });
});

describe('ForgetErased', () => {
  it('looks twice for a mark, takes out whom it means and then rests', async () => {
    const { warehouse, suppressions, turns, erase } = stand();
    const forget = new ForgetErased(warehouse, suppressions, turns);
    expect(await forget.look()).toBe(0);
    expect(warehouse.told).toEqual([]);
    erase('107');
    warehouse.people = ['1', '107'];
    expect(await forget.look()).toBe(1);
    warehouse.people = ['1'];
    expect([await forget.look(), await forget.look()]).toEqual([0, 0]);
    expect(warehouse.told).toEqual(['look', 'erase demo:vk 107', 'look']);
  });

  it('tries again after a failure', async () => {
    const { warehouse, suppressions, turns, erase } = stand();
    const forget = new ForgetErased(warehouse, suppressions, turns);
    erase('107');
    const peopleIn = warehouse.peopleIn.bind(warehouse);
    warehouse.peopleIn = async () => {
      throw warehouseUnavailable('away');
    };
    await expect(forget.look()).rejects.toThrow();
    warehouse.peopleIn = peopleIn;
    await forget.look();
    await forget.look();
    await forget.look();
    expect(warehouse.told).toEqual(['look', 'look']);
  });
});

describe('OneAtATime', () => {
  it('begins a piece of work when the one before has ended, well or not', async () => {
    const turns = new OneAtATime();
    const steps: string[] = [];
    const work =
      (name: string, fails = false) =>
      async (): Promise<string> => {
        steps.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        steps.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      };
    const first = turns.run(work('a', true));
    const second = turns.run(work('b'));
    await expect(first).rejects.toThrow('a');
    expect(await second).toBe('b');
    expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });
});
