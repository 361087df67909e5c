import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '@sociograph/kernel';
import { VkTokenRefresher } from './vk-token-refresher';

const PAIR = { access_token: 'vk1.a.next-token', refresh_token: 'vk2.a.next-refresh' };
const REQUEST = { refreshToken: new Secret('vk2.a.refresh'), clientId: 'app', deviceId: 'device' };

describe('the refresh of tokens at VK ID', () => {
  let server: Server;
  let url: string;
  let forms: URLSearchParams[];
  let answer: (response: ServerResponse, form: URLSearchParams) => void;

  beforeEach(async () => {
    forms = [];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (piece: Buffer) => (text += piece.toString()));
      request.on('end', () => {
        forms.push(new URLSearchParams(text));
        answer(response, new URLSearchParams(text));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth2/auth`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  });

  const refresh = () => new VkTokenRefresher({ url, timeoutMs: 300 }).refresh(REQUEST);

  function says(status: number, body: unknown): void {
    answer = (response) => {
      response.statusCode = status;
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
  }

  it('sends the grant as a form and takes the pair with its life', async () => {
    answer = (response, form) =>
      response.end(JSON.stringify({ ...PAIR, expires_in: 3600, state: form.get('state') }));
    const verdict = await refresh();
    if (verdict.kind !== 'renewed') throw new Error(verdict.kind);
    expect([verdict.token.reveal(), verdict.refreshToken.reveal()]).toEqual(Object.values(PAIR));
    expect(verdict.expiresInMs).toBe(3_600_000);
    expect(Object.fromEntries(forms[0] ?? [])).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'vk2.a.refresh',
      client_id: 'app',
      device_id: 'device',
      state: expect.any(String),
    });
  });

  it.each([undefined, 0, 'soon', -1, 1.5])(
    'takes a pair whose life is %s, and plans nothing',
    async (life) => {
      says(200, { ...PAIR, expires_in: life });
      expect(await refresh()).toMatchObject({ kind: 'renewed', expiresInMs: undefined });
    },
  );

  it.each<[number, unknown, object]>([
    [400, { error: 'invalid_grant' }, { kind: 'refused', reason: 'invalid_grant' }],
    [401, { error: 'invalid_client' }, { kind: 'refused', reason: 'invalid_client' }],
    [400, { error: 'slow_down' }, { kind: 'failed', cause: 'slow_down' }],
    [400, 'no JSON', { kind: 'failed', cause: 'status 400' }],
    [400, { error: 'a b' }, { kind: 'failed', cause: 'status 400' }],
    [429, { error: 'invalid_grant' }, { kind: 'failed', cause: 'invalid_grant' }],
    [503, { error: 'temporarily_unavailable' }, { kind: 'failed', cause: 'temporarily_unavailable' }],
    [500, '', { kind: 'failed', cause: 'status 500' }],
    [502, '', { kind: 'lost', cause: 'status 502' }],
    [504, '', { kind: 'lost', cause: 'status 504' }],
    [200, '{"access_token":"vk1.a.n', { kind: 'lost', cause: 'status 200' }],
    [200, { access_token: 'vk1.a.next-token' }, { kind: 'lost', cause: 'status 200' }],
    [200, { ...PAIR, state: 'of another request' }, { kind: 'lost', cause: 'state' }],
  ])('takes status %i with %j for what it says about the pair', async (status, body, verdict) => {
    says(status, body);
    expect(await refresh()).toEqual(verdict);
  });

  it('knows an answer that was lost from a network that was never asked', async () => {
    answer = (response) => response.destroy();
    expect((await refresh()).kind).toBe('lost');
    answer = (response) => {
      response.writeHead(200, { 'content-length': 500 });
      response.write('{"access', () => response.destroy());
    };
    expect((await refresh()).kind).toBe('lost');
    answer = () => undefined;
    expect(await refresh()).toEqual({ kind: 'lost', cause: 'TimeoutError' });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(await refresh()).toEqual({ kind: 'failed', cause: 'ECONNREFUSED' });
  });
});
