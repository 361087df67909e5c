import type { ObservationStamp } from '@sociograph/kernel';
import { personUnknown } from '../domain/errors';
import { idOf, loneSide, type Friendship, type SideAssertion } from '../domain/friendship';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import type { PastFriendship } from '../domain/past-friendship';
import { GraphQueries, type FriendshipSpan } from '../domain/ports';

/** A friendship as one of its two people sees it. */
export interface FriendshipView {
  id: string;
  since: number;
  /** When it was found to be over; undefined while it lasts. */
  until: number | undefined;
  /** What this person's own list says, and what the friend's says. */
  seenInOwnList: SideAssertion | undefined;
  seenInFriendsList: SideAssertion | undefined;
  disputed: boolean;
  /** The newer complete list that lacks it. */
  deniedAt: ObservationStamp | undefined;
}

export class ReadPerson {
  constructor(private readonly queries: GraphQueries) {}

  /** Throws `GRAPH.PERSON_UNKNOWN` when the workspace knows no such person. */
  async person(ref: PersonRef): Promise<Person> {
    const person = await this.queries.person(ref);
    if (!person) throw personUnknown(ref);
    return person;
  }

  /** Friends of a person, now or at a moment, also of one that was never imported but stands in lists of others. */
  async friends(
    ref: PersonRef,
    page: Parameters<GraphQueries['friendshipsOf']>[1],
  ): Promise<{ items: FriendshipView[]; next: string | undefined }> {
    const { items, next } = await this.queries.friendshipsOf(ref, page);
    if (items.length === 0 && page.after === undefined) await this.person(ref);
    return { items: items.map((friendship) => viewFrom(friendship, ref.id)), next };
  }

  /** Who became a friend and who stopped being one between two moments; who did both is not shown. */
  async changes(
    ref: PersonRef,
    span: FriendshipSpan,
  ): Promise<{ items: { id: string; change: 'added' | 'removed' }[]; next: string | undefined }> {
    const { items, next } = await this.queries.changedFriendships(ref, span);
    if (items.length === 0 && span.after === undefined) await this.person(ref);
    const views = items.map(({ lowId, highId, change }) => ({
      id: lowId === ref.id ? highId : lowId,
      change,
    }));
    return { items: views, next };
  }
}

function viewFrom(friendship: Friendship | PastFriendship, self: string): FriendshipView {
  const own = friendship.lowId === self ? 'low' : 'high';
  const others = own === 'low' ? 'high' : 'low';
  const deniedAt = 'deniedAt' in friendship ? friendship.deniedAt : undefined;
  return {
    id: idOf(friendship, others),
    since: friendship.since,
    until: 'until' in friendship ? friendship.until : undefined,
    seenInOwnList: friendship[own],
    seenInFriendsList: friendship[others],
    disputed: loneSide(friendship) !== undefined && deniedAt !== undefined,
    deniedAt,
  };
}
