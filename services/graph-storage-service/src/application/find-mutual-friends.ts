import { comparePersonIds } from '@sociograph/contracts';
import { Clock } from '@sociograph/kernel';
import { tooCostly } from '../domain/errors';
import type { PersonRef } from '../domain/observation';
import { Neighbours } from '../domain/query-ports';
import { FRIENDS_PER_WALK, inOrder, Walk } from './walk';

/** Others that a person may be compared with at a time. */
export const MUTUAL_LIMITS = { with: 10, timeMs: 3_000 };

/** Who is a friend of all of some people. */
export class FindMutualFriends {
  constructor(
    private readonly neighbours: Neighbours,
    private readonly clock: Clock,
  ) {}

  /** By id behind `after`; `next` is undefined on the last page. */
  async execute(
    person: PersonRef,
    others: readonly string[],
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<{ ids: string[]; next: string | undefined }> {
    if (others.length > MUTUAL_LIMITS.with)
      throw tooCostly('with', `must name at most ${MUTUAL_LIMITS.with}`);
    const people = [...new Set([person.id, ...others])];
    const { timeMs } = MUTUAL_LIMITS;
    const limits = { timeMs, people: MUTUAL_LIMITS.with + 1, friends: FRIENDS_PER_WALK };
    const walk = new Walk(this.neighbours, this.clock, person, limits);
    await walk.insistOn(people);
    const lists = people.map((id) => walk.of(id).friends).sort((a, b) => a.length - b.length);
    const [shortest = [], ...rest] = lists;
    const sets = rest.map((friends) => new Set(friends));
    const mutual = inOrder(shortest.filter((id) => sets.every((set) => set.has(id))));
    const behind = mutual.filter((id) => after === undefined || comparePersonIds(id, after) > 0);
    const ids = behind.slice(0, limit);
    return { ids, next: behind.length > limit ? ids.at(-1) : undefined };
  }
}
