import { comparePersonIds } from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import { personUnknown, tooCostly } from '../domain/errors';
import type { Neighbourhood, Neighbours, Scope } from '../domain/query-ports';

/** People of one request to the store: it answers nothing else meanwhile (the stand-in), about 20 ms. */
const PEOPLE_PER_REQUEST = 100;

export interface WalkLimits {
  /** Milliseconds that all requests of a walk may take. */
  timeMs: number;
  /** People whose friends may be looked at. */
  people: number;
  /** Entries on the lists of all of them: they are in memory together. */
  friends: number;
}

/** About 150 MB: as much as one question may take from the others. */
export const FRIENDS_PER_WALK = 2_000_000;

/** One walk over the friendships of one network: counts what it costs and ends what costs too much. */
export class Walk {
  readonly #known = new Map<string, Neighbourhood>();
  readonly #endsAt: number;
  #friends = 0;

  constructor(
    private readonly neighbours: Neighbours,
    private readonly clock: Clock,
    private readonly scope: Scope,
    private readonly limits: WalkLimits,
    private readonly at?: number | undefined,
  ) {
    this.#endsAt = clock.monotonicMs() + limits.timeMs;
  }

  /** Friends and name of a person that was looked at; nobody's when it was not. */
  of(id: string): Neighbourhood {
    return this.#known.get(id) ?? { friends: [] };
  }

  /** Throws `GRAPH.PERSON_UNKNOWN` for the first of them that the workspace does not know. */
  async insistOn(ids: readonly string[]): Promise<void> {
    await this.lookAt(ids);
    const missing = ids.find((id) => !this.#known.has(id));
    if (missing === undefined) return;
    if (this.at !== undefined) {
      // Known by lists that were seen after that moment only.
      const now = await this.neighbours.of(this.scope, [missing], { limitMs: this.#remainingMs() });
      if (now.has(missing)) return;
    }
    throw personUnknown({ ...this.scope, id: missing });
  }

  /** Learns the friends of all of them, some at a time. */
  async lookAt(ids: readonly string[]): Promise<void> {
    for await (const _ of this.inParts(ids));
  }

  /** The same, part by part, in the given order: who found what it sought stops. */
  async *inParts(ids: readonly string[]): AsyncIterable<readonly string[]> {
    for (let at = 0; at < ids.length; at += PEOPLE_PER_REQUEST) {
      const part = ids.slice(at, at + PEOPLE_PER_REQUEST);
      const unknown = part.filter((id) => !this.#known.has(id));
      if (this.#known.size + unknown.length > this.limits.people)
        throw tooCostly('people', `to be looked at are more than ${this.limits.people}`);
      if (unknown.length > 0) {
        const options = { limitMs: this.#remainingMs(), at: this.at };
        const found = await this.neighbours.of(this.scope, unknown, options);
        for (const [id, neighbourhood] of found) this.#learn(id, neighbourhood);
      }
      yield part;
    }
  }

  #learn(id: string, neighbourhood: Neighbourhood): void {
    this.#friends += neighbourhood.friends.length;
    if (this.#friends > this.limits.friends)
      throw tooCostly('friends', `of those to be looked at are more than ${this.limits.friends}`);
    this.#known.set(id, neighbourhood);
  }

  #remainingMs(): number {
    const remaining = this.#endsAt - this.clock.monotonicMs();
    if (remaining <= 0) throw tooCostly('time', `needed is more than ${this.limits.timeMs} ms`);
    return remaining;
  }
}

/** Ids in their order, each once. */
export function inOrder(ids: Iterable<string>): string[] {
  return [...new Set(ids)].sort(comparePersonIds);
}
