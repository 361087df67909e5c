import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Controller, Get, Module } from '@nestjs/common';
import { AuthModule, CurrentPrincipal, Roles, type Principal } from '@sociograph/auth';
import { startService, type ServiceHandle } from '@sociograph/service-host';
import { accessToken, eventually } from '@sociograph/testing';
import type { Session } from '../src/session-file';
import { TerminalDouble } from './a-terminal';
import { Browser } from './browser';

@Controller('v1/imports')
class ImportsDouble {
  @Get()
  @Roles('analyst')
  list(@CurrentPrincipal() principal: Principal): unknown {
    return { items: [{ workspace: principal.workspaceId, client: principal.client }], next: null };
  }
}

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(
      `${name} is not set: start the test stack first (npm run up -- --stack test --servers-only)`,
    );
  return value;
}

describe('the login of the command line, on the real Keycloak', () => {
  const person = {
    username: `cli-${randomUUID().slice(0, 8)}`,
    password: randomUUID(),
    workspace: randomUUID(),
  };
  const home = mkdtempSync(join(tmpdir(), 'sociograph-cli-'));
  const file = join(home, 'sociograph', 'default.json');
  let service: ServiceHandle;
  let admin: { url: string; headers: Record<string, string> };
  let env: Record<string, string>;

  const stored = (): Session => JSON.parse(readFileSync(file, 'utf8')) as Session;

  beforeAll(async () => {
    @Module({
      controllers: [ImportsDouble],
      imports: [
        AuthModule.forRoot({
          issuer: needed('OIDC_ISSUER'),
          jwksUrl: needed('OIDC_JWKS_URL'),
          audience: needed('OIDC_AUDIENCE'),
          clients: needed('OIDC_CLIENTS').split(','),
        }),
      ],
    })
    class FleetDouble {}
    service = await startService({
      module: FleetDouble,
      config: {
        SERVICE_NAME: 'fleet-double',
        INSTANCE_ID: '0',
        LOG_LEVEL: 'silent',
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: 0,
        MANAGEMENT_PORT: 0,
      },
      openApi: { title: 'The fleet' },
      ownsProcess: false,
    });
    env = { XDG_CONFIG_HOME: home, SOCIOGRAPH_URL: service.url, SOCIOGRAPH_ISSUER: needed('OIDC_ISSUER') };
    admin = await keycloakAdmin();
    await makePerson(admin, person);
  }, 60_000);

  afterAll(async () => {
    await service?.close();
    rmSync(home, { recursive: true, force: true });
    if (admin !== undefined) await removePerson(admin, person.username);
  });

  it('is confirmed in a browser, keeps its tokens to itself, and the fleet accepts them', async () => {
    const terminal = new TerminalDouble(env);
    const login = terminal.run('login', '--json');
    const [notice] = await eventually(
      async () => {
        expect(terminal.stderr.lines).toHaveLength(1);
        return terminal.stderr.json<{ verificationUriComplete: string; userCode: string }>();
      },
      { timeoutMs: 20_000, everyMs: 50 },
    );
    const browser = new Browser();
    await browser.open(notice?.verificationUriComplete ?? '');
    await browser.submit({ username: person.username, password: person.password });
    await browser.submit({}, 'accept');
    expect(browser.text).toMatch(/Device Login Successful/i);

    expect(await login).toBe(0);
    const [who] = terminal.stdout.json();
    expect(who).toMatchObject({
      url: service.url,
      name: person.username,
      workspaceId: person.workspace,
      roles: ['analyst'],
      client: 'sociograph-cli',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'sociograph')).mode & 0o777).toBe(0o700);
    const { accessToken: access, refreshToken } = stored();
    for (const secret of [access, refreshToken ?? '']) {
      expect(secret.length).toBeGreaterThan(100);
      expect(terminal.stdout.text + terminal.stderr.text).not.toContain(secret);
    }

    const listing = new TerminalDouble(env);
    expect(await listing.run('import', 'list', '--json')).toBe(0);
    expect(listing.stdout.json()).toEqual([
      { items: [{ workspace: person.workspace, client: 'sociograph-cli' }], next: null },
    ]);
  }, 90_000);

  it('is refreshed once by two commands at the same time, and the refresh token is another one then', async () => {
    const before = stored();
    writeFileSync(file, JSON.stringify({ ...before, renewAt: 0 }));
    const both = [new TerminalDouble(env), new TerminalDouble(env)];
    expect(await Promise.all(both.map((one) => one.run('import', 'list')))).toEqual([0, 0]);
    const after = stored();
    expect(after.accessToken).not.toBe(before.accessToken);
    expect(after.refreshToken).not.toBe(before.refreshToken);
    expect(after.renewAt).toBeGreaterThan(Date.now() + 60_000);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  }, 30_000);

  it('is over after the logout: here and at the login server', async () => {
    const { refreshToken = '', clientId } = stored();
    const terminal = new TerminalDouble(env);
    expect(await terminal.run('logout')).toBe(0);
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
    const answer = await fetch(`${needed('OIDC_ISSUER')}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: clientId,
      }),
    });
    expect(await answer.json()).toMatchObject({ error: 'invalid_grant' });
    const next = new TerminalDouble(env);
    expect(await next.run('import', 'list', '--json')).toBe(3);
    expect(next.stderr.json()).toEqual([
      { error: { exitCode: 3, message: 'You are not logged in: "sociograph login" logs you in.' } },
    ]);
  }, 30_000);

  it('is not needed by a script that has a service account, whose secret is stored nowhere', async () => {
    const secret = needed('DEMO_CLIENT_SECRET');
    const script = new TerminalDouble({
      ...env,
      SOCIOGRAPH_CLIENT_ID: needed('DEMO_CLIENT_ID'),
      SOCIOGRAPH_CLIENT_SECRET: secret,
    });
    expect(await script.run('import', 'list')).toBe(0);
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();

    expect(await script.run('login', '--client-credentials')).toBe(0);
    expect(stored()).toMatchObject({ clientId: 'sociograph-demo' });
    expect(readFileSync(file, 'utf8')).not.toContain(secret);
    expect(script.stdout.text + script.stderr.text).not.toContain(secret);
    const later = new TerminalDouble(env);
    expect(await later.run('whoami', '--json')).toBe(0);
    expect(later.stdout.json()[0]).toMatchObject({ client: 'sociograph-demo', via: 'login' });
  }, 30_000);

  it('has a client in the realm file that is what the running Keycloak has', async () => {
    const realm = JSON.parse(readFileSync(resolve(__dirname, '../../keycloak/realm.json'), 'utf8')) as Realm;
    const declared = realm.clients.find(({ clientId }) => clientId === 'sociograph-cli');
    expect(declared).toMatchObject({
      publicClient: true,
      standardFlowEnabled: false,
      implicitFlowEnabled: false,
      directAccessGrantsEnabled: false,
      serviceAccountsEnabled: false,
      attributes: { 'oauth2.device.authorization.grant.enabled': 'true' },
    });
    expect(realm).toMatchObject({ revokeRefreshToken: true, refreshTokenMaxReuse: 0 });
    const found = await fetch(`${admin.url}/clients?clientId=sociograph-cli`, { headers: admin.headers });
    const [running] = (await found.json()) as Client[];
    const { protocolMappers, ...settings } = declared ?? {};
    expect(running).toMatchObject(settings);
    expect(running?.protocolMappers?.map(({ name }) => name).sort()).toEqual(
      protocolMappers?.map(({ name }) => name).sort(),
    );
  });
});

interface Client {
  clientId: string;
  protocolMappers?: { name: string }[];
}

interface Realm {
  clients: Client[];
}

async function keycloakAdmin(): Promise<{ url: string; headers: Record<string, string> }> {
  const token = await accessToken({
    issuer: `${needed('KEYCLOAK_URL')}/realms/master`,
    clientId: needed('KEYCLOAK_ADMIN_CLIENT_ID'),
    clientSecret: needed('KEYCLOAK_ADMIN_CLIENT_SECRET'),
  });
  return {
    url: `${needed('KEYCLOAK_URL')}/admin/realms/${needed('KEYCLOAK_REALM')}`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  };
}

type Admin = Awaited<ReturnType<typeof keycloakAdmin>>;

async function makePerson(
  { url, headers }: Admin,
  { username, password, workspace }: { username: string; password: string; workspace: string },
): Promise<void> {
  const body = JSON.stringify({
    username,
    enabled: true,
    attributes: { workspace_id: [workspace] },
    credentials: [{ type: 'password', value: password, temporary: false }],
  });
  const made = await fetch(`${url}/users`, { method: 'POST', headers, body });
  if (made.status !== 201) throw new Error(`Keycloak makes no user: ${made.status} ${await made.text()}`);
  const role = await (await fetch(`${url}/roles/analyst`, { headers })).json();
  const given = await fetch(`${made.headers.get('location')}/role-mappings/realm`, {
    method: 'POST',
    headers,
    body: JSON.stringify([role]),
  });
  if (!given.ok) throw new Error(`Keycloak gives no role: ${given.status}`);
}

async function removePerson({ url, headers }: Admin, username: string): Promise<void> {
  const found = await fetch(`${url}/users?exact=true&username=${username}`, { headers });
  for (const { id } of (await found.json()) as { id: string }[])
    await fetch(`${url}/users/${id}`, { method: 'DELETE', headers });
}
