import type { TokenLife } from '@sociograph/auth';
import type { FeedEvent } from '../projections/event-feed';
import { EventFeedStream } from './event-feed-stream';

const NOW = 1_795_000_000_000;
const event = (data: unknown): FeedEvent => ({
  specversion: '1.0',
  id: 'e-1',
  source: 'spec',
  type: 'sociograph.imports.import-changed.v1',
  time: new Date(NOW).toISOString(),
  datacontenttype: 'application/json',
  data,
  cursor: 'abc',
});

describe('EventFeedStream', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
  afterEach(() => jest.useRealTimers());

  const token = (expiresInMs: number): TokenLife => ({
    expiresAt: NOW + expiresInMs,
    isTakenBack: async () => false,
  });
  const textOf = (stream: EventFeedStream): string => String(stream.readable.read() ?? '');

  it('gives an event its name, its data and the cursor after it as id', async () => {
    const stream = new EventFeedStream(undefined, NOW);
    expect(textOf(stream)).toBe("retry: 1000\n: a workspace's events\n\n");
    await stream.next(event({ importId: 'i' }));
    expect(textOf(stream)).toBe(
      `id: abc\nevent: sociograph.imports.import-changed\ndata: ${JSON.stringify(event({ importId: 'i' }))}\n\n`,
    );
    stream.readable.destroy();
  });

  it('comments every 15 s and ends when the token expires, with the reason', () => {
    const stream = new EventFeedStream(token(30_000), NOW);
    textOf(stream);
    jest.advanceTimersByTime(14_999);
    expect(textOf(stream)).toBe('');
    jest.advanceTimersByTime(1);
    expect(textOf(stream)).toBe(': still here\n\n');
    jest.advanceTimersByTime(15_000);
    expect(textOf(stream)).toContain('event: end\ndata: {"reason":"token-expired"}\n\n');
    stream.end('shutting-down');
    expect(textOf(stream)).toBe('');
  });

  it('lets a client go that does not read its end within a minute', async () => {
    const stream = new EventFeedStream(token(1_000), NOW);
    jest.advanceTimersByTime(1_000);
    jest.advanceTimersByTime(59_999);
    expect(stream.readable.destroyed).toBe(false);
    jest.advanceTimersByTime(1);
    expect(stream.readable.destroyed).toBe(true);
  });

  it('lets the reading of the log go on when it ends', async () => {
    const stream = new EventFeedStream(undefined, NOW);
    const waiting = stream.next(event('x'.repeat(600 * 1024)));
    stream.end('shutting-down');
    await waiting;
    expect(stream.readable.destroyed).toBe(false);
    stream.readable.destroy();
  });

  it('makes the reading of the log wait for a slow client, and lets one go that takes nothing for a minute', async () => {
    const stream = new EventFeedStream(undefined, NOW);
    const closed = jest.fn();
    stream.onClosed(closed);
    let roomy = false;
    const waiting = stream.next(event('x'.repeat(600 * 1024))).then(() => (roomy = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(roomy).toBe(false);
    while (stream.readable.read() !== null);
    await waiting;
    const stuck = stream.next(event('x'.repeat(600 * 1024)));
    jest.advanceTimersByTime(60_000);
    await stuck;
    expect([stream.readable.destroyed, closed.mock.calls.length]).toEqual([true, 1]);
    await stream.next(event('nobody reads this'));
    const late = jest.fn();
    stream.onClosed(late);
    expect(late).toHaveBeenCalledTimes(1);
  });
});
