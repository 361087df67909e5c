import { EVENT_HEADERS, inputMarked, TOPICS, vertexChanged } from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import type { EventRecord } from '@sociograph/messaging';
import {
  FetchWatchdog,
  inputPositionsOf,
  isEvent,
  kafkaAnswers,
  type Tail,
  tailTopic,
} from '@sociograph/messaging';
import { isKept, type Logger } from '@sociograph/observability';
import type { Kafka } from 'kafkajs';
import type { FollowedSuppressions } from '@sociograph/suppression';
import type { ChangeRecord, Following } from '../projections/ports';
import { ChangeLog } from '../projections/ports';
import { withoutErased } from './erased-people';

/** No fetch for so long although Kafka answers: the loop is stuck (DESIGN 9). */
const STUCK_MS = 10_000;

const TURN_MS = 10;

export interface ChangeLogOptions {
  kafka: Kafka;
  /** First part of the reader's group name. */
  reader: string;
  logger: Logger;
  clock: Clock;
  /** Erased people: nothing is taken from the log before all of them are known. */
  known: Pick<FollowedSuppressions, 'suppressions' | 'caughtUp' | 'dropped'>;
  /** Ends the process; the supervisor starts a fresh one. */
  fail: () => void;
  /** After each batch that was taken: how many records of its partition are behind it. */
  onLag: (partition: number, records: number) => void;
}

/** graph.changes from its first record on, in a reader group of this instance alone that commits nothing. */
export class KafkaChangeLog extends ChangeLog {
  constructor(private readonly options: ChangeLogOptions) {
    super();
  }

  async follow(
    take: (record: ChangeRecord) => void,
    caughtUp: () => void,
    from?: ReadonlyMap<number, number>,
  ): Promise<Following> {
    const { kafka, reader, logger, clock, known, fail, onLag } = this.options;
    let tail: Tail | undefined;
    let stopped = false;
    const watchdog = new FetchWatchdog({
      clock,
      timeoutMs: STUCK_MS,
      probe: () => kafkaAnswers(kafka),
      onStuck: (silentMs) => {
        logger.fatal({ silentMs: Math.round(silentMs) }, 'reading graph.changes is stuck, the process ends');
        fail();
      },
    });
    const turns = new Turns(clock, () => watchdog.progress());
    // Before the reading, not inside of it: a reader that waits in a record fetches nothing and looks stuck.
    void known.caughtUp.then(() => {
      if (stopped) return;
      tail = tailTopic({
        kafka,
        topic: TOPICS.graphChanges,
        fromBeginning: true,
        ...(from === undefined ? {} : { from }),
        reader,
        logger,
        onProgress: () => watchdog.progress(),
        onLag,
        onRecord: (record) => {
          take(withoutErased(changeOf(record), known));
          return turns.yieldWhenDue();
        },
      });
      watchdog.start();
      void tail.caughtUp.then(caughtUp);
    });
    return {
      stop: async () => {
        stopped = true;
        watchdog.stop();
        await tail?.stop();
      },
    };
  }
}

/**
 * Lets timers and requests in between records: a replay must not keep the lock's renewal from being sent. `onTurn` hears
 * of each: megabytes of one fetch may take a busy machine longer than it is allowed to be silent.
 */
class Turns {
  private began: number;

  constructor(
    private readonly clock: Clock,
    private readonly onTurn: () => void,
  ) {
    this.began = clock.monotonicMs();
  }

  yieldWhenDue(): Promise<void> | void {
    if (this.clock.monotonicMs() - this.began < TURN_MS) return;
    this.onTurn();
    return new Promise((resolve) =>
      setImmediate(() => {
        this.began = this.clock.monotonicMs();
        resolve();
      }),
    );
  }
}

/** What a record of graph.changes says; a marker says only how far the input is done. */
export function changeOf(record: EventRecord): ChangeRecord {
  const source = inputPositionsOf(record);
  const traceparent = record.headers[EVENT_HEADERS.traceparent];
  const at = {
    partition: record.partition,
    offset: record.offset,
    ...(source === undefined ? {} : { source }),
    ...(traceparent !== undefined && isKept(traceparent) ? { trace: traceparent } : {}),
  };
  if (isEvent(record, vertexChanged)) return { ...at, change: record.value };
  if (record.value === null && record.message !== inputMarked) return { ...at, erased: record.key };
  return at;
}
