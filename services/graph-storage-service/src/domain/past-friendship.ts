import { compareStamps } from '@sociograph/kernel';
import type { Friendship, SideAssertion, SideChange } from './friendship';

/** A friendship that no side asserts any more. The same pair may have several, one for each time. */
export interface PastFriendship extends Omit<Friendship, 'deniedAt'> {
  /** When the list was seen that no longer has it; never before `since`. Milliseconds, pool's clock. */
  until: number;
  /** The look that ended it. */
  endedBy?: SideAssertion | undefined;
}

/** A stretch of time in which a friendship is known to have been there; without `until` it still is. */
export interface Stretch {
  since: number;
  until?: number | undefined;
}

/** What is kept of a friendship that these changes end: the newest of the looks that ended it counts. */
export function pastOf(friendship: Friendship, changes: readonly SideChange[]): PastFriendship {
  const { deniedAt: _, ...rest } = friendship;
  const endedBy = changes.reduce<SideAssertion | undefined>(
    (newest, { ended }) => (ended && (!newest || compareStamps(ended, newest) > 0) ? ended : newest),
    undefined,
  );
  return { ...rest, until: Math.max(rest.since, endedBy?.observedAt ?? rest.since), endedBy };
}

/**
 * Key of the record. Whoever ends the same stretch again (a process died before the friendship went, or another
 * writer touched it meanwhile) writes the same record again, so a stretch is never told twice.
 */
export function pastKey({ key, since }: Pick<PastFriendship, 'key' | 'since'>): string {
  return `${key}.${since}`;
}

/** True when the friendship was known at that moment: from its first sight up to, not with, the look that lacks it. */
export function wasThere({ since, until }: Stretch, at: number): boolean {
  return since <= at && (until === undefined || at < until);
}

/**
 * Which of two overlapping stretches of a friendship is told, for sorting: what still lasts or lasted longer.
 * The ending is kept before the friendship goes, and there is no taking it back: when another writer saves the
 * friendship in between, its stretch covers the kept one, also after the look that ends it in truth.
 */
export function byLastingLonger(a: Stretch, b: Stretch): number {
  const [untilA, untilB] = [a.until ?? Number.POSITIVE_INFINITY, b.until ?? Number.POSITIVE_INFINITY];
  return untilA === untilB ? a.since - b.since : untilA > untilB ? -1 : 1;
}
