import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError } from '@sociograph/kernel';
import { Together } from './together';

function setUp(most = 16) {
  const done: number[][] = [];
  const open: (() => void)[] = [];
  let fails: (tasks: readonly number[]) => unknown = () => undefined;
  const together = new Together<number, number>(async (tasks) => {
    done.push([...tasks]);
    await new Promise<void>((resolve) => open.push(resolve));
    const error = fails(tasks);
    if (error !== undefined) throw error;
    return tasks.map((task) => task * 10);
  }, most);
  const next = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    open.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { together, done, next, failing: (by: typeof fails) => (fails = by) };
}

describe('doing tasks together', () => {
  it('begins at once, and does together what comes meanwhile', async () => {
    const { together, done, next } = setUp();
    const results = [1, 2, 3].map((task) => together.add('a', task));
    expect(done).toEqual([[1]]);
    await next();
    expect(done).toEqual([[1], [2, 3]]);
    await next();
    expect(await Promise.all(results)).toEqual([10, 20, 30]);
    const later = together.add('a', 4);
    expect(done).toEqual([[1], [2, 3], [4]]);
    await next();
    expect(await later).toBe(40);
  });

  it('works in the trace of the first of them, not of the piece before', async () => {
    const trace = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const together = new Together<number, number>(async (tasks) => {
      seen.push(trace.getStore());
      await new Promise((resolve) => setImmediate(resolve));
      return [...tasks];
    }, 16);
    await Promise.all(['a', 'b', 'c'].map((name, n) => trace.run(name, () => together.add('x', n))));
    expect(seen).toEqual(['a', 'b']);
  });

  it('does no more than so many together', async () => {
    const { together, done, next } = setUp(2);
    const results = [1, 2, 3, 4].map((task) => together.add('a', task));
    for (let round = 0; round < 3; round += 1) await next();
    expect(await Promise.all(results)).toEqual([10, 20, 30, 40]);
    expect(done).toEqual([[1], [2, 3], [4]]);
  });

  it('keeps names apart', async () => {
    const { together, done, next } = setUp();
    const results = [together.add('a', 1), together.add('b', 2)];
    expect(done).toEqual([[1], [2]]);
    await next();
    await next();
    expect(await Promise.all(results)).toEqual([10, 20]);
  });

  it('fails nobody for the sake of another one', async () => {
    const { together, done, next, failing } = setUp();
    failing((tasks) => (tasks.includes(3) ? new Error('three') : undefined));
    const results = [1, 2, 3].map((task) => together.add('a', task).catch((error: Error) => error.message));
    for (let round = 0; round < 4; round += 1) await next();
    expect(await Promise.all(results)).toEqual([10, 20, 'three']);
    expect(done).toEqual([[1], [2, 3], [2], [3]]);
  });

  it('tells everybody that the server is away, and asks it once', async () => {
    const { together, done, next, failing } = setUp();
    const away = new DomainError({ code: 'X.AWAY', kind: 'unavailable', message: 'away' });
    failing((tasks) => (tasks.length > 1 ? away : undefined));
    const results = [1, 2, 3].map((task) =>
      together.add('a', task).catch((error: DomainError) => error.code),
    );
    for (let round = 0; round < 2; round += 1) await next();
    expect(await Promise.all(results)).toEqual([10, 'X.AWAY', 'X.AWAY']);
    expect(done).toEqual([[1], [2, 3]]);
  });
});
