import type { ObservationStamp } from '@sociograph/kernel';
import { personUnknown } from '../domain/errors';
import { idOf, loneSide, type Friendship, type SideAssertion } from '../domain/friendship';
import type { PersonRef } from '../domain/observation';
import type { Person } from '../domain/person';
import { GraphQueries } from '../domain/ports';

/** A friendship as one of its two people sees it. */
export interface FriendshipView {
  id: string;
  since: number;
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

  /** Friends of a person, also of one that was never imported but stands in lists of others. */
  async friends(
    ref: PersonRef,
    page: { limit: number; after: string | undefined },
  ): Promise<{ items: FriendshipView[]; next: string | undefined }> {
    const { items, next } = await this.queries.friendshipsOf(ref, page);
    if (items.length === 0 && page.after === undefined) await this.person(ref);
    return { items: items.map((friendship) => viewFrom(friendship, ref.id)), next };
  }
}

function viewFrom(friendship: Friendship, self: string): FriendshipView {
  const own = friendship.lowId === self ? 'low' : 'high';
  const others = own === 'low' ? 'high' : 'low';
  return {
    id: idOf(friendship, others),
    since: friendship.since,
    seenInOwnList: friendship[own],
    seenInFriendsList: friendship[others],
    disputed: loneSide(friendship) !== undefined && friendship.deniedAt !== undefined,
    deniedAt: friendship.deniedAt,
  };
}
