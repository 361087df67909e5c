import type { Positions } from '@sociograph/contracts';
import { mergePositions, positionsCover, TOPICS, viewApplied } from '@sociograph/contracts';
import type { EventRecord, Tail } from '@sociograph/messaging';
import { isEvent, tailTopic } from '@sociograph/messaging';
import type { Logger } from '@sociograph/observability';
import type { Kafka } from 'kafkajs';
import type { AppliedMark, Reached } from '../projections/ports';
import { AppliedWatch } from '../projections/ports';

interface Waiting {
  view: string;
  wanted: Positions;
  wake: (reached: boolean) => void;
}

/** Follows `views.v1` from its beginning, in every instance, and wakes the readers that wait for a position. */
export class KafkaAppliedWatch extends AppliedWatch {
  private readonly views = new Map<string, Reached>();
  private readonly fences = new Map<string, number>();
  private readonly waiting = new Set<Waiting>();
  private tail: Tail | undefined;
  private complete = false;

  start(kafka: Kafka, reader: string, logger: Logger): void {
    this.tail = tailTopic({
      kafka,
      topic: TOPICS.views,
      fromBeginning: true,
      reader,
      logger,
      onRecord: (record: EventRecord) => {
        if (isEvent(record, viewApplied)) this.note(record.value);
      },
    });
    void this.tail.caughtUp.then(() => (this.complete = true));
  }

  async stop(): Promise<void> {
    await this.tail?.stop();
  }

  /** Takes one announcement in; those of a writer that another one followed are out of date. */
  note(mark: AppliedMark): void {
    if (mark.fence < (this.fences.get(mark.view) ?? 0)) return;
    this.fences.set(mark.view, mark.fence);
    const { positions, at } = this.reached(mark.view);
    const reached = { positions: mergePositions(positions, mark.appliedUpTo), at: Math.max(at, mark.at) };
    this.views.set(mark.view, reached);
    for (const waiting of this.waiting) {
      if (waiting.view === mark.view && positionsCover(reached.positions, waiting.wanted)) waiting.wake(true);
    }
  }

  highestFence(): number | undefined {
    return this.complete ? Math.max(0, ...this.fences.values()) : undefined;
  }

  reached(view: string): Reached {
    return this.views.get(view) ?? { positions: {}, at: 0 };
  }

  waitFor(view: string, wanted: Positions, timeoutMs: number): Promise<boolean> {
    if (positionsCover(this.reached(view).positions, wanted)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const wake = (reached: boolean): void => {
        clearTimeout(timer);
        this.waiting.delete(waiting);
        resolve(reached);
      };
      const waiting: Waiting = { view, wanted, wake };
      const timer = setTimeout(() => wake(false), timeoutMs);
      this.waiting.add(waiting);
    });
  }
}
