import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Get, Module } from '@nestjs/common';
import { AuthModule, Roles } from '@sociograph/auth';
import { SystemClock } from '@sociograph/kernel';
import { createHostContext, type ServiceHandle, startService } from '@sociograph/service-host';
import { accessToken, eventually, send, TcpProxy, testServers } from '@sociograph/testing';
import { stringify } from 'yaml';
import { createAdminServer, listenOn } from '../embedded/side-ports';
import { Reconciler } from '../reconciler/reconciler';
import { request } from '../reconciler/request';
import { aDocument, aRoute, GatewayBench, jwtConfig } from './bench';

jest.setTimeout(180_000);

/** Longer than a request takes on a busy machine, short enough to wait for. */
const TOKEN_SECONDS = 8;
const REFRESH_MS = 30_000;

/** Time of a machine whose refresh periods are over whenever the spec says so. */
class MovedClock extends SystemClock {
  moved = 0;
  override monotonicMs(): number {
    return super.monotonicMs() + this.moved;
  }
}

@Controller('v1/things')
class ThingsController {
  @Get()
  @Roles('viewer')
  list(): unknown {
    return {};
  }
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const parsed = (token: string, at: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[at] ?? '', 'base64url').toString()) as Record<string, unknown>;

/** A realm of a real Keycloak under gateway, reconciler and a service; rotated by `npm run rotate:signing-key` itself. */
describe('the signing keys of a realm', () => {
  const servers = testServers();
  const keycloak = servers.keycloakUrl ?? '';
  const realm = `spec-${randomBytes(5).toString('hex')}`;
  const issuer = `${keycloak}/realms/${realm}`;
  let toKeycloak: TcpProxy;
  const clientSecret = randomBytes(16).toString('hex');
  const first = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const clock = new MovedClock();
  let service: ServiceHandle;
  let bench: GatewayBench;
  let admin: Server;
  let adminUrl: string;
  let reconciler: Reconciler;
  let running = true;
  const children: ChildProcess[] = [];

  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const token = await accessToken({
      issuer: `${keycloak}/realms/master`,
      clientId: process.env['KEYCLOAK_ADMIN_CLIENT_ID'] ?? '',
      clientSecret: process.env['KEYCLOAK_ADMIN_CLIENT_SECRET'] ?? '',
    });
    const answer = await fetch(`${keycloak}/admin/realms${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Keycloak answered ${answer.status} to ${method} ${path}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  type Provider = { id: string; providerId: string; config: Record<string, string[]> };
  const providers = async (): Promise<Provider[]> =>
    (await ask<Provider[]>('GET', `/${realm}/components?type=org.keycloak.keys.KeyProvider`)).filter(
      ({ providerId }) => providerId === 'rsa' || providerId === 'rsa-generated',
    );
  const freshToken = (): Promise<string> => accessToken({ issuer, clientId: 'load', clientSecret });
  /** A token of the realm's first key; the spec has its private half, so that it may live longer than the realm's. */
  const ofFirst = (like: string, kid: string): string => {
    const claims = { ...parsed(like, 1), exp: Math.floor(Date.now() / 1000) + 600 };
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part(claims)}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), first.privateKey).toString('base64url')}`;
  };
  const forged = (like: string, kid: string): string => {
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid })}.${part(parsed(like, 1))}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), foreign.privateKey).toString('base64url')}`;
  };
  const statusAt = async (base: string, token: string): Promise<number> =>
    (await send(`${base}/v1/things`, 'GET', { authorization: `Bearer ${token}` })).status;
  const atGateway = (token: string): Promise<number> => statusAt(`http://127.0.0.1:${bench.port}`, token);
  const atService = (token: string): Promise<number> => statusAt(service.url, token);
  /** One refresh of gateway and service. */
  const period = async (): Promise<void> => {
    clock.moved += REFRESH_MS + 1;
    await reconciler.fetchKeys();
    await reconciler.reconcile();
  };

  /** The command; answers what it said when it has ended, or when it was killed at the first line that matches. */
  function rotate(killAt?: RegExp): { lines: string[]; faults: string[]; ended: Promise<number | null> } {
    const program = join(__dirname, '../../infra/native/dist/keycloak-realm/rotate-signing-key.js');
    const child = spawn(process.execPath, [program, '--refresh-seconds', '1', '--gateway', adminUrl], {
      env: { ...process.env, KEYCLOAK_REALM: realm },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const lines: string[] = [];
    const faults: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => faults.push(text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.split('\n').filter((line) => line !== ''));
      if (killAt !== undefined && lines.some((line) => killAt.test(line))) child.kill('SIGKILL');
    });
    return { lines, faults, ended: new Promise((resolve) => child.once('close', resolve)) };
  }

  beforeAll(async () => {
    const mapper = (name: string, protocolMapper: string, config: object): object => ({
      ...{ name, protocol: 'openid-connect', protocolMapper, config },
    });
    await ask('POST', '', {
      ...{ realm, enabled: true, accessTokenLifespan: TOKEN_SECONDS },
      roles: { realm: [{ name: 'viewer' }] },
      clients: [
        {
          ...{ clientId: 'load', secret: clientSecret, serviceAccountsEnabled: true },
          ...{ standardFlowEnabled: false, directAccessGrantsEnabled: false },
          protocolMappers: [
            mapper('audience', 'oidc-audience-mapper', {
              ...{ 'included.custom.audience': 'sociograph-api', 'access.token.claim': 'true' },
            }),
            mapper('workspace', 'oidc-hardcoded-claim-mapper', {
              ...{ 'claim.name': 'workspace_id', 'claim.value': 'demo', 'access.token.claim': 'true' },
            }),
          ],
        },
      ],
      users: [
        {
          ...{ username: 'service-account-load', enabled: true, serviceAccountClientId: 'load' },
          realmRoles: ['viewer'],
        },
      ],
    });
    const [own] = await providers();
    const { id: parentId } = await ask<{ id: string }>('GET', `/${realm}`);
    await ask('POST', `/${realm}/components`, {
      ...{ name: 'first', parentId, providerId: 'rsa', providerType: 'org.keycloak.keys.KeyProvider' },
      config: {
        ...{ priority: ['200'], enabled: ['true'], active: ['true'], algorithm: ['RS256'] },
        privateKey: [first.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
      },
    });
    await ask('PUT', `/${realm}/components/${own?.id}`, {
      ...own,
      config: { ...own?.config, enabled: ['false'] },
    });

    const config = {
      ...{ SERVICE_NAME: 'things', INSTANCE_ID: '0', LOG_LEVEL: 'silent' },
      ...{ HTTP_HOST: '127.0.0.1', HTTP_PORT: 0, MANAGEMENT_PORT: 0, HTTP_NOTICE_MS: 0 },
    };
    const { hostname: host, port } = new URL(keycloak);
    toKeycloak = await new TcpProxy({ target: { host, port: Number(port) } }).start();
    const jwksUrl = `http://127.0.0.1:${toKeycloak.port}/realms/${realm}/protocol/openid-connect/certs`;
    const auth = AuthModule.forRoot({ issuer, jwksUrl, audience: 'sociograph-api', clients: ['load'] });
    @Module({ imports: [auth], controllers: [ThingsController] })
    class ThingsModule {}
    const context = createHostContext(config, { clock });
    service = await startService({
      ...{ module: ThingsModule, config, context, openApi: { title: 'Things' }, ownsProcess: false },
    });
    const routes = [
      aRoute('things', ['~/v1/things$'], {
        plugins: [{ name: 'jwt', config: { ...jwtConfig, claims_to_verify: ['exp'] } }],
      }),
    ];
    const template = aDocument(
      routes,
      { consumers: [{ username: 'keycloak' }] },
      { read_timeout: 20_000, connect_timeout: 20_000 },
    );
    bench = await new GatewayBench(template, [Number(new URL(service.url).port)]).start();
    admin = createAdminServer(bench.gateway);
    adminUrl = `http://127.0.0.1:${await listenOn(admin, 0, '127.0.0.1')}`;
    reconciler = new Reconciler(jwksUrl, [adminUrl], {
      fetchJson: async (url) => JSON.parse((await request('GET', url)).body) as unknown,
      postJson: async (url, body) => (await request('POST', url, body)).status,
      readTemplate: () => stringify(template),
      log: () => undefined,
    });
    await period();
  });
  afterAll(async () => {
    running = false;
    for (const child of children) child.kill('SIGKILL');
    await bench?.stop();
    admin?.closeAllConnections();
    admin?.close();
    await service?.close();
    await toKeycloak?.close();
    await ask('DELETE', `/${realm}`);
  });

  it.each(['refuse', 'stall'] as const)(
    'serve on for valid tokens and no others while Keycloak is away (%s) for more than a minute',
    async (fault) => {
      await period();
      const sample = await freshToken();
      const kid = String(parsed(sample, 0)['kid']);
      const valid = ofFirst(sample, kid);
      expect(await Promise.all([atGateway(valid), atService(valid)])).toEqual([200, 200]);
      toKeycloak[fault]();
      try {
        for (let round = 0; round < 3; round += 1) {
          clock.moved += 25_000;
          expect(await reconciler.fetchKeys()).toBe(false);
          await reconciler.reconcile();
          const unknown = forged(sample, randomUUID());
          const answers = [atGateway(valid), atService(valid), atGateway(unknown), atService(unknown)];
          expect(await Promise.all(answers)).toEqual([200, 200, 401, 401]);
        }
      } finally {
        toKeycloak.restore();
      }
      await eventually(
        async () => {
          await period();
          const fresh = await freshToken();
          expect(await Promise.all([atGateway(fresh), atService(fresh)])).toEqual([200, 200]);
        },
        { timeoutMs: 30_000, everyMs: 200 },
      );
      expect(reconciler.complete).toBe(true);
    },
  );

  it('are rotated under load: no valid token is refused, no forged one gets in, what the old key signs ends', async () => {
    const sample = await freshToken();
    const firstKid = String(parsed(sample, 0)['kid']);
    expect(await Promise.all([atGateway, atService].map((at) => at(ofFirst(sample, firstKid))))).toEqual([
      200, 200,
    ]);
    const counted = { good: 0, refused: [] as string[], forged: 0, accepted: 0, kids: new Set<string>() };
    const load = async (): Promise<void> => {
      while (running) {
        const token = await freshToken();
        const { exp } = parsed(token, 1) as { exp: number };
        const kid = String(parsed(token, 0)['kid']);
        counted.kids.add(kid);
        for (let n = 0; running && n < 20; n += 1) {
          const [gateway, direct, one, two, three] = await Promise.all([
            atGateway(token),
            atService(token),
            atGateway(forged(token, randomUUID())),
            atGateway(forged(token, kid)),
            atService(forged(token, kid)),
          ]);
          counted.good += 2;
          counted.forged += 3;
          if (Date.now() / 1000 < exp && (gateway !== 200 || direct !== 200))
            counted.refused.push(`${kid}: ${gateway} ${direct}`);
          if ([one, two, three].some((status) => status !== 401)) counted.accepted += 1;
          await pause(20);
        }
      }
    };
    const guess = async (): Promise<void> => {
      while (running) {
        counted.forged += 1;
        if ((await atService(forged(sample, randomUUID()))) !== 401) counted.accepted += 1;
      }
    };
    const refresh = async (): Promise<void> => {
      while (running) {
        await period();
        await pause(200);
      }
    };
    const works = [load(), load(), guess(), refresh()];
    const rotation = rotate();
    expect(await rotation.ended).toBe(0);
    // What Keycloak gives from now on is of the new key.
    const nextKid = String(parsed(await freshToken(), 0)['kid']);
    await eventually(() => expect(counted.kids).toContain(nextKid), { timeoutMs: 20_000, everyMs: 50 });
    running = false;
    await Promise.all(works);
    expect([counted.refused, counted.accepted]).toEqual([[], 0]);
    expect(counted.good).toBeGreaterThan(50);
    expect(counted.forged).toBeGreaterThan(50);
    expect([...counted.kids].sort()).toEqual([firstKid, nextKid].sort());
    expect(rotation.lines.map((line) => line.replace(/[\w-]{43}/, 'KID'))).toEqual([
      'prepared: the key KID is published and does not sign yet',
      'waiting 2 s for two refreshes of gateways and services',
      `the gateway at ${adminUrl} has it`,
      'activated: the key KID signs',
      `waiting ${TOKEN_SECONDS + 1} s for the last token of the old key to expire`,
      'disabling the key KID: what it signed is refused within 1 s',
      'the key KID signs, and no other is published',
    ]);
    await period();
    const late = ofFirst(await freshToken(), firstKid);
    expect(await Promise.all([atGateway(late), atService(late)])).toEqual([401, 401]);
  });

  it('are rotated on from where an ended run stood, with the key that this one made', async () => {
    running = true;
    const before = (await providers()).length;
    const refresh = (async () => {
      while (running) {
        await period();
        await pause(200);
      }
    })();
    expect(await rotate(/^prepared/).ended).toBeNull();
    expect(await providers()).toHaveLength(before + 1);
    const second = rotate();
    expect(await second.ended).toBe(0);
    running = false;
    await refresh;
    expect(second.lines[0]).toMatch(
      /^going on with a rotation that was begun before: .* is published and waits$/,
    );
    const after = await providers();
    expect(after).toHaveLength(before + 1);
    expect(after.filter(({ config }) => config['enabled']?.[0] !== 'false')).toHaveLength(1);
  });

  it('are not activated where a gateway does not have them', async () => {
    const kid = String(parsed(await freshToken(), 0)['kid']);
    const stale = rotate();
    expect(await stale.ended).toBe(2);
    expect(stale.faults.join('')).toContain('does not have the key; nothing was activated.');
    expect(String(parsed(await freshToken(), 0)['kid'])).toBe(kid);
  });
});
