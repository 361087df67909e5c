import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import { ExploreSurroundings } from '../src/application/explore-surroundings';
import { ArangoGraph } from '../src/infrastructure/arango-graph';
import { ArangoWalks } from '../src/infrastructure/arango-walks';
import { MIGRATIONS } from '../src/infrastructure/migrations';

jest.setTimeout(60_000);

/**
 *     1 - 2 - 3 - 4        8 - 9
 *     |   | /     |
 *     5 - 6 ----- 7
 */
const PAIRS = ['12', '23', '34', '15', '26', '36', '56', '47', '67', '89'];
describe('walks over the friendships', () => {
  let server: ContractServer;
  let db: ReturnType<typeof connectArango>;
  let walks: ArangoWalks;

  beforeAll(async () => {
    server = await contractServer({ seed: 3, conflictRate: 0 });
    db = connectArango(server);
    walks = new ArangoWalks(db);
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
    const friendship = (workspace: string) => (pair: string) => {
      const [lowId = '', highId = ''] = pair;
      const low = { observedAt: 1, fence: 1 };
      return { key: `${workspace}.vk.${lowId}.${highId}`, lowId, highId, low, since: 1 };
    };
    const create = [...PAIRS.map(friendship('w')), ...['18', '19'].map(friendship('other'))];
    const outcome = await new ArangoGraph(db).writeFriendships({ create, replace: [], remove: [] });
    expect(outcome.conflicts).toEqual([]);
  });

  afterAll(async () => {
    db.close();
    await server.stop();
  });

  const key = (id: string): string => `w.vk.${id}`;
  const ids = (keys: readonly string[]): string => keys.map((one) => one.replace('w.vk.', '')).join('');

  it('finds the friendships of many and among many, each once', async () => {
    const pairs = (found: readonly (readonly string[])[]): string[] => found.map((pair) => ids(pair)).sort();
    expect(pairs(await walks.friendshipsOfMany([key('1'), key('2')], 99))).toEqual(['12', '15', '23', '26']);
    expect(await walks.friendshipsOfMany([key('1'), key('2')], 3)).toHaveLength(3);
    expect(pairs(await walks.friendshipsAmong(['1', '2', '5', '6', '9'].map(key)))).toEqual([
      '12',
      '15',
      '26',
      '56',
    ]);
    expect(await walks.friendshipsAmong([])).toEqual([]);
  });

  it('explores the surroundings of a person', async () => {
    const { people, friendships, complete } = await new ExploreSurroundings(walks).execute(key('1'), {
      depth: 2,
      nodes: 10,
    });
    expect(people.map((one) => `${ids([one.key])}${one.distance}`)).toEqual(['10', '21', '51', '32', '62']);
    expect(friendships.map((pair) => ids(pair)).sort()).toEqual(['12', '15', '23', '26', '36', '56']);
    expect(complete).toBe(true);
  });
});
