import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import {
  deadLetterTopic,
  FORGOTTEN_BY_IMPORTS,
  friendListObserved,
  personSuppressed,
  recordKey,
  TOPICS,
  userObserved,
  vertexChanged,
  viewApplied,
  type PayloadOf,
} from '@sociograph/contracts';
import {
  createKafka,
  EventPublisher,
  isEvent,
  tailTopic,
  type EventRecord,
  type Tail,
} from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { createHostContext, startService, type ServiceHandle } from '@sociograph/service-host';
import {
  eventually,
  ownSuppressionKey,
  startTokenIssuer,
  testServers,
  type TokenIssuer,
} from '@sociograph/testing';
import { graphStorageConfig } from '../src/config';
import { GraphStorageServiceModule } from '../src/graph-storage-service.module';
import { MIGRATIONS } from '../src/infrastructure/migrations';

jest.setTimeout(150_000);

const workspaceId = `w${randomBytes(6).toString('hex')}`;
const PATIENCE = { timeoutMs: 40_000 };

interface Receipt {
  id: string;
  state: string;
  places: { place: string; doneAt?: string; goneBy?: string }[];
}

describe('erasure of a person over Kafka, ArangoDB (stand-in) and HTTP', () => {
  const servers = testServers();
  const logger = createLogger({
    service: 'spec',
    instance: '0',
    level: process.env['SPEC_LOG_LEVEL'] ?? 'silent',
  });
  const kafka = createKafka({
    brokers: servers.kafkaBrokers,
    username: servers.adminKafkaUsername,
    password: servers.adminKafkaPassword,
    clientId: 'spec',
    logger,
  });
  const publisher = new EventPublisher({ kafka, source: 'spec' });
  const changes: EventRecord[] = [];
  const marks: EventRecord[] = [];
  let store: ContractServer;
  let realm: TokenIssuer;
  let service: ServiceHandle;
  let tails: Tail[];

  beforeAll(async () => {
    realm = await startTokenIssuer();
    store = await contractServer({ seed: 3, conflictRate: 0.05 });
    const db = connectArango(store);
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
    db.close();
    const of = (name: string): string => servers.of('graph-storage-service', name);
    const config = graphStorageConfig({
      SERVICE_NAME: 'graph-storage-service',
      LOG_LEVEL: 'silent',
      HTTP_PORT: '0',
      MANAGEMENT_PORT: '0',
      HTTP_NOTICE_MS: '0',
      TRACE_SAMPLE_RATIO: '0',
      OIDC_ISSUER: realm.issuer,
      OIDC_JWKS_URL: realm.jwksUrl,
      OIDC_CLIENTS: 'sociograph-demo',
      KAFKA_BROKERS: servers.kafkaBrokers.join(','),
      KAFKA_USERNAME: of('KAFKA_USERNAME'),
      KAFKA_PASSWORD: of('KAFKA_PASSWORD'),
      ARANGO_URL: store.url,
      ARANGO_DATABASE: store.database,
      ARANGO_USERNAME: store.username,
      ARANGO_PASSWORD: store.password,
      STORAGE_MAX_BATCH_RECORDS: '100',
      SUPPRESSION_KEY_FILE: ownSuppressionKey(),
      // Longer than a slow machine takes to hear of a mark and to store what it had in hand.
      ERASURE_SETTLE_MS: '2000',
      ERASURE_CHECK_MS: '500',
      EXPORTS_FOLDER: mkdtempSync(join(tmpdir(), 'erasure-')),
    });
    const context = createHostContext(config, { logger });
    const own = GraphStorageServiceModule.kafka(config, context);
    service = await startService({
      module: GraphStorageServiceModule.forRoot(config, context, own),
      config,
      context,
      microservices: (_app, ctx) => [GraphStorageServiceModule.consumer(config, ctx, own)],
      openApi: { title: 'graph-storage-service' },
      ownsProcess: false,
    });
    const following = (topic: (typeof TOPICS)[keyof typeof TOPICS], records: EventRecord[]): Tail =>
      tailTopic({
        kafka,
        topic,
        fromBeginning: false,
        onRecord: (record) => void records.push(record),
        logger,
      });
    tails = [following(TOPICS.graphChanges, changes), following(TOPICS.suppressions, marks)];
    await Promise.all(tails.map(({ caughtUp }) => caughtUp));
  });

  afterAll(async () => {
    await Promise.all(tails?.map((tail) => tail.stop()) ?? []);
    await service?.close();
    await publisher.close();
    await store?.stop();
    await realm?.close();
  });

  const marksUpTo = async (): Promise<number> => {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return Number((await admin.fetchTopicOffsets(TOPICS.suppressions.name))[0]?.high);
    } finally {
      await admin.disconnect();
    }
  };
  const key = (id: string): string => recordKey(workspaceId, 'vk', 'user', id);
  const head = (userId: string, observedAt: number) => ({
    workspaceId,
    network: 'vk',
    userId,
    observedAt,
    fence: 1,
    source: { importId: 'import-1', callId: 'call-1', keyId: 'key-1' },
  });
  const list = (userId: string, friendIds: string[], observedAt: number) => ({
    message: friendListObserved,
    key: key(userId),
    value: { ...head(userId, observedAt), outcome: 'complete' as const, friendIds },
  });
  const user = (userId: string, firstName: string, observedAt: number) => ({
    message: userObserved,
    key: key(userId),
    value: {
      ...head(userId, observedAt),
      state: 'active' as const,
      profile: { firstName, lastName: 'Orlova' },
    },
  });

  /** The newest state that graph.changes has of a person; null once the key is ended. */
  const newest = (id: string): PayloadOf<typeof vertexChanged> | null | undefined =>
    changes.filter((record) => record.key === key(id)).at(-1)?.value as never;
  const friendsOf = (id: string): string[] | undefined => newest(id)?.friends?.ids;

  async function ask<T>(method: string, path: string, roles = ['admin'], workspace = workspaceId) {
    const headers = { authorization: `Bearer ${realm.token({ workspace, roles })}` };
    const response = await fetch(`${service.url}/v1/${path}`, { method, headers });
    return { status: response.status, body: (await response.json()) as T };
  }

  const placeOf = ({ places }: Receipt, name: string) => places.find(({ place }) => place === name);

  it('takes the person out of the graph, out of the lists of others and out of the history', async () => {
    await publisher.publish([
      user('107', 'Vera', 10),
      list('107', ['58', '1'], 11),
      list('58', ['107', '1'], 12),
    ]);
    await publisher.publish([list('900', ['107', '58'], 13), user('58', 'Ida', 13)]);
    await eventually(() => expect(friendsOf('900')).toEqual(['58', '107']), PATIENCE);
    await publisher.publish([list('900', ['58'], 14)]);
    await publisher.publish([list('1', ['107'], 14)]);
    await eventually(() => {
      expect(friendsOf('900')).toEqual(['58']);
      expect(friendsOf('1')).toEqual(['107']);
      expect(newest('107')).toMatchObject({ document: { profile: { firstName: 'Vera' } } });
      expect(friendsOf('107')).toEqual(['1', '58']);
    }, PATIENCE);

    const first = await ask<Receipt>('DELETE', 'people/vk/107');
    expect(first).toMatchObject({ status: 202, body: { state: 'erasing' } });
    expect(JSON.stringify(first.body)).not.toContain('107"');
    await eventually(async () => {
      const { body } = await ask<Receipt>('GET', `erasures/${first.body.id}`);
      expect(body.state).toBe('waiting');
      for (const place of ['vertex', 'edges', 'history', 'lists-of-others', 'posts', 'exports', 'logs'])
        expect(placeOf(body, place)).toEqual({ place, doneAt: expect.any(String) });
      for (const place of ['change-log', 'observation-log', 'queues'])
        expect(placeOf(body, place)).toEqual({ place, goneBy: expect.any(String) });
    }, PATIENCE);

    expect((await ask('GET', 'people/vk/107', ['viewer'])).status).toBe(404);
    expect((await ask('GET', 'people/vk/107/friends', ['viewer'])).status).toBe(404);
    await eventually(() => {
      expect(newest('107')).toBeNull();
      expect(friendsOf('58')).toEqual(['1']);
      expect(friendsOf('1')).toEqual([]);
    }, PATIENCE);
    const left = await ask<{ items: { id: string }[] }>('GET', 'people/vk/58/friends', ['viewer']);
    expect(left.body.items.map(({ id }) => id)).toEqual(['1', '900']);
    const then = await ask<{ items: unknown[] }>('GET', 'people/vk/900/friends?at=1970-01-01T00:00:00.013Z', [
      'viewer',
    ]);
    expect(JSON.stringify(then.body)).not.toContain('"107"');
    expect(
      marks.filter((record) => isEvent(record, personSuppressed) && record.value.workspaceId === workspaceId),
    ).toHaveLength(1);
    expect(JSON.stringify(marks.map(({ key: name, value }) => [name, value]))).not.toContain('107"');

    const again = await ask<Receipt>('DELETE', 'people/vk/107');
    expect(again).toMatchObject({ status: 202, body: { id: first.body.id, state: 'waiting' } });
  });

  it('drops what is observed of the person afterwards, and the id from lists of others', async () => {
    await publisher.publish([
      user('107', 'Vera', 100),
      list('107', ['58'], 101),
      list('58', ['107', '2'], 102),
      list('107', ['2'], 103),
    ]);
    await publisher.publish([list('2', ['107'], 104)]);
    await eventually(() => {
      expect(friendsOf('58')).toEqual(['2']);
      expect(friendsOf('2')).toEqual([]);
    }, PATIENCE);
    expect((await ask('GET', 'people/vk/107', ['viewer'])).status).toBe(404);
    await eventually(() => expect(newest('107')).toBeNull(), PATIENCE);
    const friends = await ask<{ items: { id: string }[] }>('GET', 'people/vk/58/friends', ['viewer']);
    expect(friends.body.items.map(({ id }) => id)).toEqual(['2', '900']);
  });

  it('erases whom the graph never saw, and lists the receipts of its own workspace only', async () => {
    const unseen = await ask<Receipt>('DELETE', 'people/vk/31337');
    expect(unseen.status).toBe(202);
    await publisher.publish([user('31337', 'Olga', 10), list('3', ['31337'], 10)]);
    await eventually(() => expect(friendsOf('3')).toEqual([]), PATIENCE);
    // What was in hand when the mark came is found by the next sweep.
    await eventually(async () => {
      expect(newest('31337')).toBeNull();
      expect((await ask('GET', 'people/vk/31337', ['viewer'])).status).toBe(404);
      expect((await ask<Receipt>('GET', `erasures/${unseen.body.id}`)).body.state).toBe('waiting');
    }, PATIENCE);
    const page = await ask<{ items: Receipt[]; next: string | null }>('GET', 'erasures?limit=1');
    expect(page.body.items).toHaveLength(1);
    const rest = await ask<{ items: Receipt[]; next: string | null }>(
      'GET',
      `erasures?limit=5&cursor=${page.body.next}`,
    );
    expect([...page.body.items, ...rest.body.items].map(({ id }) => id)).toContain(unseen.body.id);
    expect(rest.body).toMatchObject({ items: [{}], next: null });
    expect((await ask<{ items: Receipt[] }>('GET', 'erasures', ['admin'], 'elsewhere')).body.items).toEqual(
      [],
    );
    expect((await ask('GET', `erasures/${unseen.body.id}`, ['admin'], 'elsewhere')).status).toBe(404);
  });

  it('waits until imports say that they have let the person go', async () => {
    const asked = await ask<Receipt>('DELETE', 'people/vk/5555');
    const read = async (): Promise<Receipt> => (await ask<Receipt>('GET', `erasures/${asked.body.id}`)).body;
    await eventually(async () => {
      expect(placeOf(await read(), 'observation-log')).toHaveProperty('doneAt');
    }, PATIENCE);
    const marksEnd = await marksUpTo();
    const announce = (upTo: number) =>
      publisher.publish([
        {
          message: viewApplied,
          key: `${FORGOTTEN_BY_IMPORTS}:0`,
          value: {
            ...{ view: FORGOTTEN_BY_IMPORTS, partition: 0, at: 1, fence: 0 },
            appliedUpTo: { [TOPICS.suppressions.name]: { '0': upTo } },
          },
        },
      ]);
    expect(placeOf(await read(), 'queues')).toEqual({ place: 'queues', goneBy: expect.any(String) });
    await announce(marksEnd);
    await eventually(async () => {
      expect(placeOf(await read(), 'queues')).toEqual({ place: 'queues', doneAt: expect.any(String) });
    }, PATIENCE);
  });

  it('waits for the dead letters of other groups, too', async () => {
    const dead = [TOPICS.users, TOPICS.graphChanges].map(({ name }) => deadLetterTopic(name, 'analytics'));
    for (const [index, topic] of dead.entries())
      await publisher.publish([{ ...user(`4711${index}`, 'Zoya', 10), topic }]);
    const asked = await Promise.all(dead.map((_, n) => ask<Receipt>('DELETE', `people/vk/4711${n}`)));
    for (const { body } of asked)
      await eventually(async () => {
        const receipt = (await ask<Receipt>('GET', `erasures/${body.id}`)).body;
        const read = placeOf(receipt, 'observation-log');
        expect(read).toEqual({ place: 'observation-log', doneAt: expect.any(String) });
        const found = placeOf(receipt, 'dead-letters');
        expect(found).toEqual({ place: 'dead-letters', goneBy: expect.any(String) });
      }, PATIENCE);
  });

  it('refuses who is no admin, and what cannot be', async () => {
    expect((await ask('DELETE', 'people/vk/107', ['operator', 'analyst', 'viewer'])).status).toBe(403);
    expect((await ask('DELETE', 'people/VK/107')).status).toBe(400);
    expect((await ask('DELETE', 'people/vk/1.7')).status).toBe(400);
    expect((await ask('GET', 'erasures/107')).status).toBe(400);
    expect(await ask('GET', `erasures/${'0'.repeat(32)}`)).toMatchObject({
      status: 404,
      body: { code: 'GRAPH.ERASURE_UNKNOWN' },
    });
    expect((await ask('GET', 'erasures?cursor=bm9uZQ')).status).toBe(400);
  });
});
