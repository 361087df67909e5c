import { Clock } from '@sociograph/kernel';
import { tooCostly } from '../domain/errors';
import type { PersonRef } from '../domain/observation';
import { Neighbours } from '../domain/query-ports';
import { FRIENDS_PER_WALK, inOrder, Walk } from './walk';

export const PATH_LIMITS = { length: 10, people: 20_000, friends: FRIENDS_PER_WALK, timeMs: 3_000 };

export type PathVerdict =
  | { kind: 'found'; people: { id: string; name: string | undefined }[] }
  /** `within`: of that length or shorter. */
  | { kind: 'none'; within: number };

/** One end of the search: who was reached, from whom, and who was reached last. */
interface Front {
  reached: Map<string, string | undefined>;
  latest: string[];
}

/**
 * One of the shortest chains of friends: both ends grow in turn, the smaller one first, until they meet. Which one
 * is told depends on ids alone, so the same graph gives the same answer. The lists of people are read, not edges:
 * one document holds all of a person's friends.
 */
export class FindPath {
  constructor(
    private readonly neighbours: Neighbours,
    private readonly clock: Clock,
  ) {}

  async execute(from: PersonRef, to: string, maxLength: number): Promise<PathVerdict> {
    if (maxLength > PATH_LIMITS.length) throw tooCostly('maxLength', `must be at most ${PATH_LIMITS.length}`);
    const walk = new Walk(this.neighbours, this.clock, from, PATH_LIMITS);
    await walk.insistOn([from.id, to]);
    const forward: Front = { reached: new Map([[from.id, undefined]]), latest: [from.id] };
    const backward: Front = { reached: new Map([[to, undefined]]), latest: [to] };
    const none: PathVerdict = { kind: 'none', within: maxLength };
    if (from.id === to) return found(from.id, forward, backward, walk);
    for (let length = 1; length <= maxLength; length++) {
      const grows = forward.latest.length <= backward.latest.length ? forward : backward;
      if (grows.latest.length === 0) return none;
      const meeting = await grow(grows, grows === forward ? backward : forward, walk);
      if (meeting === undefined) continue;
      const verdict = found(meeting, forward, backward, walk);
      if (verdict.kind === 'found') await walk.lookAt(verdict.people.map(({ id }) => id));
      return found(meeting, forward, backward, walk);
    }
    return none;
  }
}

/** One step further on one side. Both sides are whole up to their latest, so whoever both reached is on a shortest chain. */
async function grow(own: Front, other: Front, walk: Walk): Promise<string | undefined> {
  const next: string[] = [];
  for await (const part of walk.inParts(inOrder(own.latest))) {
    for (const id of part) {
      for (const friend of inOrder(walk.of(id).friends)) {
        if (own.reached.has(friend)) continue;
        own.reached.set(friend, id);
        if (other.reached.has(friend)) return friend;
        next.push(friend);
      }
    }
  }
  own.latest = next;
  return undefined;
}

function found(meeting: string, forward: Front, backward: Front, walk: Walk): PathVerdict {
  const ids = [...chain(meeting, forward).reverse(), ...chain(meeting, backward).slice(1)];
  return { kind: 'found', people: ids.map((id) => ({ id, name: walk.of(id).name })) };
}

/** From the meeting back to where the side began. */
function chain(meeting: string, { reached }: Front): string[] {
  const ids: string[] = [];
  for (let id: string | undefined = meeting; id !== undefined; id = reached.get(id)) ids.push(id);
  return ids;
}
