import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError } from '@sociograph/kernel';
import type { EventBatch } from '@sociograph/messaging';
import { Gathering } from './gathering';
import { Turnstile } from './turnstile';

const silent = async (): Promise<void> => undefined;

function batchOf(partition: number, records = 1, heartbeat = silent): EventBatch {
  return {
    partition,
    records: new Array(records).fill({}),
    positions: {},
    deadLettered: [],
    heartbeat,
  } as EventBatch;
}

describe('Gathering', () => {
  let groups: number[][];
  let gates: (() => void)[];

  /** Work that is done when its gate is opened. */
  const held = (batches: readonly EventBatch[]): Promise<void> => {
    groups.push(batches.map(({ partition }) => partition));
    return new Promise((resolve) => gates.push(resolve));
  };
  const at = (count: number) => async (): Promise<void> => {
    while (groups.length < count) await new Promise((resolve) => setImmediate(resolve));
  };

  beforeEach(() => {
    groups = [];
    gates = [];
  });

  it('does together what arrives in one turn, and afterwards what came meanwhile', async () => {
    const gathering = new Gathering(new Turnstile(1), held);
    const first = [gathering.join(batchOf(0)), gathering.join(batchOf(1))];
    await at(1)();
    const later = [gathering.join(batchOf(2)), gathering.join(batchOf(3)), gathering.join(batchOf(4))];
    gates[0]?.();
    await Promise.all(first);
    await at(2)();
    gates[1]?.();
    await Promise.all(later);
    expect(groups).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
  });

  it('works in the trace of the first of them, not of the group before', async () => {
    const trace = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const gathering = new Gathering(new Turnstile(1), async (batches) => {
      seen.push(trace.getStore());
      await held(batches);
    });
    const join = (name: string, partition: number) =>
      trace.run(name, () => gathering.join(batchOf(partition)));
    const first = join('a', 0);
    await at(1)();
    const later = [join('b', 1), join('c', 2)];
    gates[0]?.();
    await at(2)();
    gates[1]?.();
    await Promise.all([first, ...later]);
    expect(seen).toEqual(['a', 'b']);
  });

  it('takes 2,000 records at a time, or one batch that has more; the rest goes beside it where there is a place', async () => {
    const gathering = new Gathering(new Turnstile(2), held);
    const all = [1_500, 500, 1, 2_500, 1].map((records, partition) =>
      gathering.join(batchOf(partition, records)),
    );
    await at(2)();
    expect(groups).toEqual([[0, 1], [2]]);
    gates[0]?.();
    await at(3)();
    expect(groups[2]).toEqual([3]);
    gates[1]?.();
    await at(4)();
    expect(groups[3]).toEqual([4]);
    gates.forEach((open) => open());
    await Promise.all(all);
  });

  it('looks batch by batch for the one to blame', async () => {
    const tried: number[][] = [];
    const gathering = new Gathering(new Turnstile(1), async (batches) => {
      tried.push(batches.map(({ partition }) => partition));
      if (batches.some(({ partition }) => partition === 1)) throw new Error('poison');
    });
    const ends = await Promise.allSettled([0, 1, 2].map((partition) => gathering.join(batchOf(partition))));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(tried).toEqual([[0, 1, 2], [0], [1], [2]]);
  });

  it('blames nobody for a server that is away', async () => {
    let tries = 0;
    const away = new DomainError({ code: 'STORE.AWAY', kind: 'unavailable', message: 'away' });
    const gathering = new Gathering(new Turnstile(1), async () => {
      tries += 1;
      throw away;
    });
    const ends = await Promise.allSettled([0, 1].map((partition) => gathering.join(batchOf(partition))));
    expect([tries, ends]).toEqual([1, [0, 1].map(() => ({ status: 'rejected', reason: away }))]);
  });

  it('does nothing alone for partitions that were taken away', async () => {
    const lost = new Error('taken away');
    let tries = 0;
    const gathering = new Gathering(new Turnstile(1), async () => {
      tries += 1;
      throw new Error('poison');
    });
    const taken = async (): Promise<void> => Promise.reject(lost);
    const ends = await Promise.allSettled([0, 1].map((n) => gathering.join(batchOf(n, 1, taken))));
    expect([tries, ends]).toEqual([1, [0, 1].map(() => ({ status: 'rejected', reason: lost }))]);
  });

  it('goes on with the others when the one that waits for all hears that it lost its partition', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const turnstile = new Turnstile(1);
      const gathering = new Gathering(turnstile, held);
      let leave!: () => void;
      const inside = turnstile.pass(() => new Promise<void>((resolve) => (leave = resolve)), silent);
      const lost = expect(
        gathering.join(batchOf(0, 1, async () => Promise.reject(new Error('taken away')))),
      ).rejects.toThrow('taken away');
      const other = gathering.join(batchOf(1));
      await jest.advanceTimersByTimeAsync(1_000);
      await lost;
      leave();
      await inside;
      await at(1)();
      gates[0]?.();
      await other;
      expect(groups).toEqual([[1]]);
    } finally {
      jest.useRealTimers();
    }
  });
});
