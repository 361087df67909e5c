import { randomBytes } from 'node:crypto';
import { eventually, startTokenIssuer, type TokenIssuer } from '@sociograph/testing';
import { Client } from 'pg';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(60_000);

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

interface Call {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  as?: string;
}

const text = () => randomBytes(8).toString('hex');
const aToken = () => `vk1.a.canary-${text()}`;

describe('the life of keys over REST', () => {
  let issuer: TokenIssuer;
  let fleet: KeyServiceFleet;
  let operator: string;

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    fleet = await startKeyService({ OIDC_ISSUER: issuer.issuer, OIDC_JWKS_URL: issuer.jwksUrl });
    operator = issuer.token({ roles: ['operator'], subject: 'olga' });
    // Until the pool has a memory operators' questions to it are answered with 503.
    await eventually(
      async () => expect((await send({ method: 'GET', path: '/v1/pool/margins' })).status).toBe(200),
      {
        timeoutMs: 20_000,
        everyMs: 100,
      },
    );
  });

  afterAll(async () => {
    await fleet?.close();
    await issuer?.close();
  });

  async function send({ method, path, body, headers = {}, as = operator }: Call): Promise<Answer> {
    const response = await fetch(`${fleet.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${as}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const answer = await response.text();
    const parsed = answer === '' ? {} : (JSON.parse(answer) as Record<string, unknown>);
    return { status: response.status, headers: response.headers, body: parsed };
  }

  async function register(
    details: object = {},
    as = operator,
  ): Promise<Record<string, unknown> & { id: string }> {
    const body = { network: 'vk', kind: 'user', token: aToken(), consent: { givenBy: 'Ada' }, ...details };
    const answer = await send({ method: 'POST', path: '/v1/keys', body, as });
    expect(answer.status).toBe(201);
    return answer.body as Record<string, unknown> & { id: string };
  }

  async function rows<R>(sql: string, values: unknown[] = []): Promise<R[]> {
    const client = new Client({ connectionString: fleet.adminDatabaseUrl });
    await client.connect();
    try {
      return (await client.query(sql, values)).rows as R[];
    } finally {
      await client.end();
    }
  }

  function fieldsOf(answer: Answer): string[] {
    return ((answer.body['errors'] ?? []) as { field: string }[]).map(({ field }) => field);
  }

  const patch = (id: string, body: unknown, headers: Record<string, string> = {}) =>
    send({ method: 'PATCH', path: `/v1/keys/${id}`, body, headers });

  describe('settings', () => {
    it('are kept as they were given', async () => {
      const given = {
        kind: 'community',
        label: 'club',
        limits: {
          perSecond: 5,
          perMinute: 100,
          perHour: 1000,
          perDay: 9000,
          methodsPerDay: { 'wall.get': 50 },
        },
        weight: 9,
        egress: 'home',
        bucket: 'app-1',
        ownerId: '77',
        scopes: ['wall', 'friends'],
      };
      const key = await register(given);
      expect(key).toMatchObject({
        ...given,
        scopes: ['friends', 'wall'],
        sharedWith: [],
        consent: { givenBy: 'Ada', endedAt: null },
        replaces: null,
        replacedBy: null,
        lastUsedAt: null,
      });
      expect((await send({ method: 'GET', path: `/v1/keys/${key.id}` })).body).toEqual(key);
    });

    it('change together, and what is absent stays', async () => {
      const key = await register({ label: 'old', limits: { perSecond: 2, perDay: 10 } });
      const changed = await patch(key.id, {
        weight: 3,
        label: null,
        limits: { perDay: 20 },
        bucket: 'b',
        scopes: ['x'],
      });
      expect(changed.status).toBe(200);
      expect(changed.headers.get('etag')).toBe('"2"');
      expect(changed.body).toEqual({
        ...key,
        weight: 3,
        label: null,
        limits: { perSecond: 3, perDay: 20 },
        bucket: 'b',
        scopes: ['x'],
        version: 2,
        updatedAt: changed.body['updatedAt'],
      });
      expect((await patch(key.id, {})).body['version']).toBe(2);
      expect((await patch(key.id, { bucket: null })).body).toMatchObject({ bucket: null, version: 3 });
    });

    it('let a key rest that is counted in another bucket from now on', async () => {
      const key = await register();
      await patch(key.id, { weight: 2 });
      expect((await send({ method: 'GET', path: `/v1/keys/${key.id}/rests` })).body).toEqual({ items: [] });
      await patch(key.id, { bucket: 'elsewhere' });
      const { body } = await send({ method: 'GET', path: `/v1/keys/${key.id}/rests` });
      expect(body).toMatchObject({ items: [{ kind: 'key' }] });
    });

    it('change once when two want it at once', async () => {
      const key = await register();
      const both = await Promise.all(
        [2, 3].map((weight) => patch(key.id, { weight }, { 'if-match': '"1"' })),
      );
      expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
      expect(both.find(({ status }) => status === 412)?.body['code']).toBe('KEY_POOL.KEY_CHANGED');
      expect((await patch(key.id, { weight: 8 }, { 'if-match': '*' })).status).toBe(200);
      const blind = await Promise.all([4, 5].map((weight) => patch(key.id, { weight })));
      expect(blind.map(({ status }) => status)).toEqual([200, 200]);
    });

    it.each<[unknown, string]>([
      [{ weight: 0 }, 'weight'],
      [{ weight: null }, 'weight'],
      [{ weight: '5' }, 'weight'],
      [{ limits: null }, 'limits'],
      [{ limits: { perSecond: 4 } }, 'limits.perSecond'],
      [{ limits: { perDay: -1 } }, 'limits.perDay'],
      [{ limits: { perMinute: 1.5 } }, 'limits.perMinute'],
      [{ limits: { perHour: 1_000_000_001 } }, 'limits.perHour'],
      [{ limits: { perYear: 1 } }, 'limits.perYear'],
      [{ limits: { methodsPerDay: { 'wall get': 1 } } }, 'limits.methodsPerDay'],
      [{ limits: { methodsPerDay: { 'wall.get': 0 } } }, 'limits.methodsPerDay.wall.get'],
      [{ limits: { methodsPerDay: [] } }, 'limits.methodsPerDay'],
      [{ label: 'x'.repeat(201) }, 'label'],
      [{ label: 'a\u0007b' }, 'label'],
      ['{"label":"\\ud800"}', 'label'],
      [{ egress: 'UPPER' }, 'egress'],
      [{ bucket: 'a:b' }, 'bucket'],
      [{ bucket: '' }, 'bucket'],
      [{ ownerId: '' }, 'ownerId'],
      [{ scopes: null }, 'scopes'],
      [{ scopes: ['a b'] }, 'scopes.0'],
      [{ scopes: [1] }, 'scopes'],
      [{ token: 'vk1.a.not-by-this-way' }, 'token'],
      [{ network: 'vk' }, 'network'],
      ['[]', 'body'],
      ['5', 'body'],
    ])('refuse %j and name the field', async (body, field) => {
      const key = await register();
      const answer = await patch(key.id, body);
      expect(answer.status).toBe(400);
      if (field !== 'body') expect(fieldsOf(answer)).toContain(field);
      expect((await send({ method: 'GET', path: `/v1/keys/${key.id}` })).body['version']).toBe(1);
    });

    it('are filters of the list', async () => {
      const label = `filter ${text()}%_`;
      const a = await register({ label: `${label} a`, egress: 'cellar', bucket: 'attic', kind: 'service' });
      const b = await register({ label: `${label} b` });
      await register({ label: `filter ${text()}` });
      const found = async (query: string): Promise<unknown[]> => {
        const answer = await send({ method: 'GET', path: `/v1/keys?limit=200&${query}` });
        expect(answer.status).toBe(200);
        return (answer.body['items'] as { id: string }[]).map(({ id }) => id);
      };
      const prefix = `label=${encodeURIComponent(label)}`;
      expect(await found(prefix)).toEqual([a.id, b.id]);
      expect(await found(`${prefix}&kind=service`)).toEqual([a.id]);
      expect(await found('egress=cellar')).toEqual([a.id]);
      expect(await found('bucket=attic')).toEqual([a.id]);
      expect(await found('bucket=attic&network=vk')).toEqual([a.id]);
      expect(await found(`${prefix}&state=paused`)).toEqual([]);
      for (const query of [
        'kind=x',
        'state=gone',
        'network=x',
        'egress=X',
        'bucket=a:b',
        'label=',
        'limit=x',
        'x=1',
      ]) {
        const answer = await send({ method: 'GET', path: `/v1/keys?${query}` });
        expect([query, answer.status, fieldsOf(answer)]).toEqual([query, 400, [query.split('=')[0]]]);
      }
    });
  });

  describe('rotation', () => {
    it('puts a new key in its place and ends the old one when its leases are gone', async () => {
      const old = await register({ label: 'turning', weight: 5 });
      const token = aToken();
      const answer = await send({ method: 'POST', path: `/v1/keys/${old.id}/rotate`, body: { token } });
      expect(answer.status).toBe(201);
      const key = answer.body as { id: string };
      expect(answer.headers.get('location')).toBe(`/v1/keys/${key.id}`);
      expect(key).toMatchObject({
        label: 'turning',
        weight: 5,
        state: 'active',
        replaces: old.id,
        version: 1,
      });
      await eventually(
        async () => {
          const { body } = await send({ method: 'GET', path: `/v1/keys/${old.id}` });
          expect(body).toMatchObject({ state: 'replaced', replacedBy: key.id });
        },
        { timeoutMs: 15_000, everyMs: 100 },
      );
      const [row] = await rows<{ size: number }>(
        'SELECT length(token_encrypted) AS size FROM api_keys WHERE id = $1',
        [old.id],
      );
      expect(row?.size).toBe(0);
      const again = await send({
        method: 'POST',
        path: `/v1/keys/${old.id}/rotate`,
        body: { token: aToken() },
      });
      expect(again).toMatchObject({ status: 409, body: { code: 'KEY_POOL.KEY_STATE' } });
    });

    it('happens once for an Idempotency-Key, and for one of two at once', async () => {
      const old = await register();
      const path = `/v1/keys/${old.id}/rotate`;
      const key = { 'idempotency-key': text() };
      const body = { token: aToken() };
      const first = await send({ method: 'POST', path, body, headers: key });
      const repeat = await send({ method: 'POST', path, body, headers: key });
      expect([repeat.status, repeat.body['id']]).toEqual([201, first.body['id']]);
      const other = await register();
      const elsewhere = await send({
        method: 'POST',
        path: `/v1/keys/${other.id}/rotate`,
        body,
        headers: key,
      });
      expect(elsewhere.status).toBe(422);
      const both = await Promise.all(
        [1, 2].map(() =>
          send({
            method: 'POST',
            path: `/v1/keys/${other.id}/rotate`,
            body: { token: aToken() },
            headers: { 'if-match': '"1"' },
          }),
        ),
      );
      expect(both.map(({ status }) => status).sort()).toEqual([201, 412]);
    });

    it.each<[unknown, string]>([
      [{}, 'token'],
      [{ token: 'short' }, 'token'],
      [{ token: 'vk1.a.two words' }, 'token'],
      [{ token: 'vk1.a.some-token', consent: null }, 'consent'],
      [{ token: 'vk1.a.some-token', consent: { givenBy: '' } }, 'consent.givenBy'],
      [{ token: 'vk1.a.some-token', colour: 1 }, 'colour'],
    ])('refuses %j and names the field', async (body, field) => {
      const key = await register();
      const answer = await send({ method: 'POST', path: `/v1/keys/${key.id}/rotate`, body });
      expect([answer.status, fieldsOf(answer)]).toEqual([400, [field]]);
    });

    it('knows a token that is registered', async () => {
      const token = aToken();
      await register({ token });
      const key = await register();
      const answer = await send({ method: 'POST', path: `/v1/keys/${key.id}/rotate`, body: { token } });
      expect(answer).toMatchObject({ status: 409, body: { code: 'KEY_POOL.TOKEN_REGISTERED' } });
      const { body } = await send({ method: 'GET', path: `/v1/keys/${key.id}` });
      expect(body).toMatchObject({ replacedBy: null, version: 1 });
    });
  });

  describe('consent', () => {
    it('can be taken back: the key is out, its token destroyed, its history kept', async () => {
      const token = aToken();
      const key = await register({ token });
      const path = `/v1/keys/${key.id}`;
      const answer = await send({
        method: 'POST',
        path: `${path}/withdraw-consent`,
        headers: { 'if-match': '"1"' },
      });
      expect(answer).toMatchObject({
        status: 200,
        body: {
          state: 'invalid',
          reason: 'consent-withdrawn',
          consent: { endedAt: expect.any(Number) },
          version: 2,
        },
      });
      const [row] = await rows<{ size: number }>(
        'SELECT length(token_encrypted) AS size FROM api_keys WHERE id = $1',
        [key.id],
      );
      expect(row?.size).toBe(0);
      for (const [method, step, body] of [
        ['POST', '/resume'],
        ['POST', '/probe'],
        ['POST', '/rotate', { token: aToken() }],
        ['PATCH', '', { weight: 2 }],
        ['PUT', '/shares', { workspaces: [] }],
      ] as const) {
        expect([step, (await send({ method, path: `${path}${step}`, body })).status]).toEqual([step, 409]);
      }
      const history = await send({ method: 'GET', path: `${path}/history` });
      expect((history.body['items'] as { action: string }[]).map(({ action }) => action)).toEqual([
        'key.withdraw-consent',
        'key.register',
      ]);
      // Whoever agrees again registers it again.
      expect((await register({ token })).state).toBe('active');
    });
  });

  describe('sharing', () => {
    it('names workspaces, whose operators see the key in the pool and nowhere else', async () => {
      const key = await register();
      const put = (workspaces: unknown) =>
        send({ method: 'PUT', path: `/v1/keys/${key.id}/shares`, body: { workspaces } });
      expect(await put(['partner', 'alpha', 'partner'])).toMatchObject({
        status: 200,
        body: { sharedWith: ['alpha', 'partner'], version: 2 },
      });
      const partner = issuer.token({ roles: ['operator'], workspace: 'partner' });
      const explained = async (): Promise<unknown[]> => {
        const path = '/v1/pool/explain?network=vk&methods=friends.get:25';
        return (await send({ method: 'GET', path, as: partner })).body['keys'] as unknown[];
      };
      expect(await explained()).toMatchObject([{ keyId: key.id }]);
      expect((await send({ method: 'GET', path: `/v1/keys/${key.id}`, as: partner })).status).toBe(404);
      expect((await put([])).body).toMatchObject({ sharedWith: [], version: 3 });
      expect(await explained()).toEqual([]);
    });

    it.each<[unknown, string]>([
      [{}, 'workspaces'],
      [{ workspaces: 'partner' }, 'workspaces'],
      [{ workspaces: ['UPPER'] }, 'workspaces.0'],
      [{ workspaces: ['partner', 'demo'] }, 'workspaces.1'],
      [{ workspaces: Array.from({ length: 51 }, (_, i) => `w${i}`) }, 'workspaces'],
      [{ workspaces: [1] }, 'workspaces'],
    ])('refuses %j and names the field', async (body, field) => {
      const key = await register();
      const answer = await send({ method: 'PUT', path: `/v1/keys/${key.id}/shares`, body });
      expect([answer.status, fieldsOf(answer)]).toEqual([400, [field]]);
    });
  });

  describe('bulk registration', () => {
    const bulk = (body: unknown, headers: Record<string, string> = {}) =>
      send({ method: 'POST', path: '/v1/keys/bulk', body, headers });
    const row = (details: object = {}) => ({
      ...{ network: 'vk', kind: 'user', token: aToken(), consent: { givenBy: 'Ada' } },
      ...details,
    });
    const csv = { 'content-type': 'text/csv' };
    const header = 'network,kind,token,consent.givenBy,label';

    it('gives each row its own verdict', async () => {
      const known = aToken();
      await register({ token: known });
      const answer = await bulk([
        row({ label: 'first of bulk' }),
        row({ kind: 'x' }),
        row({ token: known }),
        row(),
      ]);
      expect(answer).toMatchObject({
        status: 200,
        body: {
          created: 2,
          refused: 2,
          rows: [
            { row: 1, id: expect.any(String) },
            { row: 2, errors: [{ field: 'kind' }] },
            { row: 3, errors: [{ field: 'token', message: 'is registered already' }] },
            { row: 4, id: expect.any(String) },
          ],
        },
      });
      const [{ id }] = answer.body['rows'] as [{ id: string }];
      const { body } = await send({ method: 'GET', path: `/v1/keys/${id}` });
      expect(body).toMatchObject({ label: 'first of bulk', version: 1 });
      const history = await send({ method: 'GET', path: `/v1/keys/${id}/history` });
      expect(history.body['items']).toMatchObject([
        { action: 'key.register', actor: { kind: 'person', id: 'olga' } },
      ]);
    });

    it('takes CSV', async () => {
      const lines = [
        header,
        `vk,user,${aToken()},Ada,"one, quoted"`,
        'vk,user,short,Ada,',
        `vk,user,${aToken()},Ada,`,
      ];
      const answer = await bulk(lines.join('\r\n'), csv);
      expect(answer.body).toMatchObject({
        created: 2,
        refused: 1,
        rows: [{ row: 1 }, { row: 2 }, { row: 3 }],
      });
    });

    it('happens once for an Idempotency-Key', async () => {
      const key = { 'idempotency-key': text() };
      const body = [row()];
      const first = await bulk(body, key);
      expect((await bulk(body, key)).body).toEqual(first.body);
      expect((await bulk([row()], key)).status).toBe(422);
    });

    it('takes bodies above 1 MB, which nothing else does', async () => {
      const lines = Array.from({ length: 700 }, () => `vk,user,${aToken()}${'x'.repeat(1600)},Ada,many`);
      const answer = await bulk([header, ...lines].join('\n'), csv);
      expect(answer.body).toMatchObject({ created: 700, refused: 0 });
      const large = await bulk(`${header}\n${'x'.repeat(20 * 1_048_576)}`, csv);
      expect(large.status).toBe(413);
      const elsewhere = await send({
        method: 'POST',
        path: '/v1/keys',
        body: row({ label: 'x'.repeat(1_048_576) }),
      });
      expect(elsewhere.status).toBe(413);
      const type = await send({ method: 'POST', path: '/v1/keys', body: header, headers: csv });
      expect(type.status).toBe(415);
    });

    it.each<[unknown, Record<string, string>, string]>([
      [{}, {}, 'body'],
      ['[]', {}, 'body'],
      ['', csv, 'body'],
      ['{"a":', {}, 'body'],
      [header, csv, 'body'],
      [`${header},colour\n`, csv, 'colour'],
      ['network,kind,token\nvk,user,abcdefghij', csv, 'consent.givenBy'],
      [`${header}\n"vk`, csv, 'body'],
    ])('refuses %j and names what is wrong', async (body, headers, field) => {
      const answer = await bulk(body, headers);
      expect([answer.status, fieldsOf(answer)]).toEqual([400, [field]]);
    });
  });

  describe('history', () => {
    it('tells every change with who, when, from and to, in pages', async () => {
      const key = await register({ label: 'told' });
      const ada = issuer.token({ roles: ['admin'], subject: 'ada' });
      await patch(key.id, { weight: 2 });
      await send({ method: 'POST', path: `/v1/keys/${key.id}/pause`, as: ada });
      await send({ method: 'DELETE', path: `/v1/keys/${key.id}` });
      const seen: Record<string, unknown>[] = [];
      let cursor = '';
      do {
        const { status, body } = await send({
          method: 'GET',
          path: `/v1/keys/${key.id}/history?limit=3${cursor}`,
        });
        expect(status).toBe(200);
        seen.push(...(body['items'] as Record<string, unknown>[]));
        cursor = body['next'] === null ? '' : `&cursor=${String(body['next'])}`;
      } while (cursor !== '');
      expect(seen).toMatchObject([
        {
          version: 4,
          action: 'key.delete',
          actor: { id: 'olga' },
          changes: { state: { from: 'paused', to: 'deleted' } },
        },
        { version: 3, action: 'key.pause', actor: { kind: 'person', id: 'ada' } },
        { version: 2, action: 'key.amend', changes: { weight: { from: 1, to: 2 } } },
        { version: 1, action: 'key.register', changes: { label: { from: null, to: 'told' } } },
      ]);
      expect(Object.keys(seen[2]?.['changes'] as object)).toEqual(['weight']);
      expect(seen.every(({ at }) => typeof at === 'number')).toBe(true);
      for (const query of ['limit=0', 'limit=201', 'cursor=eyJ4IjoxfQ', 'x=1']) {
        const answer = await send({ method: 'GET', path: `/v1/keys/${key.id}/history?${query}` });
        expect([query, answer.status, fieldsOf(answer)]).toEqual([query, 400, [query.split('=')[0]]]);
      }
    });

    it('cannot be changed by whoever serves requests', async () => {
      const client = new Client({ connectionString: fleet.config.DATABASE_URL_APP });
      await client.connect();
      const denied = { code: '42501' };
      await expect(client.query('DELETE FROM key_history')).rejects.toMatchObject(denied);
      await expect(client.query("UPDATE key_history SET action = 'x'")).rejects.toMatchObject(denied);
      expect((await client.query('SELECT * FROM key_history')).rows).toEqual([]);
      await client.end();
    });
  });

  describe('the pool', () => {
    it('says what a key used, what rests and which leases are open', async () => {
      const key = await register({ limits: { perDay: 1000, methodsPerDay: { 'wall.get': 40 } } });
      const usage = await send({ method: 'GET', path: `/v1/keys/${key.id}/usage` });
      expect(usage.body).toMatchObject({
        perSecond: 3,
        lastUsedAt: null,
        limits: expect.arrayContaining([
          expect.objectContaining({
            limit: 'day:wall.get',
            calls: 40,
            spent: 0,
            left: 40,
            spentAt: null,
            forecast: 'at this pace wall.get lasts',
          }),
        ]),
      });
      expect((await send({ method: 'GET', path: `/v1/keys/${key.id}/leases` })).body).toEqual({ items: [] });
      expect((await send({ method: 'GET', path: `/v1/keys/${key.id}/rests` })).body).toEqual({ items: [] });
      expect(
        await send({ method: 'DELETE', path: `/v1/keys/${key.id}/rests?kind=method&name=wall.get` }),
      ).toMatchObject({ status: 200, body: { ended: 0 } });
      expect((await send({ method: 'DELETE', path: `/v1/keys/${key.id}/rests?kind=x` })).status).toBe(400);
      const probe = await send({ method: 'POST', path: `/v1/keys/${key.id}/probe` });
      expect(probe).toMatchObject({ status: 202, body: { ended: 0, watch: `/v1/keys/${key.id}/rests` } });
      expect(probe.headers.get('location')).toBe(`/v1/keys/${key.id}/rests`);
    });

    it('shows a lease that is open, and releases it', async () => {
      const alone = issuer.token({ roles: ['operator'], workspace: 'lonely' });
      const key = await register({}, alone);
      const client = await fleet.client();
      await client.open();
      const verdict = await client.acquire({
        ...{ workspaceId: 'lonely', network: 'vk', importId: 'i1', timeoutMs: 5000 },
        methods: { 'friends.get': 1 },
      });
      if (verdict.kind !== 'granted') throw new Error(verdict.reason);
      const path = `/v1/keys/${key.id}/leases`;
      const open = (await send({ method: 'GET', path, as: alone })).body['items'] as { leaseId: string }[];
      expect(open).toMatchObject([
        { leaseId: verdict.lease.leaseId, workspaceId: 'lonely', importId: 'i1', calls: 1 },
      ]);
      const lease = `/v1/pool/leases/${verdict.lease.leaseId}`;
      expect((await send({ method: 'DELETE', path: lease })).status).toBe(404);
      expect((await send({ method: 'DELETE', path: lease, as: alone })).status).toBe(204);
      expect((await send({ method: 'GET', path, as: alone })).body).toEqual({ items: [] });
    });

    it('grants no lease of a key that is being rotated', async () => {
      const turning = issuer.token({ roles: ['operator'], workspace: 'turning' });
      const old = await register({}, turning);
      const client = await fleet.client({ instanceId: '7' });
      await client.open();
      const acquire = () =>
        client.acquire({
          ...{ workspaceId: 'turning', network: 'vk', importId: 'i1', timeoutMs: 5000 },
          methods: { 'friends.get': 1 },
        });
      const first = await acquire();
      if (first.kind !== 'granted') throw new Error(first.reason);
      expect(first.lease.keyId).toBe(old.id);
      const rotated = await send({
        ...{ method: 'POST', path: `/v1/keys/${old.id}/rotate`, as: turning },
        body: { token: aToken() },
      });
      for (let i = 0; i < 4; i += 1) {
        const next = await acquire();
        if (next.kind !== 'granted') throw new Error(next.reason);
        expect(next.lease.keyId).toBe(rotated.body['id']);
      }
      const { body } = await send({ method: 'GET', path: `/v1/keys/${old.id}`, as: turning });
      expect(body).toMatchObject({ state: 'active', replacedBy: rotated.body['id'] });
    });

    it('explains why a key would be chosen, or none', async () => {
      const some = issuer.token({ roles: ['viewer', 'operator'], workspace: 'curious' });
      const path = '/v1/pool/explain?network=vk&methods=friends.get:25';
      expect((await send({ method: 'GET', path, as: some })).body).toMatchObject({
        known: 0,
        eligible: 0,
        keys: [],
      });
      const free = await register({ weight: 4 }, some);
      const paused = await register({}, some);
      await send({ method: 'POST', path: `/v1/keys/${paused.id}/pause`, as: some });
      const club = await register({ kind: 'community' }, some);
      const { body } = await send({ method: 'GET', path, as: some });
      expect(body).toMatchObject({ known: 3, eligible: 1, poolNow: expect.any(Number) });
      const keys = body['keys'] as { keyId: string; reason?: string }[];
      expect(keys[0]).toMatchObject({ keyId: free.id, weight: 4, nextSlotAt: expect.any(Number) });
      expect(keys[0]?.reason).toBeUndefined();
      expect(
        keys
          .filter(({ reason }) => reason !== undefined)
          .map(({ keyId }) => keyId)
          .sort(),
      ).toEqual([paused.id, club.id].sort());
      const one = await send({
        method: 'GET',
        path: `${path}&keyId=${paused.id}&egress=home&limit=1`,
        as: some,
      });
      expect(one.body).toMatchObject({ known: 1, eligible: 0, keys: [{ keyId: paused.id }] });
      for (const [query, field] of [
        ['methods=friends.get', 'network'],
        ['network=vk', 'methods'],
        ['network=orkut&methods=friends.get', 'network'],
        ['network=vk&methods=friends get', 'methods'],
        ['network=vk&methods=friends.get:0', 'methods'],
        ['network=vk&methods=friends.get,friends.get', 'methods'],
        ['network=vk&methods=friends.get&egress=X', 'egress'],
        ['network=vk&methods=friends.get&keyId=5', 'keyId'],
        ['network=vk&methods=friends.get&limit=201', 'limit'],
        ['network=vk&methods=friends.get&colour=red', 'colour'],
      ] as const) {
        const answer = await send({ method: 'GET', path: `/v1/pool/explain?${query}` });
        expect([query, answer.status, fieldsOf(answer)]).toEqual([query, 400, [field]]);
      }
    });

    it('lets only the platform forget what was learned', async () => {
      const platform = issuer.token({ roles: ['platform-operator'], workspace: '' });
      expect((await send({ method: 'DELETE', path: '/v1/pool/margins/vk' })).status).toBe(403);
      expect((await send({ method: 'DELETE', path: '/v1/pool/margins/vk', as: platform })).status).toBe(204);
      const unknown = await send({ method: 'DELETE', path: '/v1/pool/margins/orkut', as: platform });
      expect(unknown).toMatchObject({ status: 404, body: { code: 'KEY_POOL.NETWORK_UNKNOWN' } });
      expect((await send({ method: 'DELETE', path: '/v1/pool/margins/UPPER', as: platform })).status).toBe(
        400,
      );
      const margins = await send({ method: 'GET', path: '/v1/pool/margins', as: platform });
      expect(margins).toMatchObject({ status: 200, body: { items: expect.any(Array) } });
      expect((await send({ method: 'GET', path: '/v1/keys', as: platform })).status).toBe(403);
    });
  });

  it('tells the audit trail of attempts that were refused, and the log of keys of every change', async () => {
    const { id } = await register();
    const spy = issuer.token({ roles: ['viewer'], subject: `spy-${text()}` });
    await send({ method: 'POST', path: `/v1/keys/${id}/pause`, as: spy });
    await send({ method: 'POST', path: `/v1/keys/${id}/resume` });
    await send({ method: 'POST', path: `/v1/keys/${id}/pause`, headers: { 'if-match': '"9"' } });
    await eventually(
      () => {
        const said = fleet.logs.filter((line) => line.includes('a request was refused')).join('\n');
        expect(said).toContain('"action":"post.keys.pause"');
        expect(said).toContain('AUTH.ROLE_MISSING');
        expect(said).toContain('KEY_POOL.KEY_CHANGED');
        return Promise.resolve();
      },
      { timeoutMs: 5_000, everyMs: 50 },
    );
  });
});
