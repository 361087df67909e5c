import { randomBytes } from 'node:crypto';
import { LIMITS_HASH } from '@sociograph/auth';
import { demoToken, eventually } from '@sociograph/testing';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(60_000);
const CONTROL = `control-${randomBytes(12).toString('hex')}`;

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  text: string;
}

const TOKEN = `vk1.a.canary-${randomBytes(12).toString('hex')}`;

describe('the keys of a workspace over REST', () => {
  let fleet: KeyServiceFleet;
  let authorization: string;
  const answers: string[] = [];

  beforeAll(async () => {
    fleet = await startKeyService();
    authorization = `Bearer ${await demoToken()}`;
  });

  afterAll(async () => {
    await fleet?.close();
  });

  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${fleet.url}${path}`, {
      method,
      headers: {
        authorization,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    answers.push(text);
    const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, headers: response.headers, body: parsed, text };
  }

  function register(details: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    const token = `vk1.a.canary-${randomBytes(8).toString('hex')}`;
    const body = { network: 'vk', kind: 'user', token, consent: { givenBy: 'Ada' }, ...details };
    return call('POST', '/v1/keys', body, headers);
  }

  async function rows<R>(sql: string, values: unknown[] = [], url = fleet.adminDatabaseUrl): Promise<R[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql, values)).rows as R[];
    } finally {
      await client.end();
    }
  }

  it('registers a key and shows it without its token', async () => {
    const created = await register({ token: TOKEN, label: CONTROL, limits: { perSecond: 2 } });
    expect(created.status).toBe(201);
    const { id } = created.body;
    expect(created.headers.get('location')).toBe(`/v1/keys/${String(id)}`);
    expect(created.headers.get('etag')).toBe('"1"');
    expect(created.body).toMatchObject({
      network: 'vk',
      kind: 'user',
      label: CONTROL,
      state: 'active',
      limits: { perSecond: 2 },
      consent: { givenBy: 'Ada' },
      version: 1,
    });
    expect((await call('GET', `/v1/keys/${String(id)}`)).body).toEqual(created.body);
  });

  it('knows a token that is registered, and a request that is repeated', async () => {
    const again = await register({ token: TOKEN });
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({ code: 'KEY_POOL.TOKEN_REGISTERED', errors: [{ field: 'token' }] });
    const key = { 'idempotency-key': randomBytes(8).toString('hex') };
    const body = { token: 'vk1.a.canary-repeated-token' };
    const first = await register(body, key);
    const repeat = await register(body, key);
    expect(repeat.status).toBe(201);
    expect(repeat.body['id']).toBe(first.body['id']);
    expect((await register({ token: 'vk1.a.canary-other-token' }, key)).status).toBe(422);
  });

  it('pauses, resumes and deletes, and says when somebody else was first', async () => {
    const { body } = await register();
    const path = `/v1/keys/${String(body['id'])}`;
    const paused = await call('POST', `${path}/pause`, undefined, { 'if-match': '"1"' });
    expect(paused).toMatchObject({ status: 200, body: { state: 'paused', version: 2 } });
    expect((await call('POST', `${path}/resume`, undefined, { 'if-match': '"1"' })).status).toBe(412);
    expect(await call('POST', `${path}/resume`)).toMatchObject({ status: 200, body: { state: 'active' } });
    const both = await Promise.all(
      ['pause', 'pause'].map(() => call('POST', `${path}/pause`, undefined, { 'if-match': '"3"' })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', path)).status).toBe(404);
    expect((await call('DELETE', path)).status).toBe(404);
  });

  it('lists in pages of a stable order, by network and state', async () => {
    const seen: unknown[] = [];
    let next: unknown = null;
    do {
      const cursor = next === null ? '' : `&cursor=${String(next)}`;
      const page = await call('GET', `/v1/keys?limit=1${cursor}`);
      expect(page.status).toBe(200);
      seen.push(...(page.body['items'] as { id: string }[]).map(({ id }) => id));
      next = page.body['next'];
    } while (next !== null);
    const all = await call('GET', '/v1/keys?limit=200&network=vk&state=active');
    expect(seen).toEqual([...(seen as string[])].sort());
    expect(new Set(seen).size).toBe(seen.length);
    expect((all.body['items'] as { id: string }[]).map(({ id }) => id)).toEqual(seen);
    expect((await call('GET', '/v1/keys?state=paused')).body).toEqual({ items: [], next: null });
  });

  it.each<[string, object, string]>([
    ['an unknown network', { network: 'orkut' }, 'network'],
    ['an unknown kind', { kind: 'admin' }, 'kind'],
    ['no token', { token: undefined }, 'token'],
    ['a token that is no text', { token: 5 }, 'token'],
    ['a token with a space', { token: 'vk1.a.canary with space' }, 'token'],
    ['no consent', { consent: undefined }, 'consent'],
    ['a consent of nobody', { consent: { givenBy: '' } }, 'consent.givenBy'],
    ['a consent of tomorrow', { consent: { givenBy: 'Ada', at: 9_999_999_999_999 } }, 'consent.at'],
    ['more calls than its kind has', { limits: { perSecond: 4 } }, 'limits.perSecond'],
    ['half a call', { limits: { perSecond: 0.5 } }, 'limits.perSecond'],
    ['a field that nobody knows', { colour: 'red' }, 'colour'],
    ['an address that is none', { egress: 'UPPER CASE' }, 'egress'],
  ])('refuses %s and names the field', async (_, details, field) => {
    const answer = await register(details);
    expect(answer.status).toBe(400);
    expect((answer.body['errors'] as { field: string }[]).map((fault) => fault.field)).toContain(field);
  });

  it('refuses what is no request', async () => {
    expect((await call('POST', '/v1/keys', '{"network":')).status).toBe(400);
    expect((await call('GET', '/v1/keys/not-a-uuid')).status).toBe(400);
    expect((await call('GET', '/v1/keys?limit=0')).status).toBe(400);
    expect((await call('GET', '/v1/keys?limit=201')).status).toBe(400);
    expect((await call('GET', '/v1/keys?cursor=eyJ4IjoxfQ')).status).toBe(400);
    expect((await call('GET', '/v1/keys', undefined, { authorization: 'Bearer x' })).status).toBe(401);
    const unknown = await call('GET', '/v1/keys/01930f0e-7b1c-7000-8000-00000000000a');
    expect(unknown).toMatchObject({ status: 404, body: { code: 'KEY_POOL.KEY_UNKNOWN' } });
  });

  it('shows nothing of another workspace, even to a query that forgets the workspace', async () => {
    const { DATABASE_URL_APP } = fleet.config;
    expect(await rows('SELECT id FROM api_keys', [], DATABASE_URL_APP)).toEqual([]);
    const foreign = await rows<{ id: string }>(
      `UPDATE api_keys SET workspace_id = 'other' WHERE id = (SELECT id FROM api_keys WHERE status = 'active' LIMIT 1)
       RETURNING id`,
    );
    expect(await call('GET', `/v1/keys/${foreign[0]!.id}`)).toMatchObject({ status: 404 });
    expect(await call('POST', `/v1/keys/${foreign[0]!.id}/pause`)).toMatchObject({ status: 404 });
    const ours = await rows<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    const tables = ours.map(({ name }) => name).filter((name) => name !== '_prisma_migrations');
    expect(tables.length).toBeGreaterThan(8);
    for (const table of tables) {
      const [flags] = await rows<{ on: boolean; forced: boolean }>(
        'SELECT relrowsecurity AS on, relforcerowsecurity AS forced FROM pg_class WHERE oid = $1::regclass',
        [table],
      );
      expect({ table, ...flags }).toEqual({ table, on: true, forced: true });
    }
    for (const table of [
      'data_keys',
      'pool_epochs',
      'outbox',
      'refresh_tokens',
      'key_rests',
      'budget_blocks',
    ]) {
      const read = rows(`SELECT * FROM ${table}`, [], DATABASE_URL_APP);
      await expect(read).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('obeys the limit that was set for the workspace, and names it', async () => {
    const slow = { timeoutMs: 20_000, everyMs: 500 };
    const pool = new Redis(fleet.config.REDIS_POOL_URL);
    try {
      await pool.hset(LIMITS_HASH, 'demo', JSON.stringify({ keys: 1 }));
      await eventually(async () => {
        const { status, headers, body } = await register();
        expect([status, body['code'], body['detail'], headers.get('retry-after')]).toEqual([
          ...[429, 'KEY_POOL.QUOTA_KEYS', 'The quota keys of this workspace (1) is used up.', '60'],
        ]);
      }, slow);
      await pool.hdel(LIMITS_HASH, 'demo');
      await eventually(async () => expect((await register()).status).toBe(201), slow);
    } finally {
      pool.disconnect();
    }
  });

  it('announces each change to the log of keys and the audit trail, by way of the outbox', async () => {
    await eventually(
      async () => {
        expect(await rows('SELECT id FROM outbox')).toEqual([]);
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
  });

  it('lets the token appear in no log line, answer or row, in no encoding', async () => {
    await register({ token: `${TOKEN}\n` });
    await register({ token: TOKEN, network: 'orkut' });
    const dump: string[] = [...fleet.logs, ...answers];
    for (const table of ['api_keys', 'data_keys', 'outbox', 'idempotency_keys', 'pool_epochs']) {
      dump.push(
        ...(await rows<{ row: string }>(`SELECT t::text AS row FROM ${table} t`)).map(({ row }) => row),
      );
    }
    const text = dump.join('\n');
    expect(text).toContain('request answered');
    const found = encodings(TOKEN).filter((form) => text.includes(form));
    expect(found).toEqual([]);
    // The scan looks where such a text would be: one that was stored and answered in the clear is found.
    expect(text.split(CONTROL).length).toBeGreaterThan(3);
  });
});

/** Forms in which a text could hide; of base64 the part that does not depend on what stands around it. */
function encodings(token: string): string[] {
  const secret = token.slice('vk1.a.'.length);
  const inner = [0, 1, 2].map((shift) => Buffer.from(secret.slice(shift)).toString('base64').slice(0, 24));
  return [secret, Buffer.from(secret).toString('hex'), encodeURIComponent(secret), ...inner];
}
