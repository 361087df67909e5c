import { serverSentEvents, type ServerSentEvent } from './server-sent-events';

async function parsed(...pieces: (string | Uint8Array)[]): Promise<ServerSentEvent[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) {
      await Promise.resolve();
      yield typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
    }
  }
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(body())) events.push(event);
  return events;
}

describe('a stream of events', () => {
  it('is parsed as the standard says', async () => {
    expect(
      await parsed(
        'retry: 1\n: a comment\nid: 1\nevent: progress\ndata: a\ndata:b\ndata\n\n',
        'data:  c\n\n',
        'event: alone\n\n',
        'id: 2\ndata: d\n\nid\ndata: e\n\nid: x\0\ndata: f\n\n',
      ),
    ).toEqual([
      { event: 'progress', id: '1', data: 'a\nb\n' },
      { event: 'message', id: '1', data: ' c' },
      { event: 'message', id: '2', data: 'd' },
      { event: 'message', id: '', data: 'e' },
      { event: 'message', id: '', data: 'f' },
    ]);
  });

  it.each([['\n'], ['\r'], ['\r\n']])('ends its lines with %j, wherever it was cut', async (end) => {
    const text = ['id: 7', 'data: a', 'data: b', '', ''].join(end);
    for (let at = 0; at <= text.length; at++) {
      expect(await parsed(text.slice(0, at), text.slice(at))).toEqual([
        { event: 'message', id: '7', data: 'a\nb' },
      ]);
    }
  });

  it('keeps characters whole that were cut', async () => {
    const bytes = new TextEncoder().encode('data: ёж\n\n');
    for (let at = 0; at <= bytes.length; at++) {
      expect(await parsed(bytes.slice(0, at), bytes.slice(at))).toMatchObject([{ data: 'ёж' }]);
    }
  });

  it('drops an event that was cut off', async () => {
    expect(await parsed('data: a\n\ndata: b\n')).toMatchObject([{ data: 'a' }]);
  });

  it('is no stream when a line has no end', async () => {
    await expect(parsed('x'.repeat(1_000_001))).rejects.toThrow('The stream holds a line that is no event');
  });
});
