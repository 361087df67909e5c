import { NestFactory } from '@nestjs/core';
import { CONSUMER_GROUPS } from '@sociograph/contracts';
import { createKafka, KafkaBatchServer, type TopicRef } from '@sociograph/messaging';
import type { HostContext } from '@sociograph/service-host';
import { followSuppressions } from '@sociograph/suppression';
import type { Kafka } from 'kafkajs';
import { AnalyticsModule } from './analytics.module';
import type { AnalyticsConfig } from './config';
import { ForgetErased } from './application/forget-erased';
import { OneAtATime } from './application/one-at-a-time';
import { StoreEvents } from './application/store-events';
import type { Pause } from './application/warehouse';
import { openWarehouse } from './infrastructure/open-warehouse';
import { TimerPause } from './infrastructure/timer-pause';
import { analyticsMetrics } from './metrics';

/** Erased people are looked for this often while there is somebody to look for. */
const LOOK_EVERY_MS = 5_000;

export interface AnalyticsRun {
  kafka: Kafka;
  /** Resolves when the group's member has its partitions. */
  joined(): Promise<void>;
  /** Takes out at once whom the marks of now mean; a run that ends when it has caught up may not live to the next look. */
  forgetErased(): Promise<void>;
}

export interface RunOptions {
  /** Others only for specs. */
  groupId?: string;
  topics?: readonly TopicRef[];
  suppressionTopic?: TopicRef;
  lookEveryMs?: number;
  pause?: Pause;
}

/** Starts the consumer; what it opened is closed by the context's shutdown sequence. */
export async function runAnalytics(
  config: AnalyticsConfig,
  ctx: HostContext,
  options: RunOptions = {},
): Promise<AnalyticsRun> {
  const { groupId = CONSUMER_GROUPS.analytics.name, topics = CONSUMER_GROUPS.analytics.topics } = options;
  // No beat of the consumer: it stands still while the warehouse is away. What is stuck, its own watchdog ends.
  const { logger, metrics, health, shutdown } = ctx;
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    username: config.KAFKA_USERNAME,
    password: config.KAFKA_PASSWORD,
    clientId: `${config.SERVICE_NAME}-${config.INSTANCE_ID}`,
    logger,
  });
  const warehouse = openWarehouse(config);
  shutdown.add('close', 'warehouse', () => warehouse.close());
  await warehouse.prepare();
  health.check('warehouse', async () => ((await warehouse.answers()) ? 'up' : 'degraded'));

  const followed = followSuppressions({
    ...{ kafka, logger, metrics, health, keyFile: config.SUPPRESSION_KEY_FILE },
    reader: CONSUMER_GROUPS.analytics.name,
    ...(options.suppressionTopic === undefined ? {} : { topic: options.suppressionTopic }),
  });
  shutdown.add('close', 'suppressions', () => followed.stop());
  const counts = analyticsMetrics(metrics);
  const turns = new OneAtATime();
  const ending = new AbortController();
  shutdown.add('stop-taking', 'waits', () => ending.abort());
  const pause = options.pause ?? new TimerPause(ending.signal);
  const store = new StoreEvents(warehouse, followed, turns, pause, {
    repeated: (error, waitMs) => {
      counts.repeats.inc();
      logger.warn({ err: error, waitMs }, 'a write is tried again');
    },
    stored: (records, rows) => {
      counts.stored.inc(records);
      counts.rows.inc(rows);
    },
  });
  const forget = new ForgetErased(warehouse, followed.suppressions, turns);
  const lookForErased = async (): Promise<void> => counts.erased.inc(await forget.look());
  const look = setInterval(() => {
    lookForErased().catch((err: unknown) => logger.warn({ err }, 'erased people could not be looked for'));
  }, options.lookEveryMs ?? LOOK_EVERY_MS);
  shutdown.add('stop-taking', 'erasures', () => clearInterval(look));
  shutdown.add('flush', 'work under way', () => turns.run(async () => undefined));

  const server = new KafkaBatchServer({
    ...{ kafka, groupId, topics, logger, metrics },
    maxBatchRecords: config.ANALYTICS_BATCH_RECORDS,
    // Three repeats of a slow write, and their waits.
    handlerTimeoutMs: 120_000,
  });
  const app = await NestFactory.createMicroservice(AnalyticsModule.forRoot(ctx, store, topics), {
    strategy: server,
    logger: false,
  });
  shutdown.add('finish', 'consumer', () => server.close());
  shutdown.add('flush', 'tracing', () => ctx.tracing.shutdown());
  shutdown.add('close', 'application', () => app.close());
  await app.listen();
  health.startup(true);
  const forgetErased = async (): Promise<void> => {
    await followed.caughtUp;
    await lookForErased();
  };
  return { kafka, joined: () => server.joined(), forgetErased };
}
