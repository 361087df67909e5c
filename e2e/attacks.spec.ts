import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  accessToken,
  addRealmKey,
  eventually,
  Forge,
  inParallel,
  readPermissions,
  ROLES,
  send,
} from '@sociograph/testing';
import type { RealmKey, Reply, Role } from '@sociograph/testing';
import { Fleet, fromStack, pidOf, useWorkspace } from './fleet';
import { attacks } from './security/attacks';
import { openStream } from './security/open-stream';
import { bodyFor, harmless, ID, kindOf, lasting, withoutOwnRecords } from './security/requests';

jest.setTimeout(300_000);

const EGO_FACEBOOK = join(__dirname, '../infra/vk-simulator/data/ego-facebook.txt.gz');
const SERVICES = [
  ...['key-service', 'parser-service', 'graph-storage-service', 'read-model-projector'],
  'identity-service',
];
const PERSON = '108';
const AT_ONCE = 6;

/** What succeeds with a good token, one for each service; the first two would write. */
const doors = [
  {
    service: 'key-service',
    method: 'POST',
    path: '/v1/keys',
    body: { network: 'vk', kind: 'user', token: `vk1.a.${'x'.repeat(60)}`, consent: { givenBy: 'a spec' } },
  },
  {
    service: 'parser-service',
    method: 'POST',
    path: '/v1/imports',
    body: { network: 'vk', seeds: ['1'], depth: 1 },
  },
  { service: 'graph-storage-service', method: 'GET', path: '/v1/people/vk', body: undefined },
  { service: 'read-model-projector', method: 'GET', path: '/v1/graphs/vk/search?q=anna', body: undefined },
  { service: 'identity-service', method: 'GET', path: '/v1/workspace', body: undefined },
] as const;

const guarded = readPermissions().filter(
  ({ service, roles }) => SERVICES.includes(service) && roles.length > 0,
);

const within = { timeoutMs: 60_000, everyMs: 250 };
const throughGateway: readonly string[] = ['parser-service', 'graph-storage-service'];

describe('nobody gets in who should not', () => {
  const gateway = fromStack('GATEWAY_URL');
  const workspace = `e2e-${randomUUID().slice(0, 8)}`;
  const untouched = `e2e-${randomUUID().slice(0, 8)}`;
  const foreign = `e2e-${randomUUID().slice(0, 8)}`;
  let key: RealmKey | undefined;
  /** Tokens of the workspace that owns something, of one that owns nothing, and of a third. */
  let owner: Forge;
  let attacker: Forge;
  let stranger: Forge;

  /** Where a service listens itself, beside the gateway. */
  const direct = (service: string): string => {
    const url = new URL(gateway);
    url.port = String(Number(url.port) - 20 + 100 + 10 * SERVICES.indexOf(service));
    return url.origin;
  };
  const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
  const ask = async (forge: Forge, method: string, path: string, body?: object): Promise<Reply> => {
    const answer = await send(`${gateway}${path}`, method, bearer(forge.token()), body);
    return answer;
  };
  const read = async <T>(forge: Forge, path: string): Promise<T> => {
    const { status, body } = await ask(forge, 'GET', path);
    expect([path, status]).toEqual([path, 200]);
    return JSON.parse(body) as T;
  };
  const made = async (path: string, body: object): Promise<string> => {
    const answer = await ask(owner, 'POST', path, body);
    expect([path, Math.floor(answer.status / 100), answer.body]).toEqual([path, 2, answer.body]);
    return (JSON.parse(answer.body) as { id: string }).id;
  };

  /** Somebody who was invited and registered; answers their subject. */
  const newMember = async (): Promise<string> => {
    const email = `${randomUUID()}@example.org`;
    const invited = await ask(owner, 'POST', '/v1/workspace/invitations', { roles: ['analyst'] });
    const { token } = JSON.parse(invited.body) as { token: string };
    const newcomer = { email, password: 'correct horse battery', token };
    expect((await send(`${gateway}/v1/register/invited`, 'POST', {}, newcomer)).status).toBe(202);
    return eventually(async () => {
      type Members = { items: { subject: string; email: string; pending: boolean }[] };
      const { items } = await read<Members>(owner, '/v1/workspace/members?limit=200');
      const member = items.find((each) => each.email === email && !each.pending);
      if (member === undefined) throw new Error('not a member yet');
      return member.subject;
    }, within);
  };
  const uploaded = async (): Promise<string> => {
    const answer = await fetch(`${gateway}/v1/uploads`, {
      method: 'POST',
      headers: { ...bearer(owner.token()), 'content-type': 'text/csv' },
      body: 'from,to\n1,2\n2,3\n',
    });
    expect(answer.status).toBe(201);
    return ((await answer.json()) as { id: string }).id;
  };

  beforeAll(async () => {
    await useWorkspace(workspace);
    const fleet = await Fleet.up(EGO_FACEBOOK, { keys: 2 });
    key = await addRealmKey({
      keycloakUrl: fromStack('KEYCLOAK_URL'),
      realm: fromStack('KEYCLOAK_REALM'),
      adminToken: () =>
        accessToken({
          issuer: `${fromStack('KEYCLOAK_URL')}/realms/master`,
          clientId: fromStack('KEYCLOAK_ADMIN_CLIENT_ID'),
          clientSecret: fromStack('KEYCLOAK_ADMIN_CLIENT_SECRET'),
        }),
    });
    owner = new Forge(key, fromStack('OIDC_ISSUER'), workspace);
    attacker = new Forge(key, fromStack('OIDC_ISSUER'), untouched);
    stranger = new Forge(key, fromStack('OIDC_ISSUER'), foreign);
    // The gateway fetches keys every 30 s, or when it is told to; services on the first token with a new key id.
    process.kill(pidOf('jwks-reconciler'), 'SIGHUP');
    await eventually(
      async () => {
        for (const { path, service } of doors.slice(2)) {
          // 404: the workspace has no graph yet.
          for (const base of [gateway, direct(service)])
            expect([200, 404]).toContain(
              (await send(`${base}${path}`, 'GET', bearer(attacker.token()))).status,
            );
        }
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
    await fleet.registerKeys();
    const order = { network: 'vk', seeds: [PERSON], depth: 1, include: ['friends'] };
    await fleet.completed(await made('/v1/imports', order), 120_000);
  });
  afterAll(async () => {
    // Absent when the fleet did not even start.
    if (key === undefined) return;
    await key.remove();
    process.kill(pidOf('jwks-reconciler'), 'SIGHUP');
  });

  it('refuses every forged or abused token at the gateway and at each service, and nothing was done', async () => {
    expect(attacks.length).toBeGreaterThanOrEqual(60);
    const wrong: string[] = [];
    await inParallel(attacks, AT_ONCE, async ({ name, headers, query, statuses = [401], gatewayOnly }) => {
      for (const { service, method, path, body } of doors) {
        const at = query === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}${query(attacker)}`;
        // Its answer to a token does not depend on the route: one that writes and one that reads are enough.
        const bases = throughGateway.includes(service) ? [gateway] : [];
        if (gatewayOnly !== true) bases.push(direct(service));
        for (const base of bases) {
          const answer = await send(`${base}${at}`, method, headers(attacker), body);
          if (!statuses.includes(answer.status)) wrong.push(`${name} at ${base}${path}: ${answer.status}`);
        }
      }
    });
    expect(wrong).toEqual([]);
    for (const path of ['/v1/keys', '/v1/imports'])
      expect(await read(attacker, path)).toMatchObject({ items: [] });
  });

  it('lets the token alone say who calls, whatever headers say', async () => {
    const headers = {
      ...bearer(attacker.token()),
      'x-consumer-id': 'x',
      'x-consumer-username': 'platform',
      'x-consumer-custom-id': workspace,
      'x-consumer-groups': 'platform-operator',
      'x-workspace-id': workspace,
      workspace_id: workspace,
      x_consumer_id: 'x',
      'x-forwarded-for': '127.0.0.1',
      'x-rate-key': 'x',
    };
    for (const base of [gateway, direct('graph-storage-service')]) {
      const answer = await send(`${base}/v1/people/vk`, 'GET', headers);
      expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining({ items: [] })]);
    }
    for (const base of [gateway, direct('parser-service')])
      expect((await send(`${base}/v1/dead-calls`, 'GET', headers)).status).toBe(403);
  });

  it('gives each role exactly what docs/permissions.md says', async () => {
    const nobody = 'none' as const;
    const wrong: string[] = [];
    const cases = guarded.flatMap((permission) => [...ROLES, nobody].map((role) => ({ permission, role })));
    await inParallel(cases, AT_ONCE, async ({ permission, role }) => {
      const { service, method, path, roles } = permission;
      const claims = {
        realm_access: { roles: role === nobody ? [] : [role] },
        ...(role === 'platform-operator' ? { workspace_id: undefined } : {}),
      };
      const answer = await send(
        `${direct(service)}${harmless(permission)}`,
        method,
        bearer(stranger.token({ claims })),
      );
      // Only a refusal is one JSON object for sure: what is answered otherwise may be a stream of them.
      const code = answer.status === 403 ? (JSON.parse(answer.body) as { code?: string }).code : undefined;
      const refused = code === 'AUTH.ROLE_MISSING';
      const allowed = roles.includes(role as Role);
      if (refused === allowed || answer.status === 401 || answer.status >= 500)
        wrong.push(`${method} ${path} as ${role}: ${answer.status} ${code ?? ''}`);
    });
    expect(wrong).toEqual([]);
  });

  it('shows one workspace nothing of another, by no id at no endpoint', async () => {
    const ids = {
      key: (await read<{ items: { id: string }[] }>(owner, '/v1/keys')).items[0]?.id ?? '',
      import: (await read<{ items: { id: string }[] }>(owner, '/v1/imports')).items[0]?.id ?? '',
      export: await made('/v1/exports', { network: 'vk', format: 'csv' }),
      job: await made('/v1/graphs/vk/jobs', { kind: 'k-core' }),
      recount: await made('/v1/graphs/vk/recounts', {}),
      upload: await uploaded(),
      invitation: await made('/v1/workspace/invitations', { roles: ['viewer'] }),
      subject: await newMember(),
      erasure: (JSON.parse((await ask(owner, 'DELETE', '/v1/people/vk/999999999')).body) as { id: string })
        .id,
      person: PERSON,
    };
    expect(Object.values(ids).every((id) => id !== '')).toBe(true);
    const own = [
      `/v1/keys/${ids.key}`,
      `/v1/imports/${ids.import}`,
      `/v1/imports/${ids.import}/certificate`,
      `/v1/people/vk/${PERSON}`,
      `/v1/people/vk/${PERSON}/friends`,
      `/v1/profiles/vk/${PERSON}`,
      `/v1/uploads/${ids.upload}`,
      `/v1/workspace/members/${ids.subject}`,
      '/v1/workspace/invitations',
    ];
    const snapshot = (): Promise<unknown[]> =>
      Promise.all(own.map(async (path) => lasting(await read(owner, path))));
    const before = await snapshot();

    const wrong: string[] = [];
    const cases = guarded.flatMap((permission) =>
      Object.entries(ids).map(([kind, id]) => ({ permission, kind, id })),
    );
    await inParallel(cases, AT_ONCE, async ({ permission: { method, path, roles }, kind, id }) => {
      if (!ID.test(path) && kind !== 'person') return;
      const asked = path
        .replace(ID, id)
        .replace('{network}', 'vk')
        .replace('{by}', 'degree')
        .replace('{number}', '1');
      // The platform's own role spans workspaces by its nature, also where others may call the same address.
      const granted = roles.filter((role) => role !== 'platform-operator');
      if (granted.length === 0) return;
      const claims = { realm_access: { roles: granted } };
      const answer = await send(
        `${gateway}${asked}`,
        method,
        bearer(stranger.token({ claims })),
        method === 'GET' || method === 'DELETE' ? undefined : bodyFor(method, path),
      );
      // It is looked for, and is not there: not refused for its form alone.
      if (kindOf(path) === kind && answer.status !== 404)
        wrong.push(`${method} ${asked} of another's ${kind}: ${answer.status} ${answer.body.slice(0, 100)}`);
      // An erasure, or an operation on the caller's own workspace, names a person and not somebody's row.
      const ofOwnWorkspace = !ID.test(path) || (method === 'DELETE' && path === '/v1/people/{network}/{id}');
      if (answer.status >= 500 || (answer.status < 300 && !ofOwnWorkspace))
        wrong.push(`${method} ${asked} (${kind}): ${answer.status} ${answer.body.slice(0, 100)}`);
      const shown = withoutOwnRecords(path, answer.body, foreign);
      const named = Object.entries(ids).filter(([, each]) => each !== PERSON && shown.includes(each));
      if (answer.status < 300 && named.length > 0) wrong.push(`${method} ${asked} names ${named.join()}`);
      if (answer.status < 300 && answer.body.includes(`"id":"${PERSON}"`) && method === 'GET')
        wrong.push(`${method} ${asked} shows the person`);
    });
    expect(wrong).toEqual([]);
    expect(await snapshot()).toEqual(before);
  });

  it('shuts a demoted and a removed member out of every service, and ends their streams', async () => {
    const subject = await newMember();
    const path = `/v1/workspace/members/${subject}`;
    const bearerOf = (): { authorization: string } =>
      bearer(owner.token({ claims: { sub: subject, realm_access: { roles: ['viewer', 'analyst'] } } }));
    const statuses = (headers: { authorization: string }): Promise<number[]> =>
      Promise.all(
        doors.flatMap(({ service, path: door }) =>
          [gateway, direct(service)].map(
            async (base) => (await send(`${base}${door}`, 'GET', headers)).status,
          ),
        ),
      );
    const everywhere = (status: number): number[] => Array<number>(2 * doors.length).fill(status);

    const first = bearerOf();
    expect(await statuses(first)).toEqual(everywhere(200));
    expect((await ask(owner, 'PUT', `${path}/roles`, { roles: ['viewer'] })).status).toBe(200);
    await eventually(async () => expect(await statuses(first)).toEqual(everywhere(401)), within);

    // What is issued from then on is good.
    const second = await eventually(async () => {
      const headers = bearerOf();
      expect(await statuses(headers)).toEqual(everywhere(200));
      return headers;
    }, within);
    const lasting = await made('/v1/imports', { network: 'vk', seeds: [PERSON], include: ['friends'] });
    expect((await ask(owner, 'POST', `/v1/imports/${lasting}/pause`)).status).toBe(200);
    const streams = await Promise.all(
      [
        ...[gateway, direct('parser-service')].map((base) => `${base}/v1/imports/${lasting}/events`),
        ...[gateway, direct('read-model-projector')].map((base) => `${base}/v1/events`),
      ].map((url) => openStream(url, second)),
    );
    expect(streams.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(streams.map((stream) => stream.ended())).toEqual([false, false, false, false]);
    expect((await ask(owner, 'DELETE', path)).status).toBe(204);
    await eventually(async () => {
      expect(await statuses(second)).toEqual(everywhere(401));
      expect(streams.map((stream) => stream.ended())).toEqual([true, true, true, true]);
    }, within);
    for (const stream of streams)
      expect(stream.text().trimEnd().endsWith('event: end\ndata: {"reason":"token-revoked"}')).toBe(true);
    expect((await ask(owner, 'POST', `/v1/imports/${lasting}/cancel`)).status).toBe(200);
  });
});
