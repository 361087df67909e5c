import { connect } from 'node:net';
import { readExport } from './otlp';
import { type Receiver, startReceiver } from './receiver';
import type { StoredSpan } from './stored-span';

const EXPORT = {
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              traceId: '0af7651916cd43dd8448eb211c80319c',
              spanId: 'b7ad6b7169203331',
              name: 'x',
              startTimeUnixNano: '1',
              endTimeUnixNano: '2',
            },
            { traceId: 'none' },
          ],
        },
      ],
    },
  ],
};

describe('the receiver of traces', () => {
  let receiver: Receiver;
  let kept: StoredSpan[];
  let failure: Error | undefined;
  beforeEach(async () => {
    kept = [];
    failure = undefined;
    const add = (spans: readonly StoredSpan[]): void => {
      if (failure !== undefined) throw failure;
      kept.push(...spans);
    };
    receiver = await startReceiver({ add }, 0);
  });
  afterEach(() => receiver.close());

  const ask = async (path: string, init?: RequestInit): Promise<[number, unknown]> => {
    const answer = await fetch(`http://127.0.0.1:${receiver.port}${path}`, init);
    return [answer.status, await answer.json()];
  };
  const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    ask('/v1/traces', { method: 'POST', body, headers });

  it('keeps spans and says how many it did not take', async () => {
    expect(await post(JSON.stringify(EXPORT))).toEqual([
      200,
      {
        partialSuccess: {
          rejectedSpans: '1',
          errorMessage: 'Spans without valid ids, name or times were left out.',
        },
      },
    ]);
    expect(kept).toEqual(readExport(EXPORT)?.spans);
    expect(await post('{"resourceSpans":[]}')).toEqual([200, {}]);
  });

  it.each([
    ['what is no JSON', '{', 400],
    ['what is no export', '{"resourceLogs":[]}', 400],
    ['too much', ' '.repeat(4 * 1024 * 1024 + 1), 413],
  ])('refuses %s', async (_what, body, status) => {
    expect((await post(body))[0]).toBe(status);
    expect(kept).toEqual([]);
  });

  it('takes exactly as much as it says', async () => {
    expect((await post('{"resourceSpans":[]}'.padEnd(4 * 1024 * 1024)))[0]).toBe(200);
  });

  it.each([
    ['protobuf', { 'content-type': 'application/x-protobuf' }],
    ['compressed', { 'content-type': 'application/json', 'content-encoding': 'gzip' }],
  ])('refuses spans that are %s', async (_what, headers) => {
    expect((await post('{"resourceSpans":[]}', headers))[0]).toBe(415);
  });

  it('has nothing else', async () => {
    expect(await ask('/health')).toEqual([200, { status: 'up' }]);
    expect((await ask('/v1/logs', { method: 'POST', body: '{}' }))[0]).toBe(404);
    expect((await ask('/v1/traces'))[0]).toBe(405);
  });

  it('asks for a repeat when it cannot store them', async () => {
    failure = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    expect(await post(JSON.stringify(EXPORT))).toEqual([
      503,
      { message: 'The spans cannot be stored: ENOSPC.' },
    ]);
  });

  it('outlives a sender that leaves in the middle', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(receiver.port, '127.0.0.1', () => {
        socket.write(
          'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
        );
        socket.destroy();
      });
      socket.once('close', () => resolve());
    });
    expect((await post('{"resourceSpans":[]}'))[0]).toBe(200);
  });
});
