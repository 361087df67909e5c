import { randomBytes } from 'node:crypto';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import {
  decodePositions,
  encodePositions,
  friendListObserved,
  groupObserved,
  inputMarked,
  membershipListClosed,
  membershipPageObserved,
  positionsCover,
  postObserved,
  recordKey,
  subscriptionListObserved,
  TOPICS,
  userObserved,
  vertexChanged,
  type Positions,
  partitionOf,
} from '@sociograph/contracts';
import {
  createKafka,
  EventPublisher,
  inputPositionsOf,
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
import type { GraphStorageConfig } from '../src/config';
import { GraphStorageServiceModule } from '../src/graph-storage-service.module';
import { MIGRATIONS } from '../src/infrastructure/migrations';

jest.setTimeout(150_000);

const workspaceId = `w${randomBytes(6).toString('hex')}`;
const TOPIC = TOPICS.friendLists.name;

describe('graph-storage-service over Kafka, ArangoDB (stand-in, test mode) and HTTP', () => {
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
  let realm: TokenIssuer;
  let service: ServiceHandle;
  let tail: Tail;

  beforeAll(async () => {
    realm = await startTokenIssuer();
    const of = (name: string): string => servers.of('graph-storage-service', name);
    const config: GraphStorageConfig = {
      SERVICE_NAME: 'graph-storage-service',
      INSTANCE_ID: '0',
      LOG_LEVEL: 'silent',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
      MANAGEMENT_PORT: 0,
      HTTP_NOTICE_MS: 0,
      TRACE_SAMPLE_RATIO: 0,
      OIDC_ISSUER: realm.issuer,
      OIDC_JWKS_URL: realm.jwksUrl,
      OIDC_AUDIENCE: 'sociograph-api',
      OIDC_CLIENTS: ['sociograph-demo'],
      KAFKA_BROKERS: servers.kafkaBrokers,
      KAFKA_USERNAME: of('KAFKA_USERNAME'),
      KAFKA_PASSWORD: of('KAFKA_PASSWORD'),
      ARANGO_URL: of('ARANGO_URL'),
      ARANGO_DATABASE: of('ARANGO_DATABASE'),
      ARANGO_USERNAME: of('ARANGO_USERNAME'),
      ARANGO_PASSWORD: of('ARANGO_PASSWORD'),
      STORAGE_MAX_BATCH_RECORDS: 100,
      STORAGE_PARALLEL_BATCHES: 2,
      SUPPRESSION_KEY_FILE: ownSuppressionKey(),
      ERASURE_SETTLE_MS: 30_000,
      ERASURE_CHECK_MS: 900_000,
      ERASURE_FILES_MS: 180_000,
    } as never;
    const db = connectArango({
      url: config.ARANGO_URL,
      database: config.ARANGO_DATABASE,
      username: config.ARANGO_USERNAME,
      password: config.ARANGO_PASSWORD,
    });
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
    db.close();
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
    tail = tailTopic({
      kafka,
      topic: TOPICS.graphChanges,
      fromBeginning: false,
      onRecord: (record) => void changes.push(record),
      logger,
    });
    await tail.caughtUp;
    // Other specs may have left much in the topics: it is worked off first.
    await done(await publisher.publish([aUser('1', 1)]), 120_000);
  });

  afterAll(async () => {
    await tail?.stop();
    await service?.close();
    await publisher.close();
    await realm?.close();
  });

  const key = (id: string): string => recordKey(workspaceId, 'vk', 'user', id);
  const source = { importId: 'import-1', callId: 'call-1', keyId: 'key-1' };

  function aList(userId: string, friendIds: string[], observedAt: number) {
    const value = {
      workspaceId,
      network: 'vk',
      userId,
      observedAt,
      fence: 1,
      source,
      outcome: 'complete' as const,
      friendIds,
    };
    return { message: friendListObserved, key: key(userId), value };
  }

  function aUser(userId: string, observedAt: number) {
    const profile = { firstName: 'Vera', lastName: 'Orlova' };
    const value = {
      workspaceId,
      network: 'vk',
      userId,
      observedAt,
      fence: 1,
      source,
      state: 'active' as const,
      profile,
    };
    return { message: userObserved, key: key(userId), value };
  }

  /** Resolves when graph.changes says that the input is done up to there. */
  async function done(positions: Positions, timeoutMs = 30_000): Promise<void> {
    await eventually(
      () => {
        for (const [topic, partitions] of Object.entries(positions)) {
          for (const [partition, offset] of Object.entries(partitions)) {
            const reached = changes.map((record) => inputPositionsOf(record)?.[topic]?.[partition] ?? 0);
            if (Math.max(0, ...reached) < offset)
              throw new Error(`${topic} ${partition} is not done up to ${offset}`);
          }
        }
      },
      { timeoutMs },
    );
  }

  const states = (id: string) =>
    changes.filter((record) => record.key === key(id) && record.message === vertexChanged);

  async function get(
    path: string,
    token = realm.token({ workspace: workspaceId, roles: ['viewer'] }),
  ): Promise<{ status: number; body: never }> {
    const response = await fetch(`${service.url}/v1/people/${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, body: (await response.json()) as never };
  }

  it('stores what was observed and publishes the state, in the partition of its input', async () => {
    await done(
      await publisher.publish([aUser('107', 10), aList('107', ['58', '1'], 11), aList('58', ['107'], 12)]),
    );
    const [state] = states('107').slice(-1);
    expect(state?.value).toMatchObject({
      workspaceId,
      id: '107',
      document: { state: 'active', observedAt: 10 },
      friends: { ids: ['1', '58'], complete: true, observedAt: 11 },
    });
    expect(state?.partition).toBe(partitionOf(key('107')));
    expect(await get('vk/107')).toMatchObject({
      status: 200,
      body: { id: '107', state: 'active', friends: { count: 2, complete: true } },
    });
    expect(await get('vk/107/friends')).toMatchObject({
      status: 200,
      body: {
        items: [
          { id: '1', seenInOwnList: { callId: 'call-1' }, seenInFriendsList: null, disputed: false },
          { id: '58', seenInOwnList: { keyId: 'key-1' }, seenInFriendsList: { importId: 'import-1' } },
        ],
        next: null,
      },
    });
  });

  it('answers once the graph includes the position that a reader asks for, and says what it includes', async () => {
    for (const id of ['151', '152', '153']) {
      const position = encodePositions(await publisher.publish([aList('150', [id], Number(id))]));
      // A slow machine may take longer than the five seconds that an answer waits.
      const { body } = await eventually(
        async () => {
          const answer = (await get(`vk/150/friends?min-position=${position}`)) as unknown as {
            status: number;
            body: { items: { id: string }[]; freshness: { appliedUpTo: string; at: string } };
          };
          expect(answer.status).toBe(200);
          return answer;
        },
        { timeoutMs: 40_000 },
      );
      expect(body.items.map((friend) => friend.id)).toEqual([id]);
      expect(Date.parse(body.freshness.at)).toBeGreaterThan(1_700_000_000_000);
      const { appliedUpTo } = body.freshness;
      expect(positionsCover(decodePositions(appliedUpTo)!, decodePositions(position)!)).toBe(true);
      expect((await get(`vk/150?min-position=${appliedUpTo}`)).status).toBe(200);
    }
    const beyond = encodePositions({ [TOPIC]: { '0': 999_999_999 } });
    for (const path of ['vk/150', 'vk/150/friends', 'vk/150/path', 'vk', 'vk/150/posts']) {
      expect(await get(`${path}?to=1&min-position=${beyond}`)).toMatchObject({
        status: 422,
        body: { code: 'GRAPH.POSITION_BEYOND_END', errors: [{ field: 'min-position' }] },
      });
      expect(await get(`${path}?min-position=a&min-position=b`)).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'min-position', message: 'is not a position token' }] },
      });
    }
  });

  it('marks input as done that changes nothing', async () => {
    await done(await publisher.publish([aList('200', ['201'], 10)]));
    const before = states('200').length;
    await done(await publisher.publish([aList('200', ['201'], 20)]));
    expect(states('200').length).toBe(before);
    expect(changes.some((record) => record.message === inputMarked)).toBe(true);
  });

  it('passes over a record that cannot be read', async () => {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const partition = partitionOf(key('300'));
    await producer.send({ topic: TOPIC, messages: [{ key: key('300'), partition, value: 'no JSON' }] });
    await producer.disconnect();
    await done(await publisher.publish([aList('300', ['301'], 10)]));
    expect(states('300')).toHaveLength(1);
  });

  it('pages through friends with a cursor', async () => {
    const friends = Array.from({ length: 5 }, (_, i) => String(401 + i));
    await done(await publisher.publish([aList('400', friends, 10)]));
    const ids: string[] = [];
    let query = '?limit=2';
    for (let page = 0; page < 3; page++) {
      const { body } = (await get(`vk/400/friends${query}`)) as unknown as {
        body: { items: { id: string }[]; next: string | null };
      };
      ids.push(...body.items.map(({ id }) => id));
      query = `?limit=2&cursor=${body.next}`;
      expect(body.next === null).toBe(page === 2);
    }
    expect(ids).toEqual(friends);
  });

  it('shows friends as of a moment, and what changed between two', async () => {
    const day = Date.parse('2026-11-01T00:00:00Z');
    const lists = [aList('500', ['501', '502'], day), aList('500', ['502', '503'], day + 86_400_000)];
    for (const list of lists) await done(await publisher.publish([list]));
    const ids = async (query: string): Promise<string[]> => {
      const { body } = (await get(`vk/500/friends${query}`)) as unknown as {
        body: { items: { id: string }[] };
      };
      return body.items.map(({ id }) => id);
    };
    expect(await ids('')).toEqual(['502', '503']);
    expect(await ids('?at=2026-11-01T12:00:00Z')).toEqual(['501', '502']);
    expect(await ids('?at=2026-10-31')).toEqual([]);
    expect(await get('vk/500/friends?at=2026-11-01T12:00:00Z&limit=1')).toMatchObject({
      body: {
        items: [{ id: '501', since: '2026-11-01T00:00:00.000Z', until: '2026-11-02T00:00:00.000Z' }],
        next: expect.any(String),
      },
    });
    expect(await get('vk/500/friends/changes?from=2026-11-01&to=2026-11-03')).toMatchObject({
      status: 200,
      body: {
        items: [
          { id: '501', change: 'removed' },
          { id: '503', change: 'added' },
        ],
        next: null,
      },
    });
  });

  it('stores groups, posts and who belongs to what, and says that their topics are done', async () => {
    const head = { workspaceId, network: 'vk', observedAt: 10, fence: 1, source };
    const groupKey = recordKey(workspaceId, 'vk', 'group', '50');
    const ids = { userId: '600', list: 'groups' as const, outcome: 'complete' as const, ids: ['50', '51'] };
    const walk = { ...head, groupId: '50', listId: 'walk-1' };
    const wall = { ownerKind: 'group' as const, ownerId: '50', publishedAt: 5, text: 'Hello' };
    await done(
      await publisher.publish([
        {
          message: groupObserved,
          key: groupKey,
          value: { ...head, groupId: '50', state: 'active', name: 'Chess' },
        },
        {
          message: postObserved,
          key: recordKey(workspaceId, 'vk', 'post', '-50_1'),
          value: { ...head, postId: '-50_1', ...wall },
        },
        { message: subscriptionListObserved, key: key('600'), value: { ...head, ...ids } },
        {
          message: membershipPageObserved,
          key: groupKey,
          value: { ...walk, part: 0, memberIds: ['601', '600'] },
        },
        {
          message: membershipListClosed,
          key: groupKey,
          value: { ...walk, parts: 1, count: 2, complete: true },
        },
      ]),
    );
    expect(states('600').at(-1)?.value).toMatchObject({ groups: { ids: ['50', '51'], complete: true } });
    const ofGroup = changes.filter((record) => record.key === groupKey);
    expect(ofGroup.at(-1)?.value).toMatchObject({ kind: 'group', group: { profile: { name: 'Chess' } } });
    expect(await get('vk/600/groups')).toMatchObject({
      body: {
        items: [
          { id: '50', seenInOwnList: { callId: 'call-1' }, seenAmongMembers: { callId: 'call-1' } },
          { id: '51', seenAmongMembers: null },
        ],
      },
    });
    expect(await get('../groups/vk/50/members')).toMatchObject({
      body: { items: [{ id: '600' }, { id: '601' }] },
    });
    expect(await get('../groups/vk/50/posts')).toMatchObject({
      body: { items: [{ id: '-50_1', text: 'Hello' }] },
    });
  });

  it('shows a workspace nothing of another', async () => {
    const stranger = realm.token({ workspace: 'another-workspace', roles: ['viewer'] });
    expect(await get('vk/107', stranger)).toMatchObject({
      status: 404,
      body: { code: 'GRAPH.PERSON_UNKNOWN' },
    });
    expect((await get('vk/107/friends', stranger)).status).toBe(404);
  });

  it.each([
    ['vk/999999', 404, {}],
    ['vk/999999/friends', 404, {}],
    ['VK!/1', 400, { errors: [{ field: 'network' }] }],
    ['vk/a b', 400, { errors: [{ field: 'id' }] }],
    ['vk/1/friends?limit=0', 400, { errors: [{ field: 'limit' }] }],
    ['vk/1/friends?limit=201', 400, { errors: [{ field: 'limit' }] }],
    ['vk/107/friends?cursor=bm9uc2Vuc2U', 400, { errors: [{ field: 'cursor' }] }],
    ['vk/1/friends?colour=red', 400, {}],
    ['vk/1/friends?at=yesterday', 400, { errors: [{ field: 'at' }] }],
    ['vk/1/friends/changes?from=2026-01-01', 400, { errors: [{ field: 'to' }] }],
    ['vk/1/friends/changes?from=2026-01-02&to=2026-01-02', 400, { errors: [{ field: 'to' }] }],
    ['vk/999999/friends/changes?from=2026-01-01&to=2026-01-02', 404, {}],
  ])('answers GET %s with %i', async (path, status, body) => {
    expect(await get(encodeURI(path))).toMatchObject({ status, body });
  });

  it.each([
    '2026-W05-1',
    '2026-050',
    '20261120',
    '2026-11-20T12Z',
    '2026-11-20T12:00:00+01',
    '2026-11-20T12:00:00,5Z',
    '2026-11-20T12:00:00',
  ])('does not take %s for a moment, wherever it stands', async (text) => {
    const moment = encodeURIComponent(text);
    for (const [query, field] of [
      [`friends?at=${moment}`, 'at'],
      [`friends/changes?from=${moment}&to=2026-11-21`, 'from'],
      [`friends/changes?from=2026-01-01&to=${moment}`, 'to'],
    ]) {
      expect(await get(`vk/107/${query}`)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    }
  });

  it('wants a token and a role', async () => {
    expect((await fetch(`${service.url}/v1/people/vk/107`)).status).toBe(401);
    expect((await get('vk/107', realm.token({ workspace: workspaceId, roles: [] }))).status).toBe(403);
  });
});
