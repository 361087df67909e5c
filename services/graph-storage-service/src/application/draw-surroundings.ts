import { comparePersonIds } from '@sociograph/contracts';
import { Clock } from '@sociograph/kernel';
import { tooCostly } from '../domain/errors';
import type { PersonRef } from '../domain/observation';
import { Neighbours } from '../domain/query-ports';
import { FRIENDS_PER_WALK, inOrder, Walk } from './walk';

/** What one drawing may ask for. */
export const SURROUNDINGS_LIMITS = { depth: 4, nodes: 1_000, timeMs: 3_000 };

export interface Surroundings {
  /** Nearest first, by id within a distance; the person asked about is the first. */
  people: { id: string; distance: number; name: string | undefined }[];
  /** Friendships among them, each once, in order of both ids. */
  friendships: [low: string, high: string][];
  /** True when people within the distance were left out: those with the highest ids of the last distance reached. */
  truncated: boolean;
}

/** The people within some steps of one, at most `nodes` of them, and the friendships among those: what can be drawn. */
export class DrawSurroundings {
  constructor(
    private readonly neighbours: Neighbours,
    private readonly clock: Clock,
  ) {}

  async execute(
    person: PersonRef,
    { depth, nodes, at }: { depth: number; nodes: number; at?: number | undefined },
  ): Promise<Surroundings> {
    if (depth > SURROUNDINGS_LIMITS.depth)
      throw tooCostly('depth', `must be at most ${SURROUNDINGS_LIMITS.depth}`);
    if (nodes > SURROUNDINGS_LIMITS.nodes)
      throw tooCostly('nodes', `must be at most ${SURROUNDINGS_LIMITS.nodes}`);
    const { timeMs, nodes: people } = SURROUNDINGS_LIMITS;
    const limits = { timeMs, people, friends: FRIENDS_PER_WALK };
    const walk = new Walk(this.neighbours, this.clock, person, limits, at);
    await walk.insistOn([person.id]);
    const distances = new Map([[person.id, 0]]);
    let truncated = false;
    let ring = [person.id];
    for (let distance = 1; distance <= depth && ring.length > 0 && !truncated; distance++) {
      const met = new Set(ring.flatMap((id) => walk.of(id).friends));
      const found = inOrder([...met].filter((id) => !distances.has(id)));
      ring = found.slice(0, nodes - distances.size);
      truncated = ring.length < found.length;
      for (const id of ring) distances.set(id, distance);
      // Of the last ones too: they may be friends of one another.
      await walk.lookAt(ring);
    }
    return {
      people: [...distances].map(([id, distance]) => ({ id, distance, name: walk.of(id).name })),
      friendships: friendshipsAmong([...distances.keys()], walk),
      truncated,
    };
  }
}

function friendshipsAmong(ids: readonly string[], walk: Walk): [string, string][] {
  const inside = new Map(ids.map((id) => [id, new Set<string>()]));
  for (const id of ids) {
    for (const friend of walk.of(id).friends) {
      const [low, high] = comparePersonIds(id, friend) < 0 ? [id, friend] : [friend, id];
      if (inside.has(friend)) inside.get(low)?.add(high);
    }
  }
  return inOrder(ids).flatMap((low) =>
    inOrder(inside.get(low) ?? []).map((high): [string, string] => [low, high]),
  );
}
