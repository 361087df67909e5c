import { createHash, randomUUID } from 'node:crypto';
import { NoRevocations, Revocations } from '@sociograph/auth';
import { Secret, SystemClock } from '@sociograph/kernel';
import {
  eventually,
  inPostgres,
  startTokenIssuer,
  TcpProxy,
  testServers,
  type TokenIssuer,
} from '@sociograph/testing';
import { KeycloakDirectory } from '../src/infrastructure/keycloak-directory';
import { hashPassword } from '../src/infrastructure/secrets';
import { type Answer, type IdentityStand, identityStand } from './identity-stand';
import { signIn } from './sign-in';

jest.setTimeout(120_000);

const SLOW = { timeoutMs: 40_000, everyMs: 200 };
const PASSWORD = 'correct horse battery';

describe('accounts', () => {
  const servers = testServers();
  const url = servers.of('identity-service', 'KEYCLOAK_URL');
  const realm = `${url}/realms/sociograph`;
  let stand: IdentityStand;
  let issuer: TokenIssuer;

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    stand = await identityStand(issuer);
  });
  afterAll(async () => {
    await stand.close();
    await issuer.close();
  });

  const anAddress = (): string => `${randomUUID()}@example.org`;
  const register = (email: string, password = PASSWORD): Promise<Answer> =>
    stand.ask('POST', '/v1/register', undefined, { email, password, workspace: 'Spec' });
  const rows = <R>(sql: string, values: unknown[] = []): Promise<R[]> =>
    inPostgres(stand.database.adminUrl, async (client) => (await client.query(sql, values)).rows as R[]);
  const memberOf = (email: string): Promise<{ subject: string; workspace_id: string }> =>
    eventually(async () => {
      const [row] = await rows<{ subject: string; workspace_id: string }>(
        'SELECT subject, workspace_id FROM accounts WHERE email = $1 AND applied = version',
        [email],
      );
      if (row === undefined) throw new Error('not a member yet');
      return row;
    }, SLOW);

  it('are registered once with one workspace, and sign in with the roles of its admin', async () => {
    const email = anAddress();
    const answers = await Promise.all([register(email), register(email.toUpperCase()), register(email)]);
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      Array(3).fill([202, { status: 'accepted' }]),
    );
    const { subject, workspace_id: workspace } = await memberOf(email);
    // Somebody who registers the address again hears the same, and gets nothing.
    expect((await register(email, 'another password')).body).toEqual({ status: 'accepted' });
    await eventually(async () => expect(await rows('SELECT 1 FROM registrations')).toEqual([]), SLOW);
    expect(await rows('SELECT 1 FROM accounts WHERE email = $1', [email])).toHaveLength(1);
    expect(await rows('SELECT 1 FROM workspaces WHERE name = $1', ['Spec'])).toHaveLength(1);
    expect(await signIn(realm, email, 'another password')).toBeUndefined();
    const claims = (await signIn(realm, email, PASSWORD))?.claims;
    expect(claims).toMatchObject({ sub: subject, workspace_id: workspace });
    expect(claims?.realm_access?.roles).toEqual(
      expect.arrayContaining(['viewer', 'analyst', 'operator', 'admin']),
    );
    expect(claims?.realm_access?.roles).not.toContain('platform-operator');
  });

  it('are registered as well when the process died after any step', async () => {
    const registrations = await Promise.all(
      ['begun', 'made', 'mapped'].map(async (step) => ({ step, id: randomUUID(), email: anAddress() })),
    );
    const directory = theDirectory();
    const password = await hashPassword(PASSWORD);
    for (const { step, id, email } of registrations) {
      const workspaceId = `w-${id}`;
      if (step === 'begun') continue;
      const account = { registrationId: id, email, password, unconfirmed: false };
      const made = await directory.create(account);
      expect(made.kind).toBe('made');
      expect(await directory.create(account)).toEqual(made);
      expect(await directory.create({ ...account, registrationId: randomUUID() })).toEqual({ kind: 'taken' });
      if (step === 'mapped' && made.kind === 'made')
        await directory.apply(made.subject, { workspaceId, roles: ['admin'] });
    }
    for (const { id, email } of registrations) {
      await rows(
        `INSERT INTO registrations (id, email, password, workspace_id, workspace_name, roles, begun_at, next_try_at)
         VALUES ($1, $2, $3, $4, 'Half', '{viewer,admin}', now(), now())`,
        [id, email, JSON.stringify(password), `w-${id}`],
      );
    }
    for (const { id, email } of registrations) {
      expect((await memberOf(email)).workspace_id).toBe(`w-${id}`);
      expect(await rows('SELECT 1 FROM workspaces WHERE id = $1', [`w-${id}`])).toHaveLength(1);
    }
  });

  it('of members lose their tokens with a change of roles and with their removal', async () => {
    const email = anAddress();
    await register(email);
    const { workspace_id: workspace } = await memberOf(email);
    const admin = issuer.token({ roles: ['admin'], workspace, subject: 'the-spec' });
    const invited = await stand.ask('POST', '/v1/workspace/invitations', admin, { roles: ['analyst'] });
    expect(invited.status).toBe(201);
    const token = String(invited.body['token']);
    const other = anAddress();
    const accept = (address: string): Promise<Answer> =>
      stand.ask('POST', '/v1/register/invited', undefined, { email: address, password: PASSWORD, token });
    expect((await accept(other)).status).toBe(202);
    const { subject, workspace_id: joined } = await memberOf(other);
    expect(joined).toBe(workspace);
    expect((await accept(anAddress())).body['code']).toBe('IDENTITY.INVITATION_UNKNOWN');

    expect(stand.service.app.get(Revocations)).not.toBeInstanceOf(NoRevocations);
    const old = issuer.token({ roles: ['viewer'], workspace, subject });
    expect((await stand.ask('GET', '/v1/workspace', old)).status).toBe(200);
    const path = `/v1/workspace/members/${subject}`;
    const changed = await stand.ask('PUT', `${path}/roles`, admin, { roles: ['viewer'] });
    expect(changed).toMatchObject({ status: 200, body: { roles: ['viewer'], pending: false } });
    await eventually(
      async () => expect((await stand.ask('GET', '/v1/workspace', old)).status).toBe(401),
      SLOW,
    );
    const claims = (await signIn(realm, other, PASSWORD))?.claims;
    expect(claims?.realm_access?.roles).toContain('viewer');
    expect(claims?.realm_access?.roles).not.toContain('analyst');

    expect((await stand.ask('DELETE', path, admin)).status).toBe(204);
    const out = (await signIn(realm, other, PASSWORD))?.claims;
    expect(out?.workspace_id).toBeUndefined();
    expect(out?.realm_access?.roles).not.toContain('viewer');
    expect((await stand.ask('GET', path, admin)).body['code']).toBe('IDENTITY.MEMBER_UNKNOWN');

    // Out of every workspace, they may join one again, with a token of after the removal.
    const again = await stand.ask('POST', '/v1/workspace/invitations', admin, { roles: ['operator'] });
    const join = (bearer: string | undefined): Promise<Answer> =>
      stand.ask('POST', '/v1/invitations/accept', bearer, { token: again.body['token'] });
    expect(await join(undefined)).toMatchObject({ status: 401, body: { code: 'AUTH.TOKEN_MISSING' } });
    expect(await join(`${old.slice(0, -8)}AAAAAAAA`)).toMatchObject({ status: 401 });
    expect((await join(admin)).body['code']).toBe('IDENTITY.ALREADY_MEMBER');
    const rejoined = await eventually(async () => {
      const answer = await join(issuer.token({ roles: [], workspace: '', subject }));
      expect(answer.status).toBe(200);
      return answer;
    }, SLOW);
    expect(rejoined.body).toMatchObject({ subject, roles: ['operator'], pending: false });
    expect((await signIn(realm, other, PASSWORD))?.claims.workspace_id).toBe(workspace);
  });

  it('of the last admin stay admins, and members of other workspaces are unknown', async () => {
    const email = anAddress();
    await register(email);
    const { subject, workspace_id: workspace } = await memberOf(email);
    const own = issuer.token({ roles: ['admin'], workspace, subject });
    const leave = await stand.ask('POST', '/v1/workspace/leave', own);
    expect(leave).toMatchObject({ status: 409, body: { code: 'IDENTITY.LAST_ADMIN' } });
    const path = `/v1/workspace/members/${subject}`;
    const demoted = await stand.ask('PUT', `${path}/roles`, own, { roles: ['viewer'] });
    expect(demoted.body['code']).toBe('IDENTITY.LAST_ADMIN');
    const stranger = issuer.token({ roles: ['admin'], workspace: `w-${randomUUID()}`, subject: 'stranger' });
    for (const method of ['GET', 'DELETE'])
      expect((await stand.ask(method, path, stranger)).body['code']).toBe('IDENTITY.MEMBER_UNKNOWN');
    const operator = issuer.token({ roles: ['platform-operator'], workspace: '', subject: 'operator' });
    const limits = { limits: { members: 1 } };
    expect((await stand.ask('PUT', `/v1/workspaces/${workspace}/quotas`, own, limits)).status).toBe(403);
    expect((await stand.ask('PUT', `/v1/workspaces/${workspace}/quotas`, operator, limits)).status).toBe(200);
    const quotas = (await stand.ask('GET', '/v1/workspace/quotas', own)).body['items'];
    expect(quotas).toContainEqual({ quota: 'members', limit: 1, use: 1 });
    const { body } = await stand.ask('POST', '/v1/workspace/invitations', own, { roles: ['viewer'] });
    const full = await stand.ask('POST', '/v1/register/invited', undefined, {
      ...{ email: anAddress(), password: PASSWORD },
      token: body['token'],
    });
    expect(full).toMatchObject({ status: 429, body: { code: 'IDENTITY.QUOTA_MEMBERS' } });
  });

  it('are invited once for an Idempotency-Key, with the same token, which the database cannot show', async () => {
    const admin = issuer.token({ roles: ['admin'], workspace: `w-${randomUUID()}`, subject: 'the-inviter' });
    const key = { 'idempotency-key': randomUUID() };
    const invite = (roles: string[], headers: Record<string, string> = key): Promise<Answer> =>
      stand.ask('POST', '/v1/workspace/invitations', admin, { roles }, headers);
    const first = await invite(['viewer']);
    const again = await invite(['viewer']);
    expect([first.status, again.status, again.headers.get('idempotency-replayed')]).toEqual([
      201,
      201,
      'true',
    ]);
    expect(again.body).toEqual(first.body);
    const token = String(first.body['token']);
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    for (const field of ['note', 'days'])
      expect(
        await stand.ask('POST', '/v1/workspace/invitations', admin, { roles: ['viewer'], [field]: null }),
      ).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    expect(await invite(['analyst'])).toMatchObject({ status: 422, body: { code: 'REQUEST.KEY_REUSED' } });
    const listed = (await stand.ask('GET', '/v1/workspace/invitations', admin)).body['items'];
    expect(listed).toHaveLength(1);
    const kept = await rows<{ text: string }>('SELECT k::text AS text FROM idempotency_keys k');
    expect(kept).toHaveLength(1);
    expect(kept[0]?.text).not.toContain(token);
    await rows("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'");
    expect((await invite(['viewer'])).body['token']).not.toBe(token);
  });

  it('can be managed by the service alone, and only those that it made', async () => {
    const grant = await fetch(`${realm}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: servers.of('identity-service', 'IDENTITY_CLIENT_ID'),
        client_secret: servers.of('identity-service', 'IDENTITY_CLIENT_SECRET'),
      }),
    });
    const { access_token: token } = (await grant.json()) as { access_token: string };
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      sub: string;
    };
    const ask = async (method: string, path: string, body?: unknown): Promise<number> => {
      const response = await fetch(`${url}/admin/realms/sociograph${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      await response.arrayBuffer();
      return response.status;
    };
    // Its own service account is an outsider: it is in no group.
    const outsider = `/users/${claims.sub}`;
    const password = { type: 'password', value: 'a new password', temporary: false };
    expect({
      reset: await ask('PUT', `${outsider}/reset-password`, password),
      change: await ask('PUT', outsider, { enabled: false }),
      read: await ask('GET', outsider),
      clients: await ask('GET', '/clients'),
      group: await ask('POST', '/groups', { name: 'mine' }),
      outside: await ask('POST', '/users', { username: `x-${randomUUID()}`, enabled: true }),
    }).toEqual({ reset: 403, change: 403, read: 403, clients: 403, group: 403, outside: 403 });
    const made = await theDirectory().create({
      ...{ registrationId: randomUUID(), email: anAddress(), unconfirmed: false },
      password: await hashPassword(PASSWORD),
    });
    const subject = made.kind === 'made' ? made.subject : '';
    const available = await fetch(
      `${url}/admin/realms/sociograph/users/${subject}/role-mappings/realm/available`,
      { headers: { authorization: `Bearer ${token}` } },
    );
    const names = ((await available.json()) as { name: string }[]).map(({ name }) => name);
    expect(names.sort()).toEqual(['admin', 'analyst', 'operator', 'viewer']);
  });

  it('are not taken while Keycloak is away or hangs: 503 and when to come again; and are when it is back', async () => {
    const { hostname: host, port } = new URL(url);
    const keycloak = await new TcpProxy({ target: { host, port: Number(port) } }).start();
    const cut = await identityStand(issuer, { KEYCLOAK_URL: `http://127.0.0.1:${keycloak.port}` });
    try {
      const body = { email: anAddress(), password: PASSWORD, workspace: 'Away' };
      let taken = 0;
      const register = async (): Promise<Answer> => {
        const answer = await cut.ask('POST', '/v1/register', undefined, body);
        if (answer.status === 202) taken += 1;
        return answer;
      };
      for (const fault of ['refuse', 'stall'] as const) {
        keycloak[fault]();
        // Whether it answers is known for two seconds.
        await eventually(async () => expect((await register()).status).toBe(503), SLOW);
        const answer = await register();
        expect(answer).toMatchObject({ status: 503, body: { code: 'IDENTITY.DIRECTORY_UNAVAILABLE' } });
        expect(answer.headers.get('retry-after')).toBe('5');
        keycloak.restore();
        await eventually(async () => expect((await register()).status).toBe(202), SLOW);
      }
      await eventually(async () => {
        const found = await inPostgres(cut.database.adminUrl, (client) =>
          client.query('SELECT 1 FROM accounts WHERE email = $1 AND applied = version', [body.email]),
        );
        expect(found.rows).toHaveLength(1);
      }, SLOW);
      // What was not taken uses up nobody's registrations.
      const everybody = createHash('sha256').update('everybody').digest('hex');
      const counted = await inPostgres(cut.database.adminUrl, (client) =>
        client.query('SELECT 1 FROM attempts WHERE name = $1', [everybody]),
      );
      expect(counted.rows).toHaveLength(taken);
    } finally {
      await cut.close();
      await keycloak.close();
    }
  });

  function theDirectory(): KeycloakDirectory {
    return new KeycloakDirectory({
      ...{ url, realm: 'sociograph', clock: new SystemClock() },
      clientId: servers.of('identity-service', 'IDENTITY_CLIENT_ID'),
      clientSecret: new Secret(servers.of('identity-service', 'IDENTITY_CLIENT_SECRET')),
    });
  }
});
