import { inspect } from 'node:util';
import {
  friendListObserved,
  groupObserved,
  importChanged,
  keyChanged,
  keyUsed,
  membershipListClosed,
  membershipPageObserved,
  postObserved,
  subscriptionListObserved,
  userObserved,
} from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import type { EventRecord } from '@sociograph/messaging';
import { Suppressions } from '@sociograph/suppression';
import { seeded } from '@sociograph/testing';
import { rowsOfRecords } from '../src/application/rows-of-records';
import { ALL_TABLES } from '../src/application/tables';
import type { Warehouse } from '../src/application/warehouse';
import { aRecord, aStoredPerson } from './records';

export const nobodyErased = new Suppressions(new Secret(Buffer.alloc(32, 5).toString('base64')));

export async function store(warehouse: Warehouse, records: readonly EventRecord[]): Promise<void> {
  await warehouse.write(rowsOfRecords(records).remaining(nobodyErased));
}

/** Answers as texts: the engines differ in how they write a whole number. */
export async function answer(warehouse: Warehouse, sql: string): Promise<string[]> {
  const rows = await warehouse.ask(sql);
  return rows.map((row) => Object.values(row).map(String).join(' '));
}

/** Everything that a warehouse must do, whatever engine it is. `final` is what makes the newest rows visible. */
export function warehouseContract(open: () => Promise<Warehouse>, final: string): void {
  let warehouse: Warehouse;
  const scope = { workspaceId: 'demo', network: 'vk' };

  beforeEach(async () => {
    warehouse = await open();
    await warehouse.prepare();
  });
  afterEach(() => warehouse.close());

  const all = (table: string, columns: string): Promise<string[]> =>
    answer(warehouse, `SELECT ${columns} FROM ${table}${final} ORDER BY ${columns}`);

  it('can be prepared again, and has the columns that are written', async () => {
    await warehouse.prepare();
    for (const { name, columns } of ALL_TABLES)
      expect(await warehouse.ask(`SELECT ${Object.keys(columns).join(', ')} FROM ${name}`)).toEqual([]);
    expect(await warehouse.answers()).toBe(true);
  });

  it('keeps the newest snapshot in any order, across batches and within one, ties by fence', async () => {
    const seen = (observedAt: number, fence: number, lastName: string): EventRecord =>
      aRecord(userObserved, {
        ...userObserved.example,
        observedAt,
        fence,
        profile: { firstName: 'Vera', lastName, closed: true },
      });
    const newest = seen(2_000, 7, 'newest');
    const others = [seen(2_000, 6, 'lower fence'), seen(1_999, 9, 'older')];
    const chance = seeded(1);
    for (let round = 0; round < 4; round += 1) {
      const order = chance.shuffle([newest, ...others, newest]);
      await store(warehouse, order.slice(0, 2));
      await store(warehouse, order.slice(2));
    }
    await store(warehouse, [newest, ...others]);
    expect(await all('people', 'id, last_name, observed_at, fence')).toEqual(['107 newest 2000 7']);
  });

  it('keeps every observation of a list once, however often it comes', async () => {
    const list = (observedAt: number, friendIds: string[]): EventRecord =>
      aRecord(friendListObserved, { ...friendListObserved.example, observedAt, friendIds });
    const records = [list(1, ['1', '58']), list(2, ['1']), list(1, ['1', '58'])];
    await store(warehouse, records);
    await store(warehouse, records);
    expect(await all('friend_lists', 'user_id, observed_at, friend_ids, total')).toHaveLength(2);
  });

  it('has a row for every kind of message, quotes and absent fields included', async () => {
    const name = `O'Neil "\\ \n\t; DROP TABLE people -- {id:String} Ж`;
    await store(warehouse, [
      aRecord(groupObserved, { ...groupObserved.example, name }),
      aRecord(postObserved, { ...postObserved.example, text: name, authorId: '107' }),
      aRecord(membershipPageObserved, membershipPageObserved.example),
      aRecord(membershipListClosed, membershipListClosed.example),
      aRecord(subscriptionListObserved, subscriptionListObserved.example),
      aRecord(importChanged, importChanged.example, { id: 'e-1' }),
      aRecord(keyChanged, keyChanged.example, { id: 'e-2' }),
      aRecord(keyUsed, { ...keyUsed.example, calls: { 'friends.get': 725, 'users.get': 1 } }),
    ]);
    expect(await warehouse.ask(`SELECT name FROM communities`)).toEqual([{ name }]);
    expect(await warehouse.ask(`SELECT body, likes FROM posts`)).toEqual([{ body: name, likes: null }]);
    expect(await all('graph_members', 'group_id, user_id')).toEqual(['22822305 107', '22822305 1684']);
    expect(await all('imports_now', 'newest_state, people, calls')).toEqual(['running 1 2']);
    expect(await all('key_uses', 'method, calls')).toEqual(['friends.get 725', 'users.get 1']);
    expect(await all('key_changes', 'event_id, state, version')).toEqual(['e-2 active 1']);
    expect(await all('subscription_lists', 'list, outcome')).toEqual(['groups complete']);
  });

  it('counts a friendship of two people once, and who of them names it', async () => {
    await store(warehouse, [
      aStoredPerson('1', ['2', '3', '1']),
      aStoredPerson('2', ['1']),
      aStoredPerson('3', []),
      aStoredPerson('9', ['1'], { document: undefined as never }),
    ]);
    await store(warehouse, [aStoredPerson('3', ['4'], { version: 2 }), aStoredPerson('3', ['2'])]);
    const columns = 'low_id, high_id, sides';
    expect(await answer(warehouse, `SELECT ${columns} FROM graph_friendships ORDER BY ${columns}`)).toEqual([
      '1 2 2',
      '1 3 1',
    ]);
  });

  it('takes erased people out of rows, lists and texts, in their workspace and network only', async () => {
    const elsewhere = { ...userObserved.example, workspaceId: 'other' };
    await store(warehouse, [
      aRecord(userObserved, userObserved.example),
      aRecord(userObserved, elsewhere),
      aRecord(friendListObserved, friendListObserved.example),
      aRecord(friendListObserved, { ...friendListObserved.example, userId: '1', friendIds: ['107', '58'] }),
      aRecord(postObserved, postObserved.example),
      aRecord(postObserved, { ...postObserved.example, postId: '5_1', ownerId: '5', repostOf: '107_17' }),
      aRecord(postObserved, { ...postObserved.example, postId: '5_2', ownerId: '5', authorId: '107' }),
      aRecord(postObserved, { ...postObserved.example, postId: '5_3', ownerId: '5', repostOf: '107_b_7' }),
      aRecord(membershipPageObserved, membershipPageObserved.example),
      aStoredPerson('107', ['1']),
      aStoredPerson('1', ['107', '58']),
    ]);
    expect((await warehouse.peopleIn(scope)).sort()).toEqual(['1', '107', '107_b', '1684', '5', '58']);
    await warehouse.erase(scope, ['107', 'nobody']);
    expect((await warehouse.peopleIn(scope)).sort()).toEqual(['1', '107_b', '1684', '5', '58']);
    expect(await all('people', 'workspace_id, id')).toEqual(['other 107']);
    expect(await all('posts', 'id, repost_of')).toEqual(['5_1 ', '5_3 107_b_7']);
    await warehouse.erase(scope, ['107_b']);
    expect(await all('posts', 'id, repost_of')).toEqual(['5_1 ', '5_3 ']);
    expect(await warehouse.ask(`SELECT user_id, friend_ids FROM friend_lists${final}`)).toEqual([
      { user_id: '1', friend_ids: ['58'] },
    ]);
    expect(await warehouse.ask(`SELECT member_ids FROM membership_pages${final}`)).toEqual([
      { member_ids: ['1684'] },
    ]);
    await warehouse.removePosts(scope, ['5_1']);
    expect(await all('posts', 'id')).toEqual(['5_3']);
  });

  it('refuses a row as the rows to blame, and writes the others of a later batch', async () => {
    const failure: unknown = await store(warehouse, [
      aRecord(userObserved, { ...userObserved.example, observedAt: 4_102_444_800_000 }),
    ]).catch((error: unknown) => error);
    // Engines quote what they refuse, which may be a name; logs and dead letters tell errors and their causes.
    expect(inspect(failure)).not.toContain('4102444800000');
    const beyond2100 = { ...userObserved.example, userId: '666', observedAt: 4_102_444_800_000 };
    await expect(store(warehouse, [aRecord(userObserved, beyond2100)])).rejects.toMatchObject({
      code: 'ANALYTICS.ROWS_REFUSED',
      kind: 'unprocessable',
    });
    await store(warehouse, [aRecord(userObserved, { ...beyond2100, observedAt: 4_102_444_799_999 })]);
    expect(await all('people', 'id')).toEqual(['666']);
  });

  it('blames no row for what is wrong with the warehouse', async () => {
    await expect(warehouse.ask('SELECT 1 FROM no_such_table')).rejects.toMatchObject({
      code: 'ANALYTICS.WAREHOUSE_UNAVAILABLE',
      kind: 'unavailable',
    });
  });
}
