import { personSuppressed, TOPICS } from '@sociograph/contracts';
import { isEvent, tailTopic, type TopicRef } from '@sociograph/messaging';
import type { Health, Logger, Metrics } from '@sociograph/observability';
import type { Kafka } from 'kafkajs';
import { readSuppressionKey } from './mark';
import { Suppressions } from './suppressions';

export interface FollowOptions {
  kafka: Kafka;
  /** Path of the platform's suppression key. */
  keyFile: string;
  /** First part of the reader's group name, which access rights are given by. */
  reader: string;
  logger: Logger;
  metrics: Metrics;
  health: Health;
  /** Another topic only for specs. */
  topic?: TopicRef;
}

export interface FollowedSuppressions {
  readonly suppressions: Suppressions;
  /** Resolves when all marks that were there at the start are known; until then nothing may be stored or published. */
  readonly caughtUp: Promise<void>;
  /** The offset behind the last mark that is known, and whose listeners have heard of it. */
  reached(): number;
  /** Counts what was dropped because it was about an erased person: `kind` says what it was. */
  dropped(kind: 'observation' | 'list-entry' | 'item' | 'change', count: number): void;
  stop(): Promise<void>;
}

/** Reads the marks of erased people from the topic's beginning and goes on following them. */
export function followSuppressions(options: FollowOptions): FollowedSuppressions {
  const { kafka, keyFile, reader, logger, metrics, health, topic = TOPICS.suppressions } = options;
  const suppressions = new Suppressions(readSuppressionKey(keyFile));
  metrics.gauge(
    'suppressions_known',
    'Erased people that this process filters against; processes that differ for long: one does not follow the topic',
    [],
    (gauge) => gauge.set(suppressions.size),
  );
  const drops = metrics.counter(
    'suppressions_dropped_total',
    'What was dropped because it was about an erased person; growth is a network that still shows them',
    ['kind'] as const,
  );
  let complete = false;
  let reached = 0;
  const tail = tailTopic({
    kafka,
    topic,
    fromBeginning: true,
    reader,
    logger,
    onRecord: (record) => {
      if (isEvent(record, personSuppressed)) suppressions.add(record.value);
      reached = record.offset + 1;
    },
  });
  health.check('suppressions', async () => (complete ? 'up' : 'degraded'));
  const caughtUp = tail.caughtUp.then(() => {
    complete = true;
  });
  return {
    suppressions,
    caughtUp,
    reached: () => reached,
    dropped: (kind, count) => {
      if (count > 0) drops.inc({ kind }, count);
    },
    stop: () => tail.stop(),
  };
}
