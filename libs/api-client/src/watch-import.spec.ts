import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Api } from './api';
import { RenewedTokens } from './tokens';
import { watchImport, type WatchOptions } from './watch-import';
import type { ImportState, ImportView } from './views';

const aView = (state: ImportState, made = 0): ImportView => ({
  id: 'i',
  state,
  counters: {
    people: { known: 0, done: 0 },
    lists: { known: 0, done: 0 },
    calls: { made },
    friendshipObservations: 0,
  },
  frontierClosed: false,
});

describe('the watching of an import', () => {
  let server: Server;
  let api: Api;
  /** What the import is when it is read, one after the other; the last one stays. */
  let views: ImportView[];
  /** What each opening of the stream does. */
  let streams: ((response: ServerResponse) => void)[];
  let opened: (string | undefined)[];
  let reads: number;

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/v1/imports/i') {
        reads += 1;
        const view = views.length > 1 ? views.shift() : views[0];
        return void response.end(JSON.stringify(view));
      }
      const lastEventId = request.headers['last-event-id'] as string | undefined;
      opened.push(lastEventId);
      const stream = streams.shift();
      if (stream === undefined) return void response.writeHead(404).end('{"message":"no Route matched"}');
      stream(response);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const tokens = new RenewedTokens(() => Promise.resolve({ accessToken: 't', renewAt: Infinity }));
    api = new Api({ gatewayUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokens });
  });
  beforeEach(() => {
    [streams, opened, reads] = [[], [], 0];
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const event = (id: number, view: ImportView): string =>
    `id: ${id}\nevent: progress\ndata: ${JSON.stringify(view)}\n\n`;
  const told = async (options?: WatchOptions): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { state, counters } of watchImport(api, 'i', options))
      seen.push(`${state} ${counters.calls.made}`);
    return seen;
  };

  it('reads the import, then its events until it has ended', async () => {
    views = [aView('running'), aView('completed', 3)];
    streams = [
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(
          ': a comment\n\nevent: hello\ndata: {"not":"a view"}\n\nevent: odd\ndata: no json\n\n',
        );
        response.write(event(1, aView('running', 1)) + 'data: {"state":"settling"}\n\n');
        response.write(event(3, aView('completed', 2)));
      },
    ];
    expect(await told()).toEqual(['running 0', 'running 1', 'settling 0', 'completed 3']);
    expect([reads, opened]).toEqual([2, [undefined]]);
  });

  it('takes a stream that broke up where it broke', async () => {
    views = [aView('running'), aView('running'), aView('running'), aView('failed', 9)];
    streams = [
      (response) => {
        response.writeHead(200);
        response.write(event(7, aView('running', 1)));
        setImmediate(() => response.socket?.resetAndDestroy());
      },
      (response) => response.writeHead(503).end(),
      (response) => response.end(event(8, aView('failed', 2))),
    ];
    expect(await told()).toEqual(['running 0', 'running 1', 'running 0', 'running 0', 'failed 9']);
    expect(opened).toEqual([undefined, '7', '7']);
  });

  it('polls where there is no stream', async () => {
    views = [aView('running'), aView('running', 1), aView('cancelled', 1)];
    expect(await told({ pollMs: 1 })).toEqual(['running 0', 'running 1', 'cancelled 1']);
    expect(opened).toEqual([undefined]);
  });

  it('asks the import itself when its stream is quiet', async () => {
    views = [aView('running'), aView('completed')];
    streams = [(response) => void response.writeHead(200).write(': only comments\n\n')];
    expect(await told({ quietMs: 50 })).toEqual(['running 0', 'completed 0']);
  });

  it('opens no stream of an import that has ended', async () => {
    views = [aView('completed')];
    expect(await told()).toEqual(['completed 0']);
    expect(opened).toEqual([]);
  });

  it('tells what will not pass: an import that is not there, a stream that is refused', async () => {
    views = [aView('running')];
    streams = [
      (response) => response.writeHead(403).end('{"detail":"Not permitted.","code":"AUTH.FORBIDDEN"}'),
    ];
    await expect(told()).rejects.toMatchObject({ status: 403 });
  });

  it('ends when it is told to', async () => {
    const ended = new AbortController();
    views = [aView('running')];
    streams = [
      (response) => {
        response.writeHead(200).write(event(1, aView('running', 1)));
        setImmediate(() => ended.abort(new Error('enough')));
      },
    ];
    await expect(told({ signal: ended.signal })).rejects.toThrow('enough');
  });
});
