import { Controller, Get, Module } from '@nestjs/common';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AuthModule, Roles } from '@sociograph/auth';
import { Forge, send } from '@sociograph/testing';
import type { Change } from '@sociograph/testing';
import { startService } from '@sociograph/service-host';
import type { ServiceHandle } from '@sociograph/service-host';
import { renderKong } from '../render/render';
import { parse } from 'yaml';
import { aDocument, aRoute, GatewayBench, Upstream } from './bench';

@Controller('door')
@Roles('viewer')
class DoorController {
  @Get()
  open(): unknown {
    return {};
  }
}

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
type Headers = Record<string, string | string[]>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

/** By the words of the table's first column. */
const rows: Readonly<Record<string, Change | ((forge: Forge) => Headers)>> = {
  'a good token': {},
  'no token': () => ({}),
  'a foreign signature': { foreign: true },
  'another algorithm than RS256': (forge) =>
    bearer(forge.token({ header: { alg: 'HS256' }, hmac: ['sha256', forge.key.publicPem] })),
  'an unknown key id': { header: { kid: 'unknown' } },
  'a key id only in the claims': (forge) =>
    bearer(forge.token({ header: { kid: undefined }, claims: { kid: forge.key.kid } })),
  'another `typ` in the header': { header: { typ: 'at+jwt' } },
  'critical extensions (`crit`)': { header: { crit: ['exp'] } },
  expired: { claims: { exp: inSeconds(-1) } },
  'no expiry': { claims: { exp: undefined } },
  'a life of more than an hour': { claims: { exp: inSeconds(7200) } },
  '`nbf` in the future': { claims: { nbf: inSeconds(120) } },
  '`iat` in the future': { claims: { iat: inSeconds(120) } },
  'another issuer': { claims: { iss: 'http://other' } },
  'another audience': { claims: { aud: 'account' } },
  'a client that is not allowed (`azp`)': { claims: { azp: 'admin-cli' } },
  'an ID or refresh token': { claims: { typ: 'ID' } },
  'no subject': { claims: { sub: undefined } },
  'a malformed workspace': { claims: { workspace_id: ['demo'] } },
  'no workspace': { claims: { workspace_id: undefined } },
  'no role that the route asks for': { claims: { realm_access: { roles: ['analyst'] } } },
  'two Authorization headers': (forge) => ({ authorization: [`Bearer ${forge.token()}`, 'Bearer a.b.c'] }),
  'a token of more than 8 KB': { claims: { filler: 'x'.repeat(8000) } },
};

/** The table of docs/security.md: what is asked, the gateway's answer, a service's own answer. */
function tableOfDocument(): [string, string, string][] {
  const text = readFileSync(join(__dirname, '../../docs/security.md'), 'utf8');
  const section = text.split('<!-- refused -->')[1] ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, what = '', gateway = '', service = '']) => [what, gateway, service]);
}

describe('docs/security.md', () => {
  const upstream = new Upstream();
  let jwks: Server;
  let bench: GatewayBench;
  let service: ServiceHandle;
  let forge: Forge;

  beforeAll(async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' };
    jwks = createServer((_, answer) => answer.end(JSON.stringify({ keys: [jwk] })));
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    const issuer = 'http://issuer';
    forge = new Forge(
      { kid: 'k', privateKey: pair.privateKey, publicPem, remove: () => Promise.resolve() },
      issuer,
      'demo',
    );
    const auth = AuthModule.forRoot({
      issuer,
      jwksUrl: `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/`,
      audience: 'sociograph-api',
      clients: ['sociograph-demo'],
    });
    @Module({ imports: [auth], controllers: [DoorController] })
    class DoorModule {}
    service = await startService({
      module: DoorModule,
      config: {
        SERVICE_NAME: 'door',
        INSTANCE_ID: '0',
        LOG_LEVEL: 'silent',
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: 0,
        MANAGEMENT_PORT: 0,
        HTTP_NOTICE_MS: 0,
      },
      openApi: { title: 'Door' },
      ownsProcess: false,
    });
    await upstream.start();
    // The jwt plugin exactly as it is rendered.
    const rendered = parse(
      renderKong([
        {
          service: 'key-service',
          path: '/v1/a',
          method: 'GET',
          isPublic: false,
          isStream: false,
          beginsWork: false,
          bodyMegabytes: 1,
        },
      ]),
    ) as { services: { routes: { plugins: { name: string }[] }[] }[] };
    const jwt = rendered.services[0]?.routes[0]?.plugins.find(({ name }) => name === 'jwt') as object;
    const credential = { key: 'k', algorithm: 'RS256', rsa_public_key: publicPem };
    const document = aDocument([aRoute('door', ['~/door$'], { plugins: [jwt] })], {
      consumers: [{ username: 'keycloak', jwt_secrets: [credential] }],
    });
    bench = await new GatewayBench(document, [upstream.port]).start();
  });
  afterAll(async () => {
    await bench.stop();
    await service.close();
    await upstream.stop();
    jwks.close();
  });

  it('tells for every row what the gateway and what a service answers', async () => {
    const seen: [string, string, string][] = [];
    for (const [what, change] of Object.entries(rows)) {
      const headers = typeof change === 'function' ? change(forge) : bearer(forge.token(change));
      const answers = await Promise.all(
        [`http://127.0.0.1:${bench.port}`, service.url].map((base) => send(`${base}/door`, 'GET', headers)),
      );
      const words = answers.map(({ status }) => (status === 200 ? 'passes' : String(status)));
      seen.push([what, words[0] ?? '', words[1] ?? '']);
    }
    expect(tableOfDocument()).toEqual(seen);
  }, 60_000);
});
