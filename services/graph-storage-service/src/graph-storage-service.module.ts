import { Module, type DynamicModule } from '@nestjs/common';
import { connectArango } from '@sociograph/arango';
import { AuthModule, followRevocations } from '@sociograph/auth';
import { CONSUMER_GROUPS, GRAPH_PARTITIONS } from '@sociograph/contracts';
import { Clock, Randomness } from '@sociograph/kernel';
import { createKafka, EventPublisher, KafkaBatchServer, KafkaWriteAudit } from '@sociograph/messaging';
import type { HostContext } from '@sociograph/service-host';
import { ApplyObservations } from './application/apply-observations';
import { AwaitPosition } from './application/await-position';
import { Confirmations } from './application/confirmations';
import { ReadPerson } from './application/read-person';
import type { GraphStorageConfig } from './config';
import { ChangeLog, GraphQueries, GraphStore, Pause, StorageMeter } from './domain/ports';
import { erasureProviders } from './erasure';
import { exportProviders } from './exports';
import { ArangoGraph, ArangoGraphQueries } from './infrastructure/arango-graph';
import { KafkaChangeLog } from './infrastructure/kafka-change-log';
import { KafkaImportLog } from './infrastructure/kafka-import-log';
import { KafkaInputProgress } from './infrastructure/kafka-input-progress';
import { TimerPause } from './infrastructure/timer-pause';
import { graphStorageMetrics, PromStorageMeter } from './metrics';
import { ErasuresController } from './presentation/erasures.controller';
import { ExportsController } from './presentation/exports.controller';
import { OBSERVED_TOPICS, ObservationsConsumer } from './presentation/observations.consumer';
import { PeopleController } from './presentation/people.controller';
import { Turnstile } from './presentation/turnstile';
import { QUERY_CONTROLLERS, queryProviders } from './queries';
import { TracesOfChanges } from './traces-of-changes';

type Kafka = ReturnType<typeof createKafka>;

/** The wiring: adapters to ports, the use cases, the consumer, the REST edge. */
@Module({
  controllers: [
    PeopleController,
    ...QUERY_CONTROLLERS,
    ExportsController,
    ErasuresController,
    ObservationsConsumer,
  ],
})
export class GraphStorageServiceModule {
  static forRoot(config: GraphStorageConfig, ctx: HostContext, kafka: Kafka): DynamicModule {
    const db = connectArango({
      url: config.ARANGO_URL,
      database: config.ARANGO_DATABASE,
      username: config.ARANGO_USERNAME,
      password: config.ARANGO_PASSWORD,
    });
    const metrics = graphStorageMetrics(ctx.metrics);
    const publisher = new EventPublisher({
      kafka,
      source: 'graph-storage-service',
      clock: ctx.clock,
      ids: ctx.ids,
    });
    const traces = new TracesOfChanges();
    const audit = new KafkaWriteAudit(publisher, ctx.clock, ctx.ids);
    const progress = new KafkaInputProgress({ kafka, clock: ctx.clock, group: CONSUMER_GROUPS.graphStorage });
    progress.start();
    ctx.shutdown.add('flush', 'event publisher', () => publisher.close());
    ctx.shutdown.add('close', 'progress of the input', () => progress.stop());
    ctx.shutdown.add('close', 'arangodb', () => db.close());
    ctx.health.check('arangodb', async () => ((await db.exists()) ? 'up' : 'degraded'));
    return {
      module: GraphStorageServiceModule,
      imports: [
        AuthModule.forRoot({
          issuer: config.OIDC_ISSUER,
          jwksUrl: config.OIDC_JWKS_URL,
          audience: config.OIDC_AUDIENCE,
          clients: config.OIDC_CLIENTS,
          revocations: followRevocations(config.REDIS_POOL_URL, ctx),
        }),
      ],
      providers: [
        {
          provide: GraphStore,
          useValue: new ArangoGraph(db, (operation, n) => metrics.requests.inc({ operation }, n)),
        },
        { provide: GraphQueries, useValue: new ArangoGraphQueries(db) },
        { provide: AwaitPosition, useValue: new AwaitPosition(progress) },
        ...queryProviders(ctx, db),
        { provide: TracesOfChanges, useValue: traces },
        { provide: ChangeLog, useValue: new KafkaChangeLog(publisher, traces) },
        { provide: StorageMeter, useValue: new PromStorageMeter(metrics) },
        { provide: Pause, useClass: TimerPause },
        ...exportProviders(
          config,
          ctx,
          db,
          new KafkaImportLog({ kafka, reader: CONSUMER_GROUPS.graphStorage.name }),
          audit,
        ),
        ...erasureProviders(config, ctx, {
          db,
          kafka,
          publisher,
          audit,
          onOpen: (erasures) => metrics.erasures.set(erasures),
        }),
        { provide: Confirmations, useValue: new Confirmations() },
        {
          provide: Turnstile,
          useValue: new Turnstile(config.STORAGE_PARALLEL_BATCHES, (n) => metrics.waiting.set(n)),
        },
        {
          provide: ApplyObservations,
          inject: [GraphStore, ChangeLog, StorageMeter, Confirmations, Clock, Randomness, Pause],
          useFactory: (...parts: ConstructorParameters<typeof ApplyObservations>) =>
            new ApplyObservations(...parts),
        },
        {
          provide: ReadPerson,
          inject: [GraphQueries],
          useFactory: (queries: GraphQueries) => new ReadPerson(queries),
        },
      ],
    };
  }

  /** The consumer of what the networks showed. */
  static consumer(config: GraphStorageConfig, ctx: HostContext, kafka: Kafka): KafkaBatchServer {
    return new KafkaBatchServer({
      kafka,
      groupId: CONSUMER_GROUPS.graphStorage.name,
      topics: OBSERVED_TOPICS,
      logger: ctx.logger,
      metrics: ctx.metrics,
      clock: ctx.clock,
      maxBatchRecords: config.STORAGE_MAX_BATCH_RECORDS,
      // All of a fetch at once: what waits together is stored together.
      partitionsInParallel: GRAPH_PARTITIONS,
    });
  }

  static kafka(config: GraphStorageConfig, ctx: HostContext): Kafka {
    return createKafka({
      brokers: config.KAFKA_BROKERS,
      username: config.KAFKA_USERNAME,
      password: config.KAFKA_PASSWORD,
      clientId: `${config.SERVICE_NAME}-${config.INSTANCE_ID}`,
      logger: ctx.logger,
    });
  }
}
