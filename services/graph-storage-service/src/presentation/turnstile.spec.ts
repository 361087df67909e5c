import { Turnstile } from './turnstile';

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

describe('Turnstile', () => {
  const silent = async (): Promise<void> => {};

  it('lets as many through as there are places, the others in order', async () => {
    const waiting: number[] = [];
    const turnstile = new Turnstile(2, (count) => waiting.push(count));
    const gates = [deferred(), deferred(), deferred(), deferred()];
    const started: number[] = [];
    const passes = gates.map((gate, i) =>
      turnstile.pass(async () => {
        started.push(i);
        await gate.promise;
        return i;
      }, silent),
    );
    expect(started).toEqual([0, 1]);
    gates[1]?.resolve();
    await passes[1];
    await new Promise(setImmediate);
    expect(started).toEqual([0, 1, 2]);
    gates.forEach((gate) => gate.resolve());
    expect(await Promise.all(passes)).toEqual([0, 1, 2, 3]);
    expect([Math.max(...waiting), waiting.at(-1)]).toEqual([2, 0]);
  });

  it('gives the place back when the work fails', async () => {
    const turnstile = new Turnstile(1);
    await expect(turnstile.pass(async () => Promise.reject(new Error('no')), silent)).rejects.toThrow('no');
    await expect(turnstile.pass(async () => 'yes', silent)).resolves.toBe('yes');
  });

  it('stops waiting when the partition was taken away', async () => {
    jest.useFakeTimers();
    try {
      const turnstile = new Turnstile(1);
      const gate = deferred();
      const inside = turnstile.pass(() => gate.promise, silent);
      const lost = turnstile.pass(
        async () => 'never',
        async () => Promise.reject(new Error('taken away')),
      );
      const failure = expect(lost).rejects.toThrow('taken away');
      await jest.advanceTimersByTimeAsync(1_000);
      await failure;
      gate.resolve();
      await inside;
      await expect(turnstile.pass(async () => 'next', silent)).resolves.toBe('next');
    } finally {
      jest.useRealTimers();
    }
  });
});
