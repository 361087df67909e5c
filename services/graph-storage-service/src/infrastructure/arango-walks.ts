import { aqlCatalogue, runNamed } from '@sociograph/arango';
import type { Database } from 'arangojs';
import { GraphWalks, type KeyPair } from '../domain/ports';

/** Friendships of many people, as edges: what an export is bounded by. Values by bind parameters only, constructs that 3.11, 3.12 and the stand-in know. */
const WALKS = aqlCatalogue({
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

function idOf(key: string): string {
  return `users/${key}`;
}

function keyOf(id: string): string {
  return id.slice('users/'.length);
}

function keysOf([low, high]: KeyPair): KeyPair {
  return [keyOf(low), keyOf(high)];
}
