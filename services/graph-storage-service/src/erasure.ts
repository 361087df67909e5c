import type { Provider } from '@nestjs/common';
import { CONSUMER_GROUPS, TOPICS } from '@sociograph/contracts';
import type { connectArango } from '@sociograph/arango';
import type { WriteAudit } from '@sociograph/kernel';
import type { createKafka, EventPublisher } from '@sociograph/messaging';
import { workerErrors } from '@sociograph/observability';
import type { HostContext } from '@sociograph/service-host';
import { followSuppressions, type FollowedSuppressions } from '@sociograph/suppression';
import { ErasePerson } from './application/erase-person';
import { RequestErasure } from './application/request-erasure';
import { SweepPerson } from './application/sweep-person';
import type { GraphStorageConfig } from './config';
import type { Retention } from './domain/erasure';
import { ExportPurge } from './domain/erasure-ports';
import { GraphStore } from './domain/ports';
import { ArangoErasures } from './infrastructure/arango-erasures';
import { ErasureRunner } from './infrastructure/erasure-runner';
import { KafkaErasureLog } from './infrastructure/kafka-erasure-log';
import { ErasedPeople } from './presentation/erased-people';

const HOUR_MS = 60 * 60 * 1000;
const lag = (topic: { config: Readonly<Record<string, string>> }, name: string): number =>
  Number(topic.config[name] ?? 0);

/**
 * When traces will be gone that nobody deletes. Compaction needs its lag twice (the record, then its tombstone) and what
 * tombstones are kept; a segment that is deleted by age may have been open as long again.
 */
const RETENTION: Retention = {
  // parser-service says when; its files are written anew some minutes after the last mark.
  queues: HOUR_MS,
  'change-log':
    2 * lag(TOPICS.graphChanges, 'max.compaction.lag.ms') + lag(TOPICS.graphChanges, 'delete.retention.ms'),
  'observation-log': 2 * lag(TOPICS.users, 'retention.ms'),
  'dead-letters': 2 * 30 * 24 * HOUR_MS,
};

export interface ErasureParts {
  db: ReturnType<typeof connectArango>;
  kafka: ReturnType<typeof createKafka>;
  publisher: EventPublisher;
  audit: WriteAudit;
  onOpen: (erasures: number) => void;
}

/** The wiring of erasures: who was erased, the receipts, what works on them. */
export function erasureProviders(
  config: GraphStorageConfig,
  ctx: HostContext,
  parts: ErasureParts,
): Provider[] {
  const { clock, logger, metrics, health, shutdown } = ctx;
  const errors = workerErrors(metrics);
  const followed: FollowedSuppressions = followSuppressions({
    kafka: parts.kafka,
    keyFile: config.SUPPRESSION_KEY_FILE,
    reader: CONSUMER_GROUPS.graphStorage.name,
    logger,
    metrics,
    health,
  });
  shutdown.add('close', 'suppressions', () => followed.stop());
  const erasures = new ArangoErasures(parts.db);
  const stopping = new AbortController();
  const { kafka, publisher } = parts;
  const log = new KafkaErasureLog({ kafka, publisher, signal: stopping.signal });
  return [
    { provide: ErasedPeople, useValue: new ErasedPeople(followed) },
    {
      provide: ErasureRunner,
      inject: [GraphStore, ExportPurge],
      useFactory: (store: GraphStore, exports: ExportPurge) => {
        const times = {
          settleMs: config.ERASURE_SETTLE_MS,
          checkMs: config.ERASURE_CHECK_MS,
          filesMs: config.ERASURE_FILES_MS,
          retention: RETENTION,
        };
        const sweep = new SweepPerson(erasures, log, store, clock);
        const erase = new ErasePerson(erasures, log, sweep, exports, clock, times);
        const runner = new ErasureRunner({
          erase,
          ready: followed.caughtUp,
          logger,
          onRound: parts.onOpen,
          onFailed: () => errors.inc({ work: 'erasures' }),
        });
        shutdown.add('stop-taking', 'erasures', () => {
          stopping.abort();
          return runner.stop();
        });
        return runner;
      },
    },
    {
      provide: RequestErasure,
      inject: [ErasureRunner],
      useFactory: (runner: ErasureRunner) =>
        new RequestErasure(
          erasures,
          ({ workspaceId, network, id }) => followed.suppressions.markOf(workspaceId, network, id),
          parts.audit,
          clock,
          () => runner.wake(),
        ),
    },
  ];
}
