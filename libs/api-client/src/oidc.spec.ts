import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OAuthRefused, OidcClient } from './oidc';

describe('a public client of a login server', () => {
  let server: Server;
  let issuer: string;
  let document: Record<string, string>;
  let answers: { status: number; body: unknown }[];
  let forms: { path: string; form: Record<string, string> }[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => (body += String(piece)));
      request.on('end', () => {
        if (request.method === 'GET') return void response.end(JSON.stringify(document));
        forms.push({ path: request.url ?? '', form: Object.fromEntries(new URLSearchParams(body)) });
        const answer = answers.shift() ?? { status: 500, body: '' };
        response.writeHead(answer.status).end(JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/r`;
  });
  beforeEach(() => {
    answers = [];
    forms = [];
    document = {
      issuer,
      token_endpoint: `${issuer}/token`,
      device_authorization_endpoint: `${issuer}/device`,
      revocation_endpoint: `${issuer}/revoke`,
    };
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const refused = (error: string): { status: number; body: unknown } => ({ status: 400, body: { error } });
  const device = { device_code: 'd', user_code: 'AB-CD', verification_uri: 'u', expires_in: 600 };

  it('asks for a code and polls at the pace that it is told', async () => {
    const client = await OidcClient.discover(issuer, 'cli');
    answers = [
      { status: 200, body: { ...device, interval: 2 } },
      refused('authorization_pending'),
      refused('slow_down'),
      refused('authorization_pending'),
      { status: 200, body: { access_token: 'a', refresh_token: 'r', expires_in: 300 } },
    ];
    const started = await client.startDevice();
    const pauses: number[] = [];
    const sleep = (ms: number): Promise<void> => Promise.resolve(void pauses.push(ms));
    expect(await client.awaitDevice(started, { sleep })).toMatchObject({ access_token: 'a' });
    expect(pauses).toEqual([2000, 2000, 7000, 7000]);
    expect(forms[0]).toEqual({ path: '/realms/r/device', form: { client_id: 'cli', scope: 'openid' } });
    expect(forms[1]).toEqual({
      path: '/realms/r/token',
      form: {
        client_id: 'cli',
        device_code: 'd',
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      },
    });
  });

  it.each(['access_denied', 'expired_token'])('stops polling at %s', async (error) => {
    const client = await OidcClient.discover(issuer, 'cli');
    answers = [refused('authorization_pending'), refused(error)];
    const pauses: number[] = [];
    const sleep = (ms: number): Promise<void> => Promise.resolve(void pauses.push(ms));
    await expect(client.awaitDevice(device, { sleep })).rejects.toMatchObject({ code: error });
    expect(pauses).toEqual([5000, 5000]);
  });

  it('uses up and revokes refresh tokens', async () => {
    const client = await OidcClient.discover(issuer, 'cli');
    answers = [
      { status: 200, body: { access_token: 'a2', refresh_token: 'r2', expires_in: 300 } },
      { status: 200, body: '' },
      { status: 400, body: { error: 'invalid_grant', error_description: 'Session not active' } },
      { status: 502, body: 'a proxy' },
    ];
    expect(await client.refresh('r1')).toMatchObject({ access_token: 'a2', refresh_token: 'r2' });
    await client.revoke('r2');
    await expect(client.refresh('r2')).rejects.toEqual(
      new OAuthRefused('invalid_grant', 'Session not active'),
    );
    await expect(client.refresh('r2')).rejects.toMatchObject({ name: 'UnexpectedAnswer', status: 502 });
    expect(forms.map(({ form }) => form)).toEqual([
      { client_id: 'cli', grant_type: 'refresh_token', refresh_token: 'r1' },
      { client_id: 'cli', token: 'r2', token_type_hint: 'refresh_token' },
      { client_id: 'cli', grant_type: 'refresh_token', refresh_token: 'r2' },
      { client_id: 'cli', grant_type: 'refresh_token', refresh_token: 'r2' },
    ]);
  });

  it('trusts no document that names another issuer', async () => {
    document['issuer'] = 'http://elsewhere';
    await expect(OidcClient.discover(issuer, 'cli')).rejects.toMatchObject({ code: 'wrong_issuer' });
  });

  it('says when the server offers no codes', async () => {
    delete document['device_authorization_endpoint'];
    const client = await OidcClient.discover(issuer, 'cli');
    await expect(client.startDevice()).rejects.toMatchObject({ code: 'no_device_flow' });
  });
});
