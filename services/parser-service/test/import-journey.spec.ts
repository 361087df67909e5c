import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodePositions,
  friendListObserved,
  type PayloadOf,
  TOPICS,
  userObserved,
} from '@sociograph/contracts';
import { createKafka, replayTopic } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { createHostContext, type ServiceHandle, startService } from '@sociograph/service-host';
import {
  demoToken,
  eventually,
  ownSuppressionKey,
  type OwnVhost,
  ownVhost,
  ProcessHandle,
  testServers,
} from '@sociograph/testing';
import type { ParserConfig } from '../src/config';
import { MemoryViewProgress } from '../src/infrastructure/in-memory-edges';
import { ParserServiceModule } from '../src/parser-service.module';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';
import { SpacedKeyPool } from './spaced-key-pool';

jest.setTimeout(60_000);

/** 3/s with room for the jitter of the machine: the simulator's window is strict. */
const SPACING_MS = 370;
const TOKENS = Array.from({ length: 20 }, (_, index) => `vk1.a.spec-${index}`);
const root = join(__dirname, '..', '..', '..');

/** A ring of 300 people with chords: one component, whatever the seed. */
const PEOPLE = 300;
const edges = Array.from({ length: PEOPLE }, (_, index) => [
  [index, (index + 1) % PEOPLE],
  [index, (index + 7) % PEOPLE],
  [index, (index * index + 3) % PEOPLE],
])
  .flat()
  .filter(([a, b]) => a !== b) as [number, number][];
const friendships = new Set(edges.map(([a, b]) => (a < b ? `${a} ${b}` : `${b} ${a}`)));

let folder: string;
let database: ScratchDatabase;
let broker: OwnVhost;
let simulator: ProcessHandle;
let simulatorUrl: string;
let pool: SpacedKeyPool;
let service: ServiceHandle;
let token: string;
const views = new MemoryViewProgress();
views.reached = () => shown;
let shown = false;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parser-spec-'));
  [database, broker, token] = await Promise.all([
    scratchDatabase(),
    ownVhost(testServers(), ['parser-service']),
    demoToken(),
  ]);
  await startSimulator();
  pool = new SpacedKeyPool(`${simulatorUrl}/method`, TOKENS, SPACING_MS);
  service = await startParser();
});

afterAll(async () => {
  await service?.close();
  pool?.close();
  await simulator?.end();
  await Promise.all([database?.drop(), broker?.drop()]);
  rmSync(folder, { recursive: true, force: true });
});

describe('an import through REST, RabbitMQ, Kafka and PostgreSQL', () => {
  let id: string;

  it('is accepted with a forecast, and once for one Idempotency-Key', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = { network: 'vk', seeds: [await aSeed()] };
    const first = await call('POST', '/v1/imports', body, key);
    expect([first.status, first.body]).toEqual([
      202,
      {
        id: expect.any(String),
        state: 'running',
        forecast: { calls: 2, keyTimeMs: 667, etaMs: expect.any(Number) },
      },
    ]);
    id = first.body.id;
    const again = await call('POST', '/v1/imports', body, key);
    expect([again.status, again.body.id]).toEqual([202, id]);
    expect((await call('POST', '/v1/imports', { ...body, depth: 2 }, key)).status).toBe(422);
  });

  it('reads everybody, settles, and completes once the views show it', async () => {
    const settled = await eventually(
      async () => {
        const { body } = await call('GET', `/v1/imports/${id}`);
        if (body.state !== 'settling') throw new Error(`still ${JSON.stringify(body)}`);
        return body;
      },
      { timeoutMs: 40_000, everyMs: 100 },
    );
    expect(settled).toMatchObject({
      counters: {
        people: { known: PEOPLE, done: PEOPLE, gaps: 0 },
        lists: { known: PEOPLE, done: PEOPLE, gaps: 0 },
        friendshipObservations: 2 * friendships.size,
      },
      frontierClosed: true,
      percent: 100,
    });
    expect(settled.counters.calls.made).toBeLessThanOrEqual(40);
    shown = true;
    await eventually(
      async () => expect((await call('GET', `/v1/imports/${id}`)).body.state).toBe('completed'),
      { timeoutMs: 10_000, everyMs: 100 },
    );
  });

  it('published each person and each list, up to the positions that it names', async () => {
    const { body } = await call('GET', `/v1/imports/${id}`);
    const positions = decodePositions(body.positions) ?? {};
    const lists = await published<PayloadOf<typeof friendListObserved>>(
      TOPICS.friendLists.name,
      positions,
      id,
    );
    const seen = new Set(
      lists.flatMap(({ userId, friendIds }) =>
        friendIds.map((friend) =>
          Number(userId) < Number(friend) ? `${userId} ${friend}` : `${friend} ${userId}`,
        ),
      ),
    );
    expect([new Set(lists.map(({ userId }) => userId)).size, seen.size]).toEqual([PEOPLE, friendships.size]);
    expect(new Set(lists.map(({ outcome }) => outcome))).toEqual(new Set(['complete']));
    const people = await published<PayloadOf<typeof userObserved>>(TOPICS.users.name, positions, id);
    expect(new Set(people.map(({ userId }) => userId)).size).toBe(PEOPLE);
  });

  it('certifies that nothing is missing', async () => {
    expect((await call('GET', `/v1/imports/${id}/certificate`)).body).toMatchObject({
      state: 'completed',
      final: true,
      expected: { people: PEOPLE, lists: PEOPLE },
      got: { people: PEOPLE, lists: PEOPLE },
      gaps: [],
    });
  });

  it('is announced from its start to its completion', async () => {
    const states = await eventually(async () => {
      const { rows } = await database.admin.query<{ count: number }>('SELECT count(*) AS count FROM outbox');
      expect(rows[0]?.count).toBe(0);
      const events = await published<{ importId: string; state: string }>(TOPICS.imports.name, undefined, id);
      return events.map(({ state }) => state);
    });
    expect(states).toEqual(['running', 'settling', 'completed']);
  });

  it('was refused no call', async () => {
    const stats = (await (await fetch(`${simulatorUrl}/stats`)).json()) as { totals: { refused: number } };
    expect(stats.totals.refused).toBe(0);
  });

  it('of a bounded depth stops where it should', async () => {
    const seed = await aSeed();
    const started = await call('POST', '/v1/imports', { network: 'vk', seeds: [seed], depth: 1 });
    const done = await stateOf(started.body.id, 'completed');
    const inFile = String(Number(seed) - ((await seedsAnswer()).shift ?? 0));
    const degree = [...friendships].filter((edge) => edge.split(' ').includes(inFile)).length;
    expect(done.counters).toMatchObject({
      people: { known: degree + 1, done: degree + 1 },
      lists: { known: 1, done: 1 },
    });
  });

  it('with a limit of people keeps the rest as gaps', async () => {
    const body = { network: 'vk', seeds: [await aSeed()], limits: { people: 30 } };
    const started = await call('POST', '/v1/imports', body);
    const done = await stateOf(started.body.id, 'completed');
    expect(done.counters.people).toMatchObject({ known: 30, done: 30 });
    const { body: certificate } = await call('GET', `/v1/imports/${started.body.id}/certificate`);
    expect(certificate.gaps).toMatchObject([{ what: 'person', cause: 'limit-reached' }]);
    expect(certificate.expected.people).toBe(30 + certificate.gaps[0].count);
  });

  it('can be paused, resumed and cancelled', async () => {
    const started = await call('POST', '/v1/imports', { network: 'vk', seeds: [await aSeed()] });
    const at = `/v1/imports/${started.body.id}`;
    expect((await call('POST', `${at}/pause`)).body.state).toBe('paused');
    expect((await call('POST', `${at}/pause`)).status).toBe(200);
    expect((await call('POST', `${at}/resume`)).body.state).toBe('running');
    expect((await call('POST', `${at}/cancel`)).body.state).toBe('cancelled');
    const refused = await call('POST', `${at}/resume`);
    expect([refused.status, refused.body.code]).toEqual([409, 'IMPORTS.STEP_REFUSED']);
  });

  it('pages through the imports of the workspace', async () => {
    const first = await call('GET', '/v1/imports?limit=3');
    expect(first.body.items).toHaveLength(3);
    const second = await call('GET', `/v1/imports?limit=3&cursor=${first.body.next}`);
    expect([second.body.items.map((item: { id: string }) => item.id).includes(id), second.body.next]).toEqual(
      [true, null],
    );
  });

  it.each([
    ['an unknown network', { network: 'orkut', seeds: ['1'] }, 'network'],
    ['a malformed id', { network: 'vk', seeds: ['1', 'x y'] }, 'seeds.1'],
    ['no seeds', { network: 'vk', seeds: [] }, 'seeds'],
    ['seeds of the wrong type', { network: 'vk', seeds: [1] }, 'seeds'],
    ['a depth of 99', { network: 'vk', seeds: ['1'], depth: 99 }, 'depth'],
    ['a depth of 0', { network: 'vk', seeds: ['1'], depth: 0 }, 'depth'],
    ['a depth as text', { network: 'vk', seeds: ['1'], depth: '2' }, 'depth'],
    ['an unknown kind', { network: 'vk', seeds: ['1'], include: ['photos'] }, 'include'],
    ['a limit below 1', { network: 'vk', seeds: ['1'], limits: { people: 0 } }, 'limits.people'],
    ['limits of the wrong type', { network: 'vk', seeds: ['1'], limits: 5 }, 'limits'],
    ['an unknown field', { network: 'vk', seeds: ['1'], colour: 'red' }, 'colour'],
  ])('with %s is refused, the field is named', async (_name, body, field) => {
    const answer = await call('POST', '/v1/imports', body);
    expect([answer.status, answer.type]).toEqual([400, 'application/problem+json']);
    expect(answer.body.errors.map((fault: { field: string }) => fault.field)).toContain(field);
  });

  it('that is broken JSON, unknown, or of a malformed id gets a 4xx', async () => {
    expect((await call('POST', '/v1/imports', '{"network":')).status).toBe(400);
    expect((await call('GET', `/v1/imports/${randomUUID()}`)).status).toBe(404);
    expect((await call('GET', '/v1/imports/17')).status).toBe(400);
    expect((await call('GET', '/v1/imports?cursor=abc')).status).toBe(400);
    expect((await fetch(`${service.url}/v1/imports`)).status).toBe(401);
  });
});

async function startSimulator(): Promise<void> {
  const main = join(root, 'infra', 'vk-simulator', 'dist', 'main.js');
  if (!existsSync(main)) throw new Error('the VK simulator is not built: npx nx run vk-simulator:build');
  writeFileSync(join(folder, 'graph.txt'), edges.map(([a, b]) => `${a} ${b}`).join('\n'));
  writeFileSync(join(folder, 'tokens.json'), JSON.stringify(TOKENS.map((value) => ({ token: value }))));
  const args = [main, '--graph', join(folder, 'graph.txt'), '--tokens-file', join(folder, 'tokens.json')];
  simulator = await new ProcessHandle({
    command: process.execPath,
    args: [...args, '--port', '0', '--delay', '30', '--jitter', '10'],
    cwd: root,
  }).start();
  const line = await simulator.waitFor(/http:\/\/[^/]+\/method/);
  simulatorUrl = /(http:\/\/[^/]+)\/method/.exec(line)?.[1] ?? '';
}

async function startParser(): Promise<ServiceHandle> {
  const servers = testServers();
  const of = (name: string): string => servers.of('parser-service', name);
  const identity = join(folder, 'identity.pem');
  writeFileSync(identity, '');
  const config: ParserConfig = {
    SERVICE_NAME: 'parser-service',
    INSTANCE_ID: 'spec',
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: 0,
    MANAGEMENT_PORT: 0,
    HTTP_NOTICE_MS: 0,
    TRACE_SAMPLE_RATIO: 0,
    OIDC_ISSUER: process.env['OIDC_ISSUER'] ?? '',
    OIDC_JWKS_URL: process.env['OIDC_JWKS_URL'] ?? '',
    OIDC_AUDIENCE: 'sociograph-api',
    OIDC_CLIENTS: ['sociograph-demo'],
    DATABASE_URL_APP: database.appUrl,
    DATABASE_URL_WORKER: database.workerUrl,
    RABBITMQ_URL: broker.urlOf('parser-service'),
    KAFKA_BROKERS: servers.kafkaBrokers,
    KAFKA_USERNAME: of('KAFKA_USERNAME'),
    KAFKA_PASSWORD: of('KAFKA_PASSWORD'),
    VK_API_URL: `${simulatorUrl}/method`,
    LEASE_IDENTITY_FILE: identity,
    SUPPRESSION_KEY_FILE: ownSuppressionKey(),
    EGRESS: 'default',
    PARSER_CALLS_AT_ONCE: 32,
    PARSER_IMPORTS_PER_WORKSPACE: 50,
    PARSER_PEOPLE_PER_WORKSPACE: 1_000_000,
    PARSER_STREAMS_PER_WORKSPACE: 3,
    PARSER_KEEP_IMPORTS_DAYS: 365,
    PARSER_KEEP_CALLS_DAYS: 7,
    PARSER_UPLOADS_PER_WORKSPACE: 50,
    PARSER_KEEP_UPLOADS_DAYS: 30,
    PARSER_FORGET_FILES_MS: 1_800_000,
  };
  const context = createHostContext(config);
  return startService({
    module: ParserServiceModule.forRoot(config, context, { pool, views }),
    config,
    context,
    openApi: { title: 'parser-service' },
    ownsProcess: false,
  });
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Answer = { status: number; type: string; body: any };

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  return { status: answer.status, type, body: await answer.json() };
}

async function stateOf(importId: string, state: string): Promise<Answer['body']> {
  return eventually(
    async () => {
      const { body } = await call('GET', `/v1/imports/${importId}`);
      if (body.state !== state) throw new Error(`still ${JSON.stringify(body)}`);
      return body;
    },
    { timeoutMs: 20_000, everyMs: 100 },
  );
}

interface Seeds {
  seeds: number[];
  shift?: number;
}

async function seedsAnswer(): Promise<Seeds> {
  return (await (await fetch(`${simulatorUrl}/seeds`)).json()) as Seeds;
}

async function aSeed(): Promise<string> {
  return String((await seedsAnswer()).seeds[0]);
}

async function published<V extends { source?: { importId: string }; importId?: string }>(
  topic: string,
  positions: Record<string, Record<string, number>> | undefined,
  importId: string,
): Promise<V[]> {
  const servers = testServers();
  const logger = createLogger({ service: 'spec', instance: 'spec', level: 'silent' });
  const kafka = createKafka({
    brokers: servers.kafkaBrokers,
    username: servers.adminKafkaUsername,
    password: servers.adminKafkaPassword,
    clientId: 'spec',
    logger,
  });
  const values: V[] = [];
  await replayTopic({
    kafka,
    topic,
    from: 'earliest',
    to: positions === undefined ? 'end' : { [topic]: positions[topic] ?? {} },
    onBatch: async ({ records }) => {
      for (const record of records) {
        const value = record.value as V;
        if (value !== null && (value.importId ?? value.source?.importId) === importId) values.push(value);
      }
    },
  });
  return values;
}
