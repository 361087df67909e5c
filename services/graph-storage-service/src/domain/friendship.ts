import { compareStamps, type ObservationStamp } from '@sociograph/kernel';
import type { Lineage } from './observation';

/** The two ends of a friendship in their fixed order; each side changes its own attribute only. */
export type Side = 'low' | 'high';

/**
 * One side says that the friendship exists: when that was seen, and by which call. The write side reads stamps
 * only; what it does not know of a stored assertion it leaves as it is.
 */
export interface SideAssertion extends Partial<Lineage>, ObservationStamp {}

/**
 * ONE friendship. It exists while a side asserts it. When only one does, and the other side's newer complete
 * list lacks it, it is disputed: `deniedAt` is the stamp of that list.
 */
export interface Friendship {
  key: string;
  lowId: string;
  highId: string;
  low?: SideAssertion | undefined;
  high?: SideAssertion | undefined;
  /** When it was first seen, milliseconds since the Unix epoch on the pool's clock. */
  since: number;
  deniedAt?: ObservationStamp | undefined;
}

/** A wish of one side: assert the friendship, or (`assertion` undefined) no longer assert it since the look `ended`. */
export interface SideChange {
  key: string;
  lowId: string;
  highId: string;
  side: Side;
  assertion: SideAssertion | undefined;
  ended?: SideAssertion | undefined;
}

export function otherSide(side: Side): Side {
  return side === 'low' ? 'high' : 'low';
}

/** The side that alone asserts the friendship; undefined when both do. */
export function loneSide(friendship: Friendship): Side | undefined {
  if (friendship.low && friendship.high) return undefined;
  return friendship.low ? 'low' : 'high';
}

export function idOf(friendship: Pick<Friendship, 'lowId' | 'highId'>, side: Side): string {
  return side === 'low' ? friendship.lowId : friendship.highId;
}

/** The friendship after changes of its sides; undefined when no side asserts it any more; the same object when nothing changed. */
export function changeSides(
  stored: Friendship | undefined,
  changes: readonly SideChange[],
): Friendship | undefined {
  return changes.reduce(changeSide, stored);
}

function changeSide(stored: Friendship | undefined, change: SideChange): Friendship | undefined {
  const { side, assertion } = change;
  if (!assertion) return withdraw(stored, side);
  if (!stored) {
    const { key, lowId, highId } = change;
    return { key, lowId, highId, [side]: assertion, since: assertion.observedAt };
  }
  if (stored[side]) return stored;
  return {
    ...stored,
    [side]: assertion,
    since: Math.min(stored.since, assertion.observedAt),
    deniedAt: undefined,
  };
}

function withdraw(stored: Friendship | undefined, side: Side): Friendship | undefined {
  if (!stored?.[side]) return stored;
  if (!stored[otherSide(side)]) return undefined;
  return { ...stored, [side]: undefined, deniedAt: undefined };
}

/**
 * Weighs a lone assertion against the newest complete list of the other side, which lacks it: `denied` is its
 * stamp, null when the other side is known to deny nothing, undefined when nothing new is known of it.
 * `confirmed` is when the asserting side was last seen to assert it.
 */
export function judge(
  friendship: Friendship,
  evidence: { denied?: ObservationStamp | null | undefined; confirmed?: ObservationStamp | undefined },
): Friendship {
  const lone = loneSide(friendship);
  const assertion = lone && friendship[lone];
  if (!lone || !assertion) return friendship;
  const { confirmed } = evidence;
  const seen = confirmed && compareStamps(confirmed, assertion) > 0 ? confirmed : assertion;
  const denied = evidence.denied === undefined ? friendship.deniedAt : (evidence.denied ?? undefined);
  const disputed = denied !== undefined && compareStamps(denied, seen) > 0;
  if (disputed === (friendship.deniedAt !== undefined)) return friendship;
  return {
    ...friendship,
    [lone]: { ...assertion, observedAt: seen.observedAt, fence: seen.fence },
    deniedAt: disputed ? denied : undefined,
  };
}
