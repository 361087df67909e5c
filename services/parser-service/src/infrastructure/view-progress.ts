import {
  positionsCover,
  type PayloadOf,
  type Positions,
  VIEWS,
  type viewApplied,
} from '@sociograph/contracts';
import type { LogPositions } from '../domain/observation';
import { ViewProgress } from '../domain/ports';

type Applied = PayloadOf<typeof viewApplied>;

/** How far each view came, from the records of views.v1: the newest writer (highest fence) has the say. */
export class AppliedViews extends ViewProgress {
  private readonly byView = new Map<string, Map<number, { fence: number; positions: Positions }>>();

  /** Notes one record. */
  note({ view, partition, fence, appliedUpTo }: Applied): void {
    const partitions = this.byView.get(view) ?? new Map<number, { fence: number; positions: Positions }>();
    this.byView.set(view, partitions);
    const known = partitions.get(partition);
    if (known === undefined || fence >= known.fence)
      partitions.set(partition, { fence, positions: appliedUpTo });
  }

  behind(wanted: LogPositions): number {
    let records = 0;
    for (const [topic, partitions] of Object.entries(wanted)) {
      for (const [partition, offset] of Object.entries(partitions)) {
        const applied = Object.values(VIEWS).map(
          (view) => this.byView.get(view)?.get(Number(partition))?.positions[topic]?.[partition] ?? 0,
        );
        records += Math.max(0, offset - Math.min(...applied));
      }
    }
    return records;
  }

  reached(wanted: LogPositions): boolean {
    return Object.values(VIEWS).every((view) =>
      Object.entries(wanted).every(([topic, partitions]) =>
        Object.entries(partitions).every(([partition, offset]) => {
          const applied = this.byView.get(view)?.get(Number(partition))?.positions ?? {};
          return positionsCover(applied, { [topic]: { [partition]: offset } });
        }),
      ),
    );
  }
}
