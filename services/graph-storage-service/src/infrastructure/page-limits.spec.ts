import type { Database } from 'arangojs';
import { ArangoCommunityQueries } from './arango-community-queries';
import { ArangoGraphQueries } from './arango-graph';

const person = { workspaceId: 'demo', network: 'vk', id: '107' };
const page = { limit: 10, after: undefined };

/** A store that ends every query because it took too long, and notes how long it was given. */
function slowStore() {
  const given: unknown[] = [];
  const db = {
    query: async (_text: string, _bindVars: object, { maxRuntime }: { maxRuntime?: number }) => {
      given.push(maxRuntime);
      throw Object.assign(new Error('query killed'), { isArangoError: true, errorNum: 1500, code: 410 });
    },
  };
  return { given, db: db as unknown as Database };
}

describe('pages of the graph', () => {
  it.each([
    ['friends', (db: Database) => new ArangoGraphQueries(db).friendshipsOf(person, page)],
    [
      'friends at a moment',
      (db: Database) => new ArangoGraphQueries(db).friendshipsOf(person, { ...page, at: 1 }),
    ],
    [
      'changes of friends',
      (db: Database) => new ArangoGraphQueries(db).changedFriendships(person, { ...page, from: 1, to: 2 }),
    ],
    [
      'subscriptions',
      (db: Database) => new ArangoCommunityQueries(db).subscriptionsOf(person, 'groups', page),
    ],
    ['members', (db: Database) => new ArangoCommunityQueries(db).subscribersOf(person, 'groups', page)],
    [
      'posts',
      (db: Database) =>
        new ArangoCommunityQueries(db).postsOf(
          { kind: 'user', ref: person },
          { limit: 10, after: undefined },
        ),
    ],
  ])('of %s may take three seconds, and cost too much beyond', async (_, ask) => {
    const { given, db } = slowStore();
    await expect(ask(db)).rejects.toMatchObject({ code: 'QUERY.TOO_COSTLY', kind: 'unprocessable' });
    expect(given).toEqual([3]);
  });
});
