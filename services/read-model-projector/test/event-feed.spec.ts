import { randomUUID } from 'node:crypto';
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { AuthModule } from '@sociograph/auth';
import { importChanged, recordKey, TOPICS, vertexChanged } from '@sociograph/contracts';
import { SystemClock } from '@sociograph/kernel';
import { createKafka, EventPublisher } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { startService, type ServiceHandle } from '@sociograph/service-host';
import { eventually, startTokenIssuer, testServers, type TokenIssuer } from '@sociograph/testing';
import type { Kafka } from 'kafkajs';
import { KafkaEventFeedLog } from '../src/infrastructure/kafka-event-feed-log';
import { EventFeedController } from '../src/presentation/event-feed.controller';
import { EventFeed } from '../src/projections/event-feed';

jest.setTimeout(180_000);

describe('GET /v1/events on Kafka', () => {
  const run = randomUUID().slice(0, 8);
  const topicOf = (name: string): string => `spec.${run}.${name}`;
  const graph = topicOf(TOPICS.graphChanges.name);
  const imports = topicOf(TOPICS.imports.name);
  const topics = [graph, imports, topicOf(TOPICS.keys.name), topicOf(TOPICS.audit.name)];
  let kafka: Kafka;
  let publisher: EventPublisher;
  let issuer: TokenIssuer;
  let service: ServiceHandle;
  let feed: EventFeed;

  const vertex = (id: string, workspaceId = 'demo') =>
    publisher.publish([
      {
        message: vertexChanged,
        topic: graph,
        key: recordKey(workspaceId, 'vk', 'user', id),
        value: { ...vertexChanged.example, id, workspaceId },
      },
    ]);
  const ask = async (
    path = '',
    headers: Record<string, string> = {},
    workspaceId = 'demo',
  ): Promise<Response> =>
    fetch(`${service.url}/v1/events${path}`, {
      headers: { authorization: `Bearer ${await token(workspaceId)}`, ...headers },
    });
  const linesOf = async (
    response: Response,
  ): Promise<{ id: string; data: { id: string; workspaceId: string } }[]> =>
    (await response.text())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  let token: (workspaceId: string) => Promise<string>;

  beforeAll(async () => {
    const servers = testServers();
    const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
    kafka = createKafka({
      brokers: servers.kafkaBrokers,
      username: servers.adminKafkaUsername,
      password: servers.adminKafkaPassword,
      clientId: 'spec',
      logger,
    });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({ topic, numPartitions: 2 })),
    });
    await admin.disconnect();
    publisher = new EventPublisher({ kafka, source: 'spec' });
    issuer = await startTokenIssuer();
    token = async (workspaceId) => issuer.token({ workspace: workspaceId, roles: ['analyst'] });
    feed = new EventFeed({
      log: new KafkaEventFeedLog({ kafka, reader: 'spec', logger }),
      erased: { isSuppressed: (_workspace, _network, id) => id === '107' },
      ready: () => true,
      clock: new SystemClock(),
      topicOf,
    });
    @Module({
      imports: [
        AuthModule.forRoot({
          issuer: issuer.issuer,
          jwksUrl: issuer.jwksUrl,
          audience: 'sociograph-api',
          clients: ['sociograph-demo'],
        }),
      ],
      controllers: [EventFeedController],
      providers: [{ provide: EventFeed, useValue: feed }],
    })
    class FeedModule {}
    service = await startService({
      module: FeedModule,
      config: {
        SERVICE_NAME: 'spec',
        INSTANCE_ID: '0',
        LOG_LEVEL: 'silent',
        HTTP_HOST: '127.0.0.1',
        HTTP_PORT: 0,
        MANAGEMENT_PORT: 0,
        HTTP_NOTICE_MS: 0,
        TRACE_SAMPLE_RATIO: 0,
      },
      openApi: { title: 'spec' },
      ownsProcess: false,
    });
  });

  afterAll(async () => {
    await service?.close();
    await issuer?.close();
    await publisher?.close();
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics });
    await admin.disconnect();
  });

  it('answers pages of lines, resumes where one ended, and refuses what is wrong', async () => {
    for (const id of ['1', '2', '3', '107']) await vertex(id);
    for (const id of ['4', '5']) await vertex(id, 'other');
    await publisher.publish([
      { message: importChanged, topic: imports, key: 'i-1', value: importChanged.example },
    ]);
    const first = await ask('?limit=2');
    expect(first.status).toBe(200);
    expect(first.headers.get('content-type')).toContain('application/x-ndjson');
    expect(first.headers.get('x-end-of-log')).toBe('false');
    const lines = await linesOf(first);
    expect(lines).toHaveLength(2);
    const rest = await ask(`?cursor=${first.headers.get('x-next-cursor')}`);
    const more = await linesOf(rest);
    expect(rest.headers.get('x-end-of-log')).toBe('true');
    expect([...lines, ...more].map(({ data }) => data.id ?? 'import').sort()).toEqual([
      '1',
      '2',
      '3',
      'import',
    ]);
    expect(new Set([...lines, ...more].map(({ data }) => data.workspaceId))).toEqual(new Set(['demo']));
    const others = await linesOf(await ask('?types=sociograph.graph.vertex-changed', {}, 'other'));
    expect(others.map(({ data }) => data.id).sort()).toEqual(['4', '5']);
    for (const bad of [
      '?cursor=!',
      '?cursor=abc',
      '?limit=0',
      '?limit=1001',
      '?types=nonsense',
      '?from=x',
      '?x=1',
    ])
      expect([bad, (await ask(bad)).status]).toEqual([bad, 400]);
    expect((await ask('?types=sociograph.audit.action-audited')).status).toBe(403);
    expect((await fetch(`${service.url}/v1/events`)).status).toBe(401);
  });

  it('streams what comes, with ids that resume, and says why it ends', async () => {
    const now = (await ask('?from=now')).headers.get('x-next-cursor') ?? '';
    const stream = await ask('', { accept: 'text/event-stream', 'last-event-id': now });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const piece of stream.body as unknown as AsyncIterable<Uint8Array>)
        text += decoder.decode(piece, { stream: true });
    })();
    await vertex('8', 'other');
    await vertex('9');
    await eventually(async () => expect(text).toContain('event: sociograph.graph.vertex-changed\n'), {
      timeoutMs: 30_000,
      everyMs: 50,
    });
    const id = /\nid: (\S+)\n/.exec(text)?.[1] ?? '';
    expect(text).toContain('"id":"9"');
    expect(text).not.toContain('"id":"8"');
    await vertex('10');
    const after = await linesOf(await ask(`?cursor=${id}`));
    expect(after.map(({ data }) => data.id)).toEqual(['10']);
    await feed.close();
    await reading;
    expect(text).toContain('event: end\ndata: {"reason":"shutting-down"}\n\n');
  });
});
