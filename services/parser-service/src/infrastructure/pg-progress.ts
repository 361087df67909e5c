import type { Queryable } from '@sociograph/postgres';
import { SystemClock } from '@sociograph/kernel';
import type { ImportCounters, ImportJob } from '../domain/import-job';
import { announceImport } from './outgoing';
import { positionsOf, saveImport } from './pg-rows';

const clock = new SystemClock();

/** Saves what was gained, which wakes the dispatcher, and announces a changed state. */
export async function absorb(
  q: Queryable,
  before: ImportJob,
  gained: Partial<ImportCounters>,
): Promise<void> {
  const after = before.absorb(gained, clock.nowMs());
  await saveImport(q, after.snapshot);
  if (after.snapshot.state !== before.snapshot.state) {
    const { id } = after.snapshot;
    await announceImport(q, after.snapshot, (await positionsOf(q, [id])).get(id) ?? {});
  }
}
