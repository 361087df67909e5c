import { ArangoIdempotencyStore, connectArango } from '@sociograph/arango';
import { streamPlaces, workspaceLimits } from '@sociograph/auth';
import type { WriteAudit } from '@sociograph/kernel';
import { createKafka, EventPublisher, KafkaWriteAudit } from '@sociograph/messaging';
import { workerErrors } from '@sociograph/observability';
import type { HostContext } from '@sociograph/service-host';
import { followSuppressions } from '@sociograph/suppression';
import type { Kafka } from 'kafkajs';
import type { FeedOptions } from '../projections/event-feed';
import { tooManyStreams } from '../projections/event-feed-errors';
import type { AnalysisRunner, AnalysisStore } from '../projections/analyses/analysis';
import type { ProjectorConfig } from '../config';
import { projectorMetrics } from '../metrics';
import type {
  AppliedLog,
  AppliedWatch,
  ChangeLog,
  JobStore,
  LogEnds,
  ViewCache,
  ViewStore,
  WriterLock,
} from '../projections/ports';
import { Checkpoints } from '../projections/checkpoints';
import { ArangoAnalysisStore } from './arango-analysis-store';
import { ArangoCheckpointStore } from './arango-checkpoint-store';
import { ArangoJobStore } from './arango-job-store';
import { ArangoViewStore } from './arango-view-store';
import { KafkaAppliedLog } from './kafka-applied-log';
import { KafkaAppliedWatch } from './kafka-applied-watch';
import { KafkaChangeLog } from './kafka-change-log';
import { KafkaEventFeedLog } from './kafka-event-feed-log';
import { KafkaLogEnds } from './kafka-log-ends';
import { connectRedis, firstReady } from './redis-connection';
import { RedisViewCache } from './redis-view-cache';
import { RedisWriterLock } from './redis-writer-lock';
import { WorkerAnalyses } from './worker-analyses';

/** One adapter for each port, on the servers that the configuration names. */
export interface Adapters {
  store: ViewStore;
  cache: ViewCache;
  applied: AppliedLog;
  watch: AppliedWatch;
  ends: LogEnds;
  lock: WriterLock;
  log: ChangeLog;
  checkpoints: Checkpoints;
  jobs: JobStore;
  analyses: AnalysisStore;
  runner: AnalysisRunner;
  /** What the workspaces' own events are read from. */
  feed: Omit<FeedOptions, 'clock'>;
  /** Writes that a request asks for. */
  audit: WriteAudit;
  /** Answers to creating requests. */
  idempotency: ArangoIdempotencyStore;
  /** The lock can be asked for; at most a second after the start, so that a server that is away holds up nobody. */
  ready: Promise<void>;
}

/** Between two removals of answers to creating requests that are older than a day. */
const TIDY_EVERY_MS = 60_000;

/** Account prefix of the groups in which this service reads topics. */
const READER = 'read-model-projector';

/**
 * Opens the connections in the background (each server may be away at the start) and registers their health
 * checks and their closing.
 */
export function connectServers(config: ProjectorConfig, ctx: HostContext): Adapters {
  const { logger, health, shutdown, clock, ids } = ctx;
  const clientId = `${config.SERVICE_NAME}-${config.INSTANCE_ID}`;
  const { lag } = projectorMetrics(ctx.metrics);
  const errors = workerErrors(ctx.metrics);
  const kafka = kafkaOf(config, clientId, ctx);
  const db = connectArango({
    url: config.ARANGO_URL,
    database: config.ARANGO_DATABASE,
    username: config.ARANGO_USERNAME,
    password: config.ARANGO_PASSWORD,
  });
  const pool = connectRedis(config.REDIS_POOL_URL, 'redis-pool', logger);
  const cache = connectRedis(config.REDIS_CACHE_URL, 'redis-cache', logger);
  const subscriber = connectRedis(config.REDIS_CACHE_URL, 'redis-cache-subscriber', logger);
  const publisher = new EventPublisher({ kafka, source: config.SERVICE_NAME });
  const watch = new KafkaAppliedWatch();
  const ends = new KafkaLogEnds(kafka);
  const store = new ArangoViewStore(db);
  watch.start(kafka, READER, logger);
  const keyFile = config.SUPPRESSION_KEY_FILE;
  const known = followSuppressions({ kafka, keyFile, reader: READER, logger, metrics: ctx.metrics, health });
  shutdown.add('close', 'suppressions', () => known.stop());
  let allErasedKnown = false;
  void known.caughtUp.then(() => (allErasedKnown = true));

  const idempotency = new ArangoIdempotencyStore(db, clock);
  const tidying = setInterval(() => {
    idempotency.sweep().catch((err: unknown) => {
      errors.inc({ work: 'old answers' });
      logger.warn({ err }, 'old answers could not be removed');
    });
  }, TIDY_EVERY_MS).unref();
  shutdown.add('stop-taking', 'removal of old answers', () => clearInterval(tidying));

  const limits = workspaceLimits(config.REDIS_POOL_URL, ctx, {
    service: 'read-model-projector',
    count: async () => new Map([...(await store.people())].map(([id, people]) => [id, { people }])),
  });
  const takeStreamPlace = streamPlaces(config.REDIS_POOL_URL, ctx);

  health.check('redis-pool', async () => (pool.status === 'ready' ? 'up' : 'degraded'));
  health.check('redis-cache', async () => (cache.status === 'ready' ? 'up' : 'degraded'));
  health.check('arangodb', async () => (await store.highestFence(), 'up'));
  shutdown.add('flush', 'announcements', () => publisher.close());
  shutdown.add('close', 'watch of views', () => watch.stop());
  shutdown.add('close', 'log ends', () => ends.close());
  shutdown.add('close', 'stores', () => {
    for (const redis of [pool, cache, subscriber]) redis.disconnect();
    db.close();
  });
  return {
    store,
    cache: new RedisViewCache(cache, subscriber, ids),
    applied: new KafkaAppliedLog(publisher),
    watch,
    ends,
    lock: new RedisWriterLock(pool, clock, ids.next(), config.PROJECTOR_LOCK_TTL_MS),
    audit: new KafkaWriteAudit(publisher, clock, ids),
    jobs: new ArangoJobStore(db),
    analyses: new ArangoAnalysisStore(db),
    runner: new WorkerAnalyses(),
    feed: {
      log: new KafkaEventFeedLog({ kafka, reader: READER, logger }),
      erased: known.suppressions,
      ready: () => allErasedKnown,
      takePlace: async (workspaceId: string) => {
        const most = await limits.limitOf(workspaceId, 'streams', config.PROJECTOR_STREAMS_PER_WORKSPACE);
        const leave = await takeStreamPlace(workspaceId, most);
        if (leave === undefined) throw tooManyStreams(most);
        return leave;
      },
    },
    idempotency,
    checkpoints: new Checkpoints(new ArangoCheckpointStore(db), clock, ids),
    ready: firstReady(pool, 1000),
    log: new KafkaChangeLog({
      kafka,
      reader: READER,
      logger,
      clock,
      known,
      fail: () => process.exit(1),
      onLag: (partition, records) => lag.set({ partition }, records),
    }),
  };
}

function kafkaOf(config: ProjectorConfig, clientId: string, { logger }: HostContext): Kafka {
  return createKafka({
    brokers: config.KAFKA_BROKERS,
    username: config.KAFKA_USERNAME,
    password: config.KAFKA_PASSWORD,
    clientId,
    logger,
  });
}
