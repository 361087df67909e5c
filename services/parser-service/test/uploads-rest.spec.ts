import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  decodePositions,
  friendListObserved,
  type PayloadOf,
  recordKey,
  TOPICS,
  userObserved,
  vertexChanged,
} from '@sociograph/contracts';
import { createKafka, EventPublisher, replayTopic } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import type { ServiceHandle } from '@sociograph/service-host';
import {
  eventually,
  type OwnVhost,
  ownVhost,
  startTokenIssuer,
  testServers,
  type TokenIssuer,
} from '@sociograph/testing';
import { MemoryViewProgress } from '../src/infrastructure/in-memory-edges';
import { startParserAlone } from './alone';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(120_000);

const workspace = `files-${Date.now().toString(36)}`;
const views = new MemoryViewProgress();
views.reached = () => true;
let folder: string;
let issuer: TokenIssuer;
let database: ScratchDatabase;
let broker: OwnVhost;
let service: ServiceHandle;
let token: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parser-files-'));
  [issuer, database, broker] = await Promise.all([
    startTokenIssuer(),
    scratchDatabase(),
    ownVhost(testServers(), ['parser-service']),
  ]);
  token = issuer.token({ roles: ['analyst'], workspace });
  service = await startParser();
});

afterAll(async () => {
  await service?.close();
  await Promise.all([database?.drop(), broker?.drop(), issuer?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Answer = { status: number; headers: Headers; body: any };

async function call(method: string, path: string, body?: unknown, as = token): Promise<Answer> {
  const answer = await fetch(service.url + path, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}

async function upload(
  content: string | Buffer,
  query = '',
  type = 'text/csv; charset=utf-8',
): Promise<Answer> {
  const answer = await fetch(`${service.url}/v1/uploads${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    body: content,
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

async function stateOf(id: string, state: string): Promise<Answer['body']> {
  return eventually(
    async () => {
      const { body } = await call('GET', `/v1/imports/${id}`);
      if (body.state !== state) throw new Error(`still ${JSON.stringify(body)}`);
      return body;
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
}

/** A ring of 300 people with chords, and one who has no friends. */
const pairs = Array.from({ length: 300 }, (_, n) => [
  [n, (n + 1) % 300],
  [n, (n + 7) % 300],
]).flat() as [number, number][];
const edgeList = `${pairs.map(([a, b]) => `${a} ${b}`).join('\n')}\n777 777\n`;
const PEOPLE = 'id,name,city,sex\n5,Ada Lovelace,London,female\n777,Sole,Köln,\n999,Nobody Knows,,male\n';

describe('a file that is uploaded', () => {
  it('is read, found again, and the same when it comes again, packed or not', async () => {
    const first = await upload(edgeList, '?network=file-ring', 'text/plain');
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      ...{ id: expect.any(String), network: 'file-ring', kind: 'friendships', people: 301, friendships: 600 },
      ...{ bytes: edgeList.length, fields: [], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ...{ createdAt: expect.any(String), keptSince: expect.any(String) },
    });
    expect(first.headers.get('location')).toBe(`/v1/uploads/${first.body.id}`);
    const again = await upload(gzipSync(edgeList), '?network=file-ring', 'application/gzip');
    expect([again.status, again.body.id]).toEqual([200, first.body.id]);
    expect((await upload(edgeList, '', 'text/plain')).body).toMatchObject({ network: 'file' });
    expect((await call('GET', `/v1/uploads/${first.body.id}`)).body).toEqual(again.body);
    const page = await call('GET', '/v1/uploads?limit=1');
    expect([page.body.items.length, page.body.next === null]).toEqual([1, false]);
    const next = await call('GET', `/v1/uploads?limit=1&cursor=${page.body.next}`);
    expect([next.body.items[0].id, next.body.next]).toEqual([first.body.id, null]);
    const foreign = issuer.token({ roles: ['admin'], workspace: 'foreign' });
    for (const method of ['GET', 'DELETE'])
      expect((await call(method, `/v1/uploads/${first.body.id}`, undefined, foreign)).status).toBe(404);
  });

  it('is refused as a whole, by line and field', async () => {
    const refused = await upload('from,to\n1,2\n3,a b\n');
    expect([refused.status, refused.body.code, refused.body.errors]).toEqual([
      ...[422, 'UPLOADS.UNREADABLE'],
      [{ field: 'lines.3.to', message: 'must be 1 to 64 letters, digits, - and _, and not begin with -' }],
    ]);
    for (const network of ['vk', 'file-', 'File', 'file--a', `file-${'x'.repeat(28)}`]) {
      const wrong = await upload('1 2\n', `?network=${network}`);
      expect([network, wrong.status, wrong.body.errors?.[0]?.field]).toEqual([network, 400, 'network']);
    }
    expect((await upload('{}', '', 'application/json')).status).toBe(415);
    expect((await upload('1 2', '', 'image/png')).status).toBe(415);
    expect((await call('POST', '/v1/uploads')).body.errors).toMatchObject([{ field: 'body' }]);
  });

  it('may have 64 MB; nothing is read beyond', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(
        `${service.url}/v1/uploads`,
        { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' } },
        (answer) => {
          resolve(answer.statusCode);
          sent.destroy();
        },
      );
      sent.on('error', reject);
      const megabyte = Buffer.alloc(1_048_576, '# a long comment that says nothing at all\n');
      // One byte too many and then silence: a server that closes with bytes unread would reset the connection, and the
      // answer with it.
      let left = 64;
      const more = (): void => {
        while (left > 0) {
          left -= 1;
          if (!sent.write(megabyte)) return void sent.once('drain', more);
        }
        sent.write('#');
      };
      more();
    });
    expect(status).toBe(413);
  });
});

describe('an import of files', () => {
  it('is planned from uploads of its network, and from nothing else', async () => {
    const [lists, people] = [
      (await upload(edgeList, '?network=file-plan')).body.id as string,
      (await upload(PEOPLE, '?network=file-plan')).body.id as string,
    ];
    const elsewhere = (await upload(PEOPLE, '?network=file-other')).body.id as string;
    const wrong: [object, string][] = [
      [{}, 'files'],
      [{ files: {} }, 'files'],
      [{ files: { friendships: people } }, 'files.friendships'],
      [{ files: { people: elsewhere } }, 'files.people'],
      [{ files: { people: '01930f0e-7b1c-7000-8000-000000000001' } }, 'files.people'],
      [{ files: { people }, include: ['friends'] }, 'include'],
      [{ files: { friendships: lists }, include: ['walls'] }, 'include.0'],
      [{ files: { friendships: lists }, seeds: ['a b'] }, 'seeds.0'],
      [{ files: { friendships: lists }, seeds: ['@everybody'] }, 'seeds.0'],
      [{ files: { friendships: lists }, refresh: { olderThan: 'P1D' } }, 'refresh'],
      [{ network: 'vk', seeds: ['1'], files: { people } }, 'files'],
      [{ network: 'vk' }, 'seeds'],
    ];
    for (const [body, field] of wrong) {
      const answer = await call('POST', '/v1/imports?dryRun=true', { network: 'file-plan', ...body });
      const fields = (answer.body.errors ?? []).map((fault: { field: string }) => fault.field);
      expect([body, answer.status, fields]).toEqual([body, 400, expect.arrayContaining([field])]);
    }
    const files = { friendships: lists, people };
    const dry = await call('POST', '/v1/imports?dryRun=true', { network: 'file-plan', files });
    expect(dry.body).toEqual({ forecast: { calls: 6, keyTimeMs: 300, etaMs: 300 } });
  });

  it('sees everybody, publishes what the files say, and asks nobody for a key; also by another process', async () => {
    const friendships = (await upload(edgeList, '?network=file-whole')).body.id as string;
    const people = (await upload(PEOPLE, '?network=file-whole')).body.id as string;
    await service.close();
    service = await startParser();
    const body = { network: 'file-whole', files: { friendships, people }, fields: ['city'] };
    const started = await call('POST', '/v1/imports', body);
    expect([started.status, started.body.state]).toEqual([202, 'running']);
    const done = await stateOf(started.body.id, 'completed');
    expect(done).toMatchObject({
      ...{ network: 'file-whole', files: { friendships, people }, seeds: 1, percent: 100 },
      counters: {
        people: { known: 302, done: 302, gaps: 0 },
        lists: { known: 303, done: 303, gaps: 0 },
        friendshipObservations: 1_200,
      },
    });
    const { body: certificate } = await call('GET', `/v1/imports/${started.body.id}/certificate`);
    expect([certificate.final, certificate.gaps, certificate.got]).toEqual([
      true,
      [],
      { people: 302, lists: 303 },
    ]);
    const positions = decodePositions(done.positions) ?? {};
    const lists = await published<PayloadOf<typeof friendListObserved>>(
      ...([TOPICS.friendLists.name, positions, started.body.id as string] as const),
    );
    const seen = new Set(lists.flatMap(({ userId, friendIds }) => friendIds.map((id) => `${userId} ${id}`)));
    expect(seen).toEqual(new Set(pairs.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`])));
    expect(new Set(lists.map(({ network, outcome }) => `${network} ${outcome}`))).toEqual(
      new Set(['file-whole complete']),
    );
    // A repetition, and an import of the same files that began earlier, must not win over a later one.
    expect(new Set(lists.map(({ observedAt }) => observedAt))).toEqual(new Set([Date.parse(done.createdAt)]));
    const users = await published<PayloadOf<typeof userObserved>>(
      ...([TOPICS.users.name, positions, started.body.id as string] as const),
    );
    const named = Object.fromEntries(users.map(({ userId, profile }) => [userId, profile]));
    expect(Object.keys(named)).toHaveLength(302);
    expect([named['5'], named['6'], named['777'], named['999']]).toEqual([
      { firstName: 'Ada', lastName: 'Lovelace', city: 'London' },
      { firstName: '', lastName: '' },
      { firstName: 'Sole', lastName: '', city: 'Köln' },
      { firstName: 'Nobody', lastName: 'Knows' },
    ]);
    expect((await call('DELETE', `/v1/uploads/${people}`)).status).toBe(204);
    expect((await call('GET', `/v1/uploads/${people}`)).status).toBe(404);
  });

  it('may begin with some people and end at a distance; whom the file does not know is a gap', async () => {
    const friendships = (await upload(edgeList, '?network=file-near')).body.id as string;
    const body = { network: 'file-near', files: { friendships }, seeds: ['5', 'nobody'], depth: 1 };
    const { body: started } = await call('POST', '/v1/imports', body);
    const done = await stateOf(started.id, 'completed');
    expect(done.counters).toMatchObject({
      people: { known: 6, done: 6, gaps: 1 },
      lists: { known: 2, done: 2, gaps: 1 },
    });
    const { body: certificate } = await call('GET', `/v1/imports/${started.id}/certificate`);
    expect(certificate.gaps).toMatchObject([
      { what: 'list', cause: 'unknown', people: ['nobody'] },
      { what: 'person', cause: 'unknown', people: ['nobody'] },
    ]);
  });
});

describe('a refresh', () => {
  it('looks at disputed lists first, and at what is old; nothing of it is asked for twice', async () => {
    const list = (id: string, ids: string[], observedAt: number) => ({
      message: vertexChanged,
      key: recordKey(workspace, 'vk', 'user', id),
      value: {
        ...{
          workspaceId: workspace,
          network: 'vk',
          kind: 'user' as const,
          id,
          version: 1,
          changedAt: observedAt,
        },
        document: {
          state: 'active' as const,
          profile: { firstName: 'A', lastName: 'B' },
          observedAt,
          fence: 1,
        },
        friends: { ids, complete: true, observedAt, fence: 1 },
      },
    });
    const publisher = new EventPublisher({ kafka: adminKafka(), source: 'spec' });
    await publisher.connect();
    await publisher.publish([list('10', ['11'], 1_000), list('11', [], 9_000), list('12', ['13'], 5_000)]);
    await publisher.close();
    const body = { network: 'vk', refresh: { olderThan: '1970-01-01T00:00:05Z' } };
    const dry = await call('POST', '/v1/imports?dryRun=true', body);
    expect([dry.status, dry.body.forecast]).toEqual([
      200,
      { refresh: { people: 1, lists: 1, disputed: 1 }, calls: 2, keyTimeMs: 667, etaMs: null },
    ]);
    const { body: started } = await call('POST', '/v1/imports', body);
    expect((await call('GET', `/v1/imports/${started.id}`)).body).toMatchObject({
      ...{ refreshBefore: '1970-01-01T00:00:05.000Z', seeds: 0 },
      counters: { people: { known: 1 }, lists: { known: 1 } },
    });
    const { rows } = await database.admin.query(
      'SELECT kind, person, depth FROM items WHERE import_id = $1 ORDER BY kind',
      [started.id],
    );
    expect(rows).toEqual([
      { kind: 'friends', person: '10', depth: 0 },
      { kind: 'profile', person: '10', depth: 1 },
    ]);
    // As if the calls had been made: who was looked at is young.
    await database.admin.query(`UPDATE items SET state = 'done', ready_at = now() WHERE import_id = $1`, [
      started.id,
    ]);
    const later = await call('POST', '/v1/imports?dryRun=true', {
      network: 'vk',
      refresh: { olderThan: 'PT1H' },
    });
    expect(later.body.forecast.refresh).toEqual({ people: 2, lists: 2, disputed: 0 });
    const limited = { network: 'vk', refresh: { olderThan: 'PT1H' }, limits: { people: 1 } };
    expect((await call('POST', '/v1/imports?dryRun=true', limited)).body.forecast.refresh).toEqual({
      ...{ people: 1, lists: 1, disputed: 0 },
    });
    await call('POST', `/v1/imports/${started.id}/cancel`);
  });

  it('of nothing is complete at once', async () => {
    const as = issuer.token({ roles: ['analyst'], workspace: `${workspace}-empty` });
    const body = { network: 'vk', refresh: { olderThan: 'P1D' } };
    const { status, body: started } = await call('POST', '/v1/imports', body, as);
    expect([status, started.state, started.forecast.calls]).toEqual([202, 'settling', 0]);
    await eventually(
      async () =>
        expect((await call('GET', `/v1/imports/${started.id}`, undefined, as)).body.state).toBe('completed'),
      { timeoutMs: 30_000, everyMs: 100 },
    );
  });

  it('is described by its age alone', async () => {
    const wrong: [object, string][] = [
      [{ refresh: {} }, 'refresh.olderThan'],
      [{ refresh: { olderThan: '7 days' } }, 'refresh.olderThan'],
      [{ refresh: { olderThan: 5 } }, 'refresh.olderThan'],
      [{ refresh: null }, 'refresh'],
      [{ refresh: { olderThan: 'P1D' }, seeds: ['1'] }, 'seeds'],
      [{ refresh: { olderThan: 'P1D' }, depth: 2 }, 'depth'],
      [{ refresh: { olderThan: 'P1D' }, walls: { last: 5 } }, 'walls'],
    ];
    for (const [body, field] of wrong) {
      const answer = await call('POST', '/v1/imports', { network: 'vk', ...body });
      const fields = (answer.body.errors ?? []).map((fault: { field: string }) => fault.field);
      expect([body, answer.status, fields]).toEqual([body, 400, expect.arrayContaining([field])]);
    }
  });
});

function adminKafka() {
  const servers = testServers();
  return createKafka({
    brokers: servers.kafkaBrokers,
    username: servers.adminKafkaUsername,
    password: servers.adminKafkaPassword,
    clientId: 'spec',
    logger: createLogger({ service: 'spec', instance: 'spec', level: 'silent' }),
  });
}

async function published<V extends { source: { importId: string } }>(
  topic: string,
  positions: Record<string, Record<string, number>>,
  importId: string,
): Promise<V[]> {
  const values: V[] = [];
  await replayTopic({
    kafka: adminKafka(),
    topic,
    from: 'earliest',
    to: { [topic]: positions[topic] ?? {} },
    onBatch: async ({ records }) => {
      for (const { value } of records)
        if ((value as V | null)?.source.importId === importId) values.push(value as V);
    },
  });
  return values;
}

function startParser(): Promise<ServiceHandle> {
  const more = { INSTANCE_ID: 'files' };
  return startParserAlone({ folder, issuer, database, broker, edges: { views }, more });
}
