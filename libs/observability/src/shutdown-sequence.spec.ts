import { createLogger, type Logger } from './logger';
import { ShutdownSequence } from './shutdown-sequence';

describe('the end of a process', () => {
  let lines: Record<string, unknown>[];
  let logger: Logger;
  let exits: number[];
  let sequence: ShutdownSequence;

  beforeEach(() => {
    lines = [];
    exits = [];
    const destination = {
      write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
    };
    logger = createLogger({ service: 's', instance: '1', level: 'info', destination });
    sequence = new ShutdownSequence({ logger, exit: (code) => void exits.push(code) });
  });
  afterEach(() => jest.useRealTimers());

  it('goes through its stages in order, whatever the order of their steps', async () => {
    const order: string[] = [];
    for (const stage of ['close', 'flush', 'stop-taking', 'finish'] as const) {
      sequence.add(stage, stage, async () => {
        await Promise.resolve();
        order.push(stage);
      });
    }
    await sequence.exit('SIGTERM');
    expect(order).toEqual(['stop-taking', 'finish', 'flush', 'close']);
    expect(exits).toEqual([0]);
  });

  it('runs once, however often it is asked', async () => {
    const step = jest.fn();
    sequence.add('finish', 'x', step);
    await Promise.all([sequence.run('a'), sequence.run('b')]);
    expect(step).toHaveBeenCalledTimes(1);
  });

  it('goes on after a step that fails, and exits with 1', async () => {
    const after = jest.fn();
    sequence.add('finish', 'broken', () => {
      throw new Error('x');
    });
    sequence.add('close', 'after', after);
    await sequence.exit('SIGTERM');
    expect(after).toHaveBeenCalledTimes(1);
    expect(exits).toEqual([1]);
    expect(
      lines.some((line) => line['msg'] === 'a step of the shutdown failed' && line['step'] === 'broken'),
    ).toBe(true);
  });

  it('leaves a step behind that hangs, and is over within 5 s', async () => {
    jest.useFakeTimers({ now: 0 });
    for (const stage of ['stop-taking', 'finish', 'flush', 'close'] as const) {
      sequence.add(stage, stage, () => new Promise(() => undefined));
    }
    const done = sequence.exit('SIGTERM');
    await jest.advanceTimersByTimeAsync(4_790);
    expect(exits).toEqual([]);
    await jest.advanceTimersByTimeAsync(20);
    await done;
    expect(exits).toEqual([1]);
    expect(lines.filter((line) => line['msg'] === 'a step of the shutdown took too long')).toHaveLength(4);
  });

  it('gives a stage the time that earlier ones saved', async () => {
    jest.useFakeTimers({ now: 0 });
    sequence.add('finish', 'slow', () => new Promise((resolve) => setTimeout(resolve, 3_400)));
    const done = sequence.exit('SIGTERM');
    await jest.advanceTimersByTimeAsync(3_400);
    await done;
    expect(exits).toEqual([0]);
  });

  it('starts at the first signal', async () => {
    const stopped = new Promise<void>((resolve) => sequence.add('close', 'x', resolve));
    sequence.install(['SIGUSR2']);
    process.emit('SIGUSR2');
    await stopped;
    process.removeAllListeners('SIGUSR2');
    expect(lines[0]).toMatchObject({ reason: 'SIGUSR2', msg: 'shutting down' });
  });
});
