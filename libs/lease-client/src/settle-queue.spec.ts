import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError, type ErrorKind } from '@sociograph/kernel';
import { eventually } from '@sociograph/testing';
import { SettleQueue, type SettleResult } from './settle-queue';

interface Asked {
  settles: unknown[];
  answer(results: SettleResult[]): void;
  fail(error: unknown): void;
}

function setUp() {
  const asked: Asked[] = [];
  const onGivenUp = jest.fn();
  const at = { now: 0 };
  const queue = new SettleQueue({
    ask: (settles) => new Promise((answer, fail) => asked.push({ settles, answer, fail })),
    monotonicMs: () => at.now,
    onGivenUp,
  });
  const add = (id: string, urgent = false) => queue.add({ id }, urgent);
  const ids = () => asked.map(({ settles }) => (settles as { id: string }[]).map(({ id }) => id).join(' '));
  return { asked, onGivenUp, at, queue, add, ids };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const failure = (kind: ErrorKind, reason = '') =>
  new DomainError({ code: 'LEASE.X', kind, message: 'x', facts: { reason } });

describe('settles on their way', () => {
  it('travel together when they come together', async () => {
    const { asked, add, ids } = setUp();
    const results = [add('a'), add('b'), add('c')];
    await turn();
    expect(ids()).toEqual(['a b c']);
    asked[0]?.answer(['settled', 'late']);
    expect(await Promise.all(results)).toEqual(['settled', 'late', 'unknown']);
  });

  it('go in the trace of the first of them, not of whose request made room', async () => {
    const trace = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const answers: (() => void)[] = [];
    const queue = new SettleQueue({
      ask: async (settles) => {
        seen.push(trace.getStore());
        await new Promise<void>((resolve) => answers.push(resolve));
        return settles.map(() => 'settled' as const);
      },
      monotonicMs: () => 0,
    });
    const all: Promise<SettleResult>[] = [];
    for (const id of ['a', 'b', 'c']) {
      all.push(trace.run(id, () => queue.add({ id }, false)));
      await turn();
    }
    expect(seen).toEqual(['a', 'b']);
    answers[0]?.();
    await turn();
    await turn();
    expect(seen).toEqual(['a', 'b', 'c']);
    for (const answer of answers) answer();
    await Promise.all(all);
  });

  it('wait for each other while two requests are under way; urgent ones while four are', async () => {
    const { asked, add, ids } = setUp();
    const all: Promise<SettleResult>[] = [];
    for (const id of ['a', 'b', 'c']) {
      all.push(add(id));
      await turn();
    }
    expect(ids()).toEqual(['a', 'b']);
    all.push(add('D', true));
    await turn();
    // What waits goes along behind the urgent one.
    expect(ids()).toEqual(['a', 'b', 'D c']);
    all.push(add('e'), add('F', true));
    await turn();
    all.push(add('G', true));
    await turn();
    expect(ids()).toEqual(['a', 'b', 'D c', 'F e']);
    asked[0]?.answer(['settled']);
    await turn();
    await turn();
    expect(ids().at(-1)).toBe('G');
    for (const { settles, answer } of asked.slice(1)) answer(settles.map(() => 'settled' as const));
    expect(await Promise.all(all)).toEqual(all.map(() => 'settled'));
  });

  it('are a hundred at most in one request', async () => {
    const { asked, add } = setUp();
    for (let i = 0; i < 150; i += 1) void add(`s${i}`);
    await turn();
    expect(asked.map(({ settles }) => settles.length)).toEqual([100, 50]);
  });

  it('are repeated while the pool is away, after a pause, and given up after 30 s', async () => {
    const { asked, add, at, onGivenUp, ids } = setUp();
    const first = add('a');
    await turn();
    asked[0]?.fail(failure('unavailable'));
    await turn();
    at.now = 1;
    const second = add('b');
    await turn();
    expect(ids()).toEqual(['a']);
    await eventually(() => expect(ids()).toEqual(['a', 'a b']), { timeoutMs: 1_000, everyMs: 5 });
    at.now = 30_000;
    asked[1]?.fail(failure('unavailable'));
    await expect(first).rejects.toMatchObject({ kind: 'unavailable' });
    expect(onGivenUp).toHaveBeenCalledTimes(1);
    await eventually(() => expect(ids()).toEqual(['a', 'a b', 'b']), { timeoutMs: 1_000, everyMs: 5 });
    asked[2]?.answer(['settled']);
    expect(await second).toBe('settled');
  });

  it('are not repeated when the pool refused them', async () => {
    const { asked, add, onGivenUp } = setUp();
    const refused = add('a');
    await turn();
    asked[0]?.fail(failure('forbidden', 'forged'));
    await expect(refused).rejects.toMatchObject({ kind: 'forbidden' });
    const bug = add('b');
    await turn();
    asked[1]?.fail(new Error('a bug'));
    await expect(bug).rejects.toThrow('a bug');
    expect(onGivenUp).toHaveBeenCalledTimes(2);
  });

  it('travel alone after one of them was malformed', async () => {
    const { asked, add, ids } = setUp();
    const [good, bad] = [add('good'), add('bad')];
    await turn();
    asked[0]?.fail(failure('forbidden', 'malformed'));
    await turn();
    await turn();
    expect(ids()).toEqual(['good bad', 'good', 'bad']);
    asked[1]?.answer(['settled']);
    asked[2]?.fail(failure('forbidden', 'malformed'));
    expect(await good).toBe('settled');
    await expect(bad).rejects.toMatchObject({ facts: { reason: 'malformed' } });
  });

  it('get one more chance at the end', async () => {
    const { asked, add, queue } = setUp();
    const [kept, lost] = [add('kept'), add('lost', true)];
    const lostFails = expect(lost).rejects.toMatchObject({ kind: 'unavailable' });
    await turn();
    asked[0]?.fail(failure('unavailable'));
    await turn();
    const closed = queue.close();
    await turn();
    await turn();
    expect(asked[1]?.settles).toHaveLength(2);
    asked[1]?.fail(failure('unavailable'));
    await expect(kept).rejects.toMatchObject({ kind: 'unavailable' });
    await lostFails;
    await closed;
    expect(asked).toHaveLength(2);
  });
});
