import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { personSuppressed, TOPICS } from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import { createKafka, EventPublisher } from '@sociograph/messaging';
import { createLogger, Health, Metrics } from '@sociograph/observability';
import { eventually, testServers } from '@sociograph/testing';
import { followSuppressions, markOf } from '../src';

jest.setTimeout(60_000);

describe('followSuppressions over Kafka', () => {
  const servers = testServers();
  const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
  const clientOf = (username: string | undefined, password: string | undefined) =>
    createKafka({ brokers: servers.kafkaBrokers, username, password, clientId: 'spec', logger });
  const storage = (name: string): string => servers.of('graph-storage-service', name);
  const publisher = new EventPublisher({
    kafka: clientOf(storage('KAFKA_USERNAME'), storage('KAFKA_PASSWORD')),
    source: 'spec',
  });
  const folder = mkdtempSync(join(tmpdir(), 'suppression-'));
  const keyFile = join(folder, 'key');
  const key = new Secret(randomBytes(32).toString('base64'));
  const workspaceId = `w${randomBytes(6).toString('hex')}`;

  beforeAll(() => writeFileSync(keyFile, key.reveal()));
  afterAll(async () => {
    await publisher.close();
    rmSync(folder, { recursive: true });
  });

  const suppress = (id: string) => {
    const mark = markOf(key, workspaceId, 'vk', id);
    return publisher.publish([
      {
        message: personSuppressed,
        key: `${workspaceId}:vk:${mark}`,
        value: { workspaceId, network: 'vk', mark, erasureId: 'e-1', at: 1 },
      },
    ]);
  };

  it.each(['parser-service', 'graph-storage-service', 'read-model-projector'])(
    'lets %s know whom the topic names when it has caught up, and who follows',
    async (service) => {
      await suppress('1');
      const of = (name: string): string => servers.of(service, name);
      const health = new Health();
      const followed = followSuppressions({
        kafka: clientOf(of('KAFKA_USERNAME'), of('KAFKA_PASSWORD')),
        keyFile,
        reader: service === 'graph-storage-service' ? 'graph-storage' : service,
        logger,
        metrics: new Metrics({ service: 'spec', instance: '0', processMetrics: false }),
        health,
        topic: TOPICS.suppressions,
      });
      try {
        await followed.caughtUp;
        expect(followed.suppressions.isSuppressed(workspaceId, 'vk', '1')).toBe(true);
        expect((await health.report()).checks['suppressions']).toBe('up');
        const late = `${service}-2`;
        expect(followed.suppressions.isSuppressed(workspaceId, 'vk', late)).toBe(false);
        const positions = await suppress(late);
        await eventually(
          () => expect(followed.suppressions.isSuppressed(workspaceId, 'vk', late)).toBe(true),
          { timeoutMs: 20_000 },
        );
        // Others may suppress somebody meanwhile.
        expect(followed.reached()).toBeGreaterThanOrEqual(
          positions[TOPICS.suppressions.name]?.['0'] ?? Infinity,
        );
      } finally {
        await followed.stop();
      }
    },
  );
});
