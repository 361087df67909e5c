import { aqlCatalogue, arangoErrorNum, runNamed } from '@sociograph/arango';
import { isDomainError } from '@sociograph/kernel';
import type { Database } from 'arangojs';
import { GraphWalks, type KeyPair, type PathVerdict } from '../domain/ports';

/** More than `maxRuntime` was needed. */
const QUERY_KILLED = 1500;

/** Queries that walk; values by bind parameters only, constructs that 3.11, 3.12 and the stand-in know. */
const WALKS = aqlCatalogue({
  /** A friendship is one edge, so who is a friend of all is found as often as there are people. */
  mutualFriends: {
    text: `
      FOR person IN @people
        LET asLow = (FOR e IN friendships FILTER e._from == person RETURN e._to)
        LET asHigh = (FOR e IN friendships FILTER e._to == person RETURN e._from)
        FOR friend IN UNION(asLow, asHigh)
          FILTER friend > @after
          COLLECT id = friend WITH COUNT INTO shared
          FILTER shared == @all
          SORT id
          LIMIT @limit
          RETURN id`,
  },
  /** Ends of the edges on the way; the people themselves may be known by name only. */
  shortestPath: {
    text: `
      FOR person, e IN ANY SHORTEST_PATH @from TO @to friendships
        RETURN e == null ? null : [e._from, e._to]`,
  },
  friendshipsOfMany: {
    text: `
      LET asLow = (FOR e IN friendships FILTER e._from IN @people LIMIT @limit RETURN [e._from, e._to])
      LET asHigh = (FOR e IN friendships FILTER e._to IN @people LIMIT @limit RETURN [e._from, e._to])
      FOR pair IN UNION_DISTINCT(asLow, asHigh) LIMIT @limit RETURN pair`,
    batchSize: 20_000,
  },
  friendshipsAmong: {
    text: `
      FOR e IN friendships
        FILTER e._from IN @people
        FILTER e._to IN @people
        RETURN [e._from, e._to]`,
    batchSize: 20_000,
  },
});

export class ArangoWalks extends GraphWalks {
  constructor(private readonly db: Database) {
    super();
  }

  async mutualFriends(
    people: readonly string[],
    { limit, after }: { limit: number; after: string | undefined },
  ): Promise<{ people: string[]; next: string | undefined }> {
    const wanted = [...new Set(people)].map(idOf);
    const found = await runNamed<string>(this.db, WALKS.mutualFriends, {
      people: wanted,
      all: wanted.length,
      after: after === undefined ? '' : idOf(after),
      limit: limit + 1,
    });
    const keys = found.slice(0, limit).map(keyOf);
    return { people: keys, next: found.length > limit ? keys.at(-1) : undefined };
  }

  async shortestPath(from: string, to: string, limitMs: number): Promise<PathVerdict> {
    const ends = { from: idOf(from), to: idOf(to) };
    try {
      const steps = await runNamed<KeyPair | null>(this.db, WALKS.shortestPath, ends, limitMs / 1000);
      if (steps.length === 0) return { kind: 'none' };
      return { kind: 'found', people: steps.reduce<string[]>(follow, [ends.from]).map(keyOf) };
    } catch (error) {
      if (isDomainError(error) && arangoErrorNum(error.cause) === QUERY_KILLED)
        return { kind: 'gave-up', afterMs: limitMs };
      throw error;
    }
  }

  async friendshipsOfMany(people: readonly string[], limit: number): Promise<KeyPair[]> {
    const pairs = await runNamed<KeyPair>(this.db, WALKS.friendshipsOfMany, {
      people: people.map(idOf),
      limit,
    });
    return pairs.map(keysOf);
  }

  async friendshipsAmong(people: readonly string[]): Promise<KeyPair[]> {
    const pairs = await runNamed<KeyPair>(this.db, WALKS.friendshipsAmong, { people: people.map(idOf) });
    return pairs.map(keysOf);
  }
}

/** The path one edge longer: from its last person to the other end. */
function follow(path: string[], edge: KeyPair | null): string[] {
  if (!edge) return path;
  const [low, high] = edge;
  return [...path, path.at(-1) === low ? high : low];
}

function idOf(key: string): string {
  return `users/${key}`;
}

function keyOf(id: string): string {
  return id.slice('users/'.length);
}

function keysOf([low, high]: KeyPair): KeyPair {
  return [keyOf(low), keyOf(high)];
}
