import { viewApplied } from '@sociograph/contracts';
import type { EventPublisher } from '@sociograph/messaging';
import type { AppliedMark } from '../projections/ports';
import { AppliedLog } from '../projections/ports';

/** Announcements on `views.v1`, acknowledged by all replicas before `announce` resolves. */
export class KafkaAppliedLog extends AppliedLog {
  constructor(private readonly publisher: EventPublisher) {
    super();
  }

  async announce(marks: readonly AppliedMark[]): Promise<void> {
    await this.publisher.publish(
      marks.map((value) => ({ message: viewApplied, key: `${value.view}:${value.partition}`, value })),
    );
  }
}
