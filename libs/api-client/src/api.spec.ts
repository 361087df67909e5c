import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Api, pathOf, withQuery } from './api';
import { RenewedTokens } from './tokens';

interface Seen {
  request: string;
  token: string | undefined;
  key: string | undefined;
  body: string;
}

describe('the API', () => {
  let server: Server;
  let url: string;
  let seen: Seen[];
  let answers: { status: number; body?: unknown; headers?: Record<string, string> }[];
  let tokens: number;

  const api = (patienceMs = 5000): Api =>
    new Api({
      gatewayUrl: `${url}/`,
      patienceMs,
      tokens: new RenewedTokens(() => Promise.resolve({ accessToken: `t${++tokens}`, renewAt: Infinity })),
    });

  beforeAll(async () => {
    server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        seen.push({
          request: `${request.method} ${request.url}`,
          token: request.headers.authorization,
          key: request.headers['idempotency-key'] as string | undefined,
          body,
        });
        const answer = answers.shift() ?? { status: 200, body: {} };
        response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    seen = [];
    answers = [];
    tokens = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('repeats a GET while the fleet is away', async () => {
    answers = [
      { status: 502 },
      { status: 503, headers: { 'retry-after': '0' } },
      { status: 200, body: { a: 1 } },
    ];
    expect(await api().get('/v1/x', { limit: 2, cursor: undefined })).toEqual({ a: 1 });
    expect(seen.map(({ request }) => request)).toEqual(Array(3).fill('GET /v1/x?limit=2'));
  });

  it('gives up when its patience is over, and at once on what will not pass', async () => {
    answers = [{ status: 503, headers: { 'retry-after': '9' } }, { status: 500 }];
    await expect(api().get('/v1/x')).rejects.toMatchObject({ status: 503, retryAfterMs: 9000 });
    await expect(api().get('/v1/x')).rejects.toMatchObject({ status: 500 });
    expect(seen).toHaveLength(2);
  });

  it('repeats what creates, under one key', async () => {
    answers = [
      { status: 504 },
      { status: 409, body: { detail: 'Still being carried out.', code: 'REQUEST.IN_PROGRESS' } },
      { status: 202, body: { id: 'i' } },
    ];
    expect(await api().create('/v1/x', { a: 1 })).toEqual({ id: 'i' });
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(1);
    expect(seen[0]).toMatchObject({ request: 'POST /v1/x', body: '{"a":1}' });
    expect(seen[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
    await api().create('/v1/x', {}, 'mine');
    expect(seen[3]?.key).toBe('mine');
  });

  it('never repeats another POST', async () => {
    answers = [{ status: 503 }];
    await expect(api().post('/v1/x/pause')).rejects.toMatchObject({ status: 503 });
    expect(seen).toEqual([{ request: 'POST /v1/x/pause', token: 'Bearer t1', key: undefined, body: '' }]);
  });

  it('takes another token once when its own is refused', async () => {
    answers = [{ status: 401 }, { status: 200, body: { a: 1 } }, { status: 401 }, { status: 401 }];
    const one = api();
    expect(await one.post('/v1/x', {})).toEqual({ a: 1 });
    await expect(one.get('/v1/x')).rejects.toMatchObject({ status: 401 });
    expect(seen.map(({ token }) => token)).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2', 'Bearer t3']);
  });

  it('follows no redirect: it would take the token along', async () => {
    answers = [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }];
    await expect(api(0).get('/v1/x')).rejects.toThrow('fetch failed');
  });

  it('reads a list page by page', async () => {
    answers = [
      { status: 200, body: { items: [1, 2], next: 'c/2' } },
      { status: 200, body: { items: [3], next: null } },
    ];
    const items: number[] = [];
    for await (const item of api().items<number>('/v1/x', { state: 'paused' })) items.push(item);
    expect(items).toEqual([1, 2, 3]);
    expect(seen.map(({ request }) => request)).toEqual([
      'GET /v1/x?limit=200&state=paused',
      'GET /v1/x?limit=200&state=paused&cursor=c%2F2',
    ]);
  });

  it('ends when it is told to', async () => {
    const ended = new AbortController();
    ended.abort(new Error('enough'));
    const one = new Api({
      gatewayUrl: url,
      tokens: new RenewedTokens(() => Promise.resolve({ accessToken: 't', renewAt: Infinity })),
      signal: ended.signal,
    });
    await expect(one.get('/v1/x')).rejects.toThrow('enough');
  });
});

describe('a path', () => {
  it('holds whatever its parts are', () => {
    expect(pathOf`/v1/people/${'vk'}/${'a/b?c#d e'}/friends`).toBe('/v1/people/vk/a%2Fb%3Fc%23d%20e/friends');
    expect(withQuery('/x?a=1', { b: 'c&d', e: false, f: undefined })).toBe('/x?a=1&b=c%26d&e=false');
    expect(withQuery('/x', { f: undefined })).toBe('/x');
  });

  it.each(['', '.', '..'])('refuses "%s", which would lead elsewhere', (part) => {
    expect(() => pathOf`/v1/keys/${part}`).toThrow(new RangeError(`"${part}" cannot be part of a path`));
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of request) body += String(piece);
  return body;
}
