import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS_HASH } from '@sociograph/auth';
import { callQueue, EXCHANGES } from '@sociograph/contracts';
import { createApiDocument, type ServiceHandle } from '@sociograph/service-host';
import {
  eventually,
  type OwnVhost,
  ownVhost,
  testServers,
  startTokenIssuer,
  type TokenIssuer,
} from '@sociograph/testing';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { MemoryKeyPool, MemoryViewProgress } from '../src/infrastructure/in-memory-edges';
import { REST_CONTROLLERS } from '../src/presentation/rest-controllers';
import { startParserAlone } from './alone';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(120_000);

const ROLES = ['viewer', 'analyst', 'operator', 'admin', 'platform-operator'];
const OWNERS = ['analyst', 'operator', 'admin'];
const IMPORT = {
  ...{ network: 'vk', seeds: ['107'], depth: 2, limits: { people: 10, calls: 5 } },
  ...{ include: ['friends', 'walls'], fields: ['sex'], walls: { last: 5, since: '2026-01-01T00:00:00Z' } },
};

/** Every route, who may call it, and what a right call is answered with. */
const ENDPOINTS: Record<string, { roles: string[]; status: number; body?: object; ended?: boolean }> = {
  'POST /v1/imports': { roles: OWNERS, status: 202, body: IMPORT },
  'GET /v1/imports': { roles: OWNERS, status: 200 },
  'GET /v1/imports/{id}': { roles: OWNERS, status: 200 },
  'GET /v1/imports/{id}/certificate': { roles: OWNERS, status: 200 },
  'GET /v1/imports/{id}/events': { roles: OWNERS, status: 200, ended: true },
  'POST /v1/imports/{id}/pause': { roles: OWNERS, status: 200 },
  'POST /v1/imports/{id}/resume': { roles: OWNERS, status: 200 },
  'POST /v1/imports/{id}/cancel': { roles: OWNERS, status: 200 },
  'POST /v1/imports/{id}/retry': { roles: OWNERS, status: 200 },
  'DELETE /v1/imports/{id}': { roles: OWNERS, status: 204, ended: true },
  // A right one is in uploads-rest.spec.ts; without a body it gets as far as its role lets it.
  'POST /v1/uploads': { roles: OWNERS, status: 400 },
  'GET /v1/uploads': { roles: OWNERS, status: 200 },
  'GET /v1/uploads/{id}': { roles: OWNERS, status: 404 },
  'DELETE /v1/uploads/{id}': { roles: OWNERS, status: 404 },
  'GET /v1/dead-calls': { roles: ['platform-operator'], status: 200 },
  'POST /v1/dead-calls/redrive': { roles: ['platform-operator'], status: 200 },
  'POST /v1/dead-calls/{id}/redrive': { roles: ['platform-operator'], status: 404 },
};

interface Operation {
  name: string;
  method: string;
  path: string;
  parameters: { in: string; name: string }[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Answer = { status: number; type: string; headers: Headers; text: string; body: any };

let folder: string;
let issuer: TokenIssuer;
let database: ScratchDatabase;
let broker: OwnVhost;
let service: ServiceHandle;
let operations: Operation[];
let owner: string;
let platform: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parser-rest-'));
  [issuer, database, broker] = await Promise.all([
    startTokenIssuer(),
    scratchDatabase(),
    ownVhost(testServers(), ['parser-service']),
  ]);
  owner = issuer.token({ roles: ['operator'] });
  platform = issuer.token({ roles: ['platform-operator'], workspace: '' });
  const document = await createApiDocument(
    { module: class {}, controllers: [...REST_CONTROLLERS] },
    { title: 'x' },
  );
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { parameters?: Operation['parameters'] }>).map(
      ([method, { parameters = [] }]) => ({
        ...{ name: `${method.toUpperCase()} ${path}`, method: method.toUpperCase(), path, parameters },
      }),
    ),
  );
  service = await startParser();
});

afterAll(async () => {
  await service?.close();
  await Promise.all([database?.drop(), broker?.drop(), issuer?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function call(
  method: string,
  path: string,
  { body, headers = {}, as = owner }: { body?: unknown; headers?: Record<string, string>; as?: string } = {},
): Promise<Answer> {
  const answer = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      ...(as !== '' && { authorization: `Bearer ${as}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const json = type.endsWith('json') && text !== '';
  return { status: answer.status, type, headers: answer.headers, text, body: json ? JSON.parse(text) : {} };
}

async function anImportId(as = owner): Promise<string> {
  const { status, body } = await call('POST', '/v1/imports', { body: { network: 'vk', seeds: ['107'] }, as });
  expect(status).toBe(202);
  return body.id;
}

async function pathOf({ name, path }: Operation): Promise<string> {
  if (!path.includes('{id}')) return path;
  if (path.includes('dead-calls')) return path.replace('{id}', 'nothing');
  if (path.includes('uploads')) return path.replace('{id}', randomUUID());
  const id = await anImportId();
  if (ENDPOINTS[name]?.ended === true) await call('POST', `/v1/imports/${id}/cancel`);
  return path.replace('{id}', id);
}

const tokenFor = ({ path }: Operation): string => (path.includes('dead-calls') ? platform : owner);
const fieldsOf = ({ body }: Answer): string[] =>
  ((body.errors ?? []) as { field: string }[]).map(({ field }) => field);

function expectNamed(answer: Answer, field: string, what: unknown): void {
  const fields = fieldsOf(answer);
  const named = fields.some((name) => name === field || name.startsWith(`${field}.`));
  expect([what, answer.status, answer.type, fields, named]).toEqual([
    ...[what, 400, 'application/problem+json', fields, true],
  ]);
}

describe('every route of the OpenAPI document', () => {
  it('has a row here, and is open to those roles that may and to nobody else', async () => {
    expect(operations.map(({ name }) => name).sort()).toEqual(Object.keys(ENDPOINTS).sort());
    for (const operation of operations) {
      const { roles, status, body } = ENDPOINTS[operation.name] ?? { roles: [], status: 0 };
      for (const role of ROLES) {
        const workspace = role === 'platform-operator' ? '' : 'demo';
        const as = issuer.token({ roles: [role], workspace });
        const answer = await call(operation.method, await pathOf(operation), { body, as });
        const expected = roles.includes(role) ? status : 403;
        expect([operation.name, role, answer.status]).toEqual([operation.name, role, expected]);
      }
      expect((await call(operation.method, await pathOf(operation), { as: '' })).status).toBe(401);
    }
  });

  it('refuses bodies that are none, and headers, queries and paths that are wrong', async () => {
    for (const operation of operations) {
      const { name, method, parameters } = operation;
      const as = tokenFor(operation);
      const path = await pathOf(operation);
      if (method !== 'GET')
        expect([name, (await call(method, path, { body: '{"a":', as })).status]).toEqual([name, 400]);
      for (const header of parameters.filter((each) => each.in === 'header').map((each) => each.name)) {
        for (const value of header === 'Idempotency-Key'
          ? ['a b', 'x'.repeat(129)]
          : ['x', '"x"', '1e3', '-1']) {
          const body = ENDPOINTS[name]?.body;
          const answer = await call(method, path, { as, body, headers: { [header]: value } });
          expectNamed(answer, header, `${name} ${value}`);
        }
      }
      for (const query of parameters.filter((each) => each.in === 'query').map((each) => each.name)) {
        for (const value of ['', '%07', 'x'.repeat(5_000), `1&${query}=2`]) {
          const answer = await call(method, `${path}?${query}=${value}`, { as, body: ENDPOINTS[name]?.body });
          expectNamed(answer, query, `${name} ${query}=${value.slice(0, 20)}`);
        }
      }
      if (parameters.some((each) => each.in === 'query')) {
        const answer = await call(method, `${path}?colour=red`, { as, body: ENDPOINTS[name]?.body });
        expectNamed(answer, 'colour', name);
      }
      if (!operation.path.includes('{id}')) continue;
      for (const id of ['a%20b', '%C2%A0', encodeURIComponent("' OR 1=1"), encodeURIComponent('../x')])
        expectNamed(await call(method, operation.path.replace('{id}', id), { as }), 'id', `${name} ${id}`);
      const unknown = operation.path.replace('{id}', randomUUID());
      expect([name, (await call(method, unknown, { as })).status]).toEqual([name, 404]);
    }
  });

  it('names each field of an import that is wrong', async () => {
    for (const body of ['[]', '5', 'null', '"x"', '[[]]'])
      expect([body, (await call('POST', '/v1/imports', { body })).status]).toEqual([body, 400]);
    const wrong: [string, unknown[]][] = [
      ['network', [5, '', [], {}, null, 'x'.repeat(33)]],
      ['seeds', ['107', [5], [[]], {}, null, ['x'.repeat(65)], ['\u0007']]],
      ['depth', ['2', 0, 33, 1.5, [], {}]],
      ['limits', [5, 'x', [], [{}], { people: 0 }, { people: '5' }, { calls: 1e9 }, { colour: 1 }]],
      ['include', ['friends', ['photos'], [5], {}, ['friends', 'friends']]],
      ['fields', ['sex', ['name'], [5], {}]],
      ['walls', [5, 'x', [], { last: 0 }, { since: 'yesterday' }, { since: 5 }, { colour: 1 }]],
      // ISO 8601, too, but no moments: one of these once stood for "since ever".
      [
        'walls',
        ['2026-W45-1T00:00:00Z', '2026-305T00:00:00Z', '2026-11-01T23:59:60Z'].map((since) => ({ since })),
      ],
      ['walls', ['2026-11-01', '2026-11-01T10:00:00', '2026-02-30T10:00:00Z'].map((since) => ({ since }))],
      ['files', [5, 'x', [], null, { people: 'x' }, { friendships: 5 }, { colour: 1 }, {}]],
      ['colour', ['red']],
    ];
    for (const [field, values] of wrong)
      for (const value of values) {
        const answer = await call('POST', '/v1/imports', { body: { ...IMPORT, [field]: value } });
        expectNamed(answer, field, { [field]: value });
      }
  });

  it('shows nothing of an import of another workspace', async () => {
    const id = await anImportId(issuer.token({ roles: ['admin'], workspace: 'foreign' }));
    for (const { method, path } of operations.filter((each) => each.path.startsWith('/v1/imports/{id}')))
      expect([method, path, (await call(method, path.replace('{id}', id))).status]).toEqual([
        method,
        path,
        404,
      ]);
  });
});

describe('an import', () => {
  it('is forecast without being started, which leaves the Idempotency-Key to the real request', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const count = async (): Promise<number> =>
      (await database.admin.query<{ count: number }>('SELECT count(*) AS count FROM imports')).rows[0]
        ?.count ?? 0;
    const before = await count();
    const dry = await call('POST', '/v1/imports?dryRun=true', { body: IMPORT, headers });
    expect([dry.status, dry.body]).toEqual([
      200,
      { forecast: { calls: expect.any(Number), keyTimeMs: expect.any(Number), etaMs: null } },
    ]);
    expect(await count()).toBe(before);
    expectNamed(
      await call('POST', '/v1/imports?dryRun=true', { body: { ...IMPORT, seeds: [] } }),
      'seeds',
      'dry',
    );
    const real = await call('POST', '/v1/imports?dryRun=false', { body: IMPORT, headers });
    expect([real.status, real.body.state]).toEqual([202, 'running']);
    expect(await count()).toBe(before + 1);
  });

  it('is changed by whoever saw its last step, and deleted once it has ended', async () => {
    const path = `/v1/imports/${await anImportId()}`;
    const seen = await call('GET', path);
    expect([seen.headers.get('etag'), seen.body.counters.people.open]).toEqual(['"1"', 1]);
    const ifMatch = (etag: string) => ({ headers: { 'if-match': etag } });
    const paused = await call('POST', `${path}/pause`, ifMatch('"1"'));
    expect([paused.status, paused.headers.get('etag')]).toEqual([200, '"2"']);
    const late = await call('POST', `${path}/cancel`, ifMatch('"1"'));
    expect([late.status, late.body.code]).toEqual([412, 'IMPORTS.CHANGED']);
    const early = await call('DELETE', path);
    expect([early.status, early.body.code]).toEqual([409, 'IMPORTS.STEP_REFUSED']);
    expect((await call('POST', `${path}/retry`, ifMatch('"2"'))).body.state).toBe('paused');
    expect((await call('POST', `${path}/cancel`, ifMatch('*'))).body.counters.people).toEqual({
      ...{ known: 1, done: 1, gaps: 1, open: 0 },
    });
    expect((await call('POST', `${path}/retry`)).status).toBe(409);
    expect((await call('DELETE', path, ifMatch('"3"'))).status).toBe(204);
    expect((await call('GET', path)).status).toBe(404);
    expect((await call('DELETE', path)).status).toBe(404);
  });

  it('says how many seeds it has, alone and in a list', async () => {
    const seeds = ['107', '-5', '@ada'];
    const as = issuer.token({ roles: ['analyst'], workspace: 'listed' });
    const { id } = (await call('POST', '/v1/imports', { body: { network: 'vk', seeds }, as })).body;
    expect((await call('GET', `/v1/imports/${id}`, { as })).body.seeds).toBe(3);
    expect((await call('GET', '/v1/imports', { as })).body.items).toMatchObject([{ id, seeds: 3 }]);
  });

  it('is found by its state and network', async () => {
    const id = await anImportId();
    await call('POST', `/v1/imports/${id}/pause`);
    const states = async (query: string): Promise<string[]> =>
      (await call('GET', `/v1/imports?${query}`)).body.items.map((item: { state: string }) => item.state);
    expect(new Set(await states('state=paused&network=vk'))).toEqual(new Set(['paused']));
    expect(await states('network=orkut')).toEqual([]);
    await call('POST', `/v1/imports/${id}/cancel`);
  });
});

interface Sse {
  id?: string;
  event?: string;
  data: Record<string, unknown>;
}

describe('the events of an import', () => {
  /** Reads until the stream ends, or until `enough`. */
  async function listen(
    id: string,
    { after, as = owner }: { after?: string; as?: string } = {},
  ): Promise<{ status: number; heard: Sse[]; text: () => string; leave(): void; ended: Promise<void> }> {
    const leaving = new AbortController();
    const answer = await fetch(`${service.url}/v1/imports/${id}/events`, {
      headers: { authorization: `Bearer ${as}`, ...(after !== undefined && { 'last-event-id': after }) },
      signal: leaving.signal,
    });
    const heard: Sse[] = [];
    let text = '';
    const ended = (async () => {
      try {
        for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
          text += Buffer.from(chunk).toString('utf8');
          heard.splice(0, heard.length, ...eventsIn(text));
        }
      } catch {
        // The client left.
      }
    })();
    return { status: answer.status, heard, text: () => text, leave: () => leaving.abort(), ended };
  }

  function eventsIn(text: string): Sse[] {
    return text
      .split('\n\n')
      .slice(0, -1)
      .map((block) => {
        const lines = block.split('\n').filter((line) => !line.startsWith(':') && line.includes(': '));
        const fields = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s)));
        return { ...fields, data: fields['data'] === undefined ? {} : JSON.parse(fields['data']) };
      })
      .filter((event) => event.event !== undefined);
  }

  const namesOf = (events: Sse[]): unknown[] =>
    events.map(({ id, event, data }) => [id, event, data['state'] ?? data['reason']]);
  const patient = { timeoutMs: 20_000, everyMs: 50 };

  it('come as they happen, and a client that lost its connection misses none', async () => {
    const id = await anImportId();
    const path = `/v1/imports/${id}`;
    const whole = await listen(id);
    await eventually(() => expect(whole.heard).toHaveLength(1), patient);
    expect(whole.heard[0]?.data).toMatchObject({ id, state: 'running', frontierClosed: false });
    await call('POST', `${path}/pause`);
    await eventually(() => expect(whole.heard).toHaveLength(2), patient);
    const broken = await listen(id, { after: '2' });
    broken.leave();
    await broken.ended;
    await call('POST', `${path}/resume`);
    await call('POST', `${path}/cancel`);
    await whole.ended;
    const expected = [
      ...[
        ['1', 'state', 'running'],
        ['2', 'state', 'paused'],
        ['3', 'state', 'running'],
      ],
      ...[
        ['4', 'state', 'cancelled'],
        [undefined, 'end', 'import-ended'],
      ],
    ];
    expect(namesOf(whole.heard)).toEqual(expected);
    const resumed = await listen(id, { after: '2' });
    await resumed.ended;
    expect(namesOf(resumed.heard)).toEqual(expected.slice(2));
    expect(resumed.heard.slice(0, 2)).toEqual(whole.heard.slice(2, 4));
    const nothing = await listen(id, { after: '4' });
    await nothing.ended;
    expect(namesOf(nothing.heard)).toEqual([[undefined, 'end', 'import-ended']]);
    expect((await listen(id, { after: '5' })).status).toBe(400);
  });

  it('end with the token, and begin with a comment', async () => {
    const id = await anImportId();
    const stream = await listen(id, { as: issuer.token({ roles: ['analyst'], seconds: 3 }) });
    await stream.ended;
    expect(stream.text()).toMatch(/^retry: 1000\n: /);
    expect(namesOf(stream.heard)).toEqual([
      ['1', 'state', 'running'],
      [undefined, 'end', 'token-expired'],
    ]);
  });

  it('are limited in streams for each workspace', async () => {
    const id = await anImportId();
    const streams = await Promise.all([1, 2, 3].map(() => listen(id)));
    const refused = await call('GET', `/v1/imports/${id}/events`);
    expect([refused.status, refused.body.code]).toEqual([429, 'IMPORTS.QUOTA_STREAMS']);
    streams.forEach((stream) => stream.leave());
    await eventually(async () => {
      const again = await listen(id);
      again.leave();
      expect(again.status).toBe(200);
    }, patient);
  });

  it('end when the import is deleted under them', async () => {
    const id = await anImportId();
    const stream = await listen(id);
    await database.admin.query(`UPDATE imports SET state = 'deleted' WHERE id = $1`, [id]);
    await stream.ended;
    expect(namesOf(stream.heard).at(-1)).toEqual([undefined, 'end', 'import-deleted']);
  });
});

describe('dead calls', () => {
  it('are shown with the reason and redriven, one or all', async () => {
    const connection = await connect(broker.urlOf('parser-service'));
    const channel = await connection.createConfirmChannel();
    const send = (messageId: string, content: string): void =>
      void channel.publish(EXCHANGES.tasks, callQueue('vk'), Buffer.from(content), {
        messageId,
        persistent: true,
      });
    send('poison-1', 'no json');
    send('poison-2', JSON.stringify({ callId: 'x', importId: 'y', workspaceId: 'demo', network: 'vk' }));
    await channel.waitForConfirms();
    const items = async (): Promise<{ id: string; code: string }[]> =>
      (await call('GET', '/v1/dead-calls', { as: platform })).body.items;
    const both = await eventually(
      async () => {
        const found = await items();
        expect(found).toHaveLength(2);
        return [...found].sort((a, b) => (a.id < b.id ? -1 : 1));
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
    expect(both).toEqual([
      {
        id: 'poison-1',
        queue: callQueue('vk'),
        code: 'TASK.NOT_JSON',
        reason: 'the task is no JSON',
        attempts: 1,
      },
      expect.objectContaining({ id: 'poison-2', code: 'CALLS.BAD_ID', reason: 'The task names no call.' }),
    ]);
    expect((await call('POST', '/v1/dead-calls/poison-9/redrive', { as: platform })).status).toBe(404);
    expect((await call('POST', '/v1/dead-calls/poison-1/redrive', { as: platform })).status).toBe(204);
    await eventually(async () => expect(await items()).toHaveLength(2), { timeoutMs: 20_000, everyMs: 100 });
    const all = await call('POST', '/v1/dead-calls/redrive', { as: platform });
    expect([all.status, all.body]).toEqual([200, { redriven: 2, refused: 0 }]);
    await connection.close();
  });
});

describe('a limit of running imports that was set for one workspace', () => {
  it('holds there instead of the default, and is named', async () => {
    const workspace = `w-${randomUUID()}`;
    const as = issuer.token({ roles: ['admin'], workspace });
    const identity = new Redis(testServers().of('identity-service', 'REDIS_POOL_URL'));
    try {
      await identity.hset(LIMITS_HASH, workspace, JSON.stringify({ 'running-imports': 1 }));
      await anImportId(as);
      const order = { body: { network: 'vk', seeds: ['107'] }, as };
      await eventually(
        async () => {
          const { status, headers, body } = await call('POST', '/v1/imports', order);
          expect([status, body.code, body.detail, headers.get('retry-after')]).toEqual([
            ...[429, 'IMPORTS.QUOTA_RUNNING'],
            ...['The quota running-imports of this workspace (1) is used up.', '30'],
          ]);
        },
        { timeoutMs: 20_000, everyMs: 500 },
      );
    } finally {
      await identity.hdel(LIMITS_HASH, workspace);
      identity.disconnect();
    }
  });
});

describe('a process that stops', () => {
  it('ends its streams and says so', async () => {
    const id = await anImportId();
    const answer = await eventually(
      async () => {
        const opened = await fetch(`${service.url}/v1/imports/${id}/events`, {
          headers: { authorization: `Bearer ${owner}` },
        });
        return opened.ok && opened;
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
    const text = answer.text();
    await service.close();
    expect(await text).toContain('event: end\ndata: {"reason":"shutting-down"}\n\n');
  });
});

function startParser(): Promise<ServiceHandle> {
  const pool = new MemoryKeyPool();
  // Without a key nothing is dispatched: imports stay as their owner leaves them.
  pool.rate = 0;
  const more = {
    INSTANCE_ID: 'rest',
    REDIS_POOL_URL: testServers().of('parser-service', 'REDIS_POOL_URL'),
  };
  const edges = { pool, views: new MemoryViewProgress() };
  return startParserAlone({ folder, issuer, database, broker, edges, more });
}
