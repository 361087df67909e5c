import { contractServer, contractTarget, type ContractServer } from '@sociograph/arango-embedded';
import {
  arangoErrorNum,
  ArangoMigrations,
  bulkGet,
  bulkWrite,
  connectArango,
  ensureCollection,
  isConflict,
  runNamed,
  toDomainError,
} from '../src';

interface Item {
  n: number;
  tag?: { a?: number; b?: number };
}

describe('bulk access', () => {
  let server: ContractServer;
  let db: ReturnType<typeof connectArango>;

  beforeAll(async () => {
    server = await contractServer();
    db = connectArango(server);
    await ensureCollection(db, 'items', 'document');
    await ensureCollection(db, 'items', 'document');
  });

  afterAll(async () => {
    db.close();
    await server.stop();
  });

  beforeEach(() => db.collection('items').truncate());

  const revOf = async (key: string): Promise<string> =>
    (await bulkGet<Item>(db, 'items', [key])).get(key)?._rev ?? '';

  it('reads what exists of many keys, in as many requests as it takes', async () => {
    const inserts = Array.from({ length: 5001 }, (_, n) => ({ _key: `k${n}`, n }));
    const outcome = await bulkWrite<Item>(db, 'items', { inserts });
    expect([outcome.written, outcome.conflicts, outcome.requests, outcome.revisions.size]).toEqual([
      5001,
      [],
      2,
      5001,
    ]);
    const found = await bulkGet<Item>(db, 'items', [...inserts.map(({ _key }) => _key), 'none']);
    expect(found.size).toBe(5001);
    expect(found.get('k5000')).toMatchObject({
      _key: 'k5000',
      n: 5000,
      _rev: outcome.revisions.get('k5000'),
    });
    expect((await bulkGet<Item>(db, 'items', [])).size).toBe(0);
  });

  it('reports every kind of conflict as a value and writes the rest', async () => {
    await bulkWrite<Item>(db, 'items', { inserts: ['a', 'b', 'c', 'd'].map((_key) => ({ _key, n: 1 })) });
    const outcome = await bulkWrite<Item>(db, 'items', {
      inserts: [
        { _key: 'a', n: 2 },
        { _key: 'new', n: 2 },
      ],
      replaces: [
        { _key: 'b', _rev: 'old', n: 2 },
        { _key: 'c', _rev: await revOf('c'), n: 2 },
        { _key: 'gone', _rev: 'x', n: 2 },
      ],
      removes: [{ _key: 'd', _rev: 'old' }],
    });
    expect(outcome.conflicts.sort()).toEqual(['a', 'b', 'd', 'gone']);
    expect([outcome.written, outcome.requests]).toEqual([2, 3]);
    const after = await bulkGet<Item>(db, 'items', ['a', 'b', 'c', 'd', 'new']);
    expect([...after].map(([key, { n }]) => `${key}${n}`).sort()).toEqual(['a1', 'b1', 'c2', 'd1', 'new2']);
    const removed = await bulkWrite<Item>(db, 'items', { removes: [{ _key: 'd', _rev: await revOf('d') }] });
    expect(removed.written).toBe(1);
    expect((await bulkGet<Item>(db, 'items', ['d'])).size).toBe(0);
  });

  it('merges changes and takes attributes away by null, under the revision that was read', async () => {
    await bulkWrite<Item>(db, 'items', { inserts: [{ _key: 'a', n: 1, tag: { a: 1 } }] });
    const _rev = await revOf('a');
    await bulkWrite<Item>(db, 'items', { updates: [{ _key: 'a', _rev, tag: { b: 2 } }] });
    expect((await bulkGet<Item>(db, 'items', ['a'])).get('a')).toMatchObject({ n: 1, tag: { a: 1, b: 2 } });
    expect((await bulkWrite<Item>(db, 'items', { updates: [{ _key: 'a', _rev, n: 9 }] })).conflicts).toEqual([
      'a',
    ]);
    await bulkWrite<Item>(db, 'items', { updates: [{ _key: 'a', _rev: await revOf('a'), tag: null }] });
    expect((await bulkGet<Item>(db, 'items', ['a'])).get('a')).not.toHaveProperty('tag');
  });

  it('puts documents whether or not their keys are taken, as a whole', async () => {
    await bulkWrite<Item>(db, 'items', { inserts: [{ _key: 'a', n: 1, tag: { a: 1 } }] });
    const outcome = await bulkWrite<Item>(db, 'items', {
      puts: [
        { _key: 'a', n: 2 },
        { _key: 'b', n: 3 },
      ],
    });
    expect([outcome.written, outcome.conflicts, outcome.requests]).toEqual([2, [], 1]);
    const after = await bulkGet<Item>(db, 'items', ['a', 'b']);
    expect([after.get('a')?.n, after.get('b')?.n]).toEqual([2, 3]);
    expect(after.get('a')).not.toHaveProperty('tag');
  });

  it('throws what is no conflict', async () => {
    await expect(
      bulkWrite<Item>(db, 'items', { inserts: [{ _key: 'not a key', n: 1 }] }),
    ).rejects.toMatchObject({ kind: 'bug' });
    await expect(bulkGet(db, 'nowhere', ['a'])).rejects.toMatchObject({
      code: 'ARANGO.REQUEST_REFUSED',
      kind: 'bug',
      facts: { errorNum: 1203 },
    });
    if (!contractTarget()) {
      await expect(runNamed(db, { text: 'RETURN SHA512("x")' }, {})).rejects.toMatchObject({
        kind: 'bug',
        facts: { errorNum: 9 },
      });
    }
  });

  it('says unavailable when the server is away or refuses the account', async () => {
    const away = connectArango({ url: 'http://127.0.0.1:1', database: 'x', username: 'x', password: 'x' });
    await expect(bulkGet(away, 'items', ['a'])).rejects.toMatchObject({
      code: 'ARANGO.UNAVAILABLE',
      kind: 'unavailable',
    });
    const stranger = connectArango({
      url: server.url,
      database: server.database,
      username: server.username,
      password: 'wrong',
    });
    await expect(bulkGet(stranger, 'items', ['a'])).rejects.toMatchObject({
      kind: 'unavailable',
      facts: { status: 401 },
    });
  });

  it('reads a result of several batches to its end', async () => {
    const rows = await runNamed<number>(
      db,
      { text: 'FOR n IN 1..@last RETURN n', batchSize: 7 },
      { last: 30 },
    );
    expect(rows).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  });

  it('ends a query that takes longer than it may, and says so', async () => {
    const slow = `FOR a IN 1..1000 FOR b IN items FOR c IN items FOR d IN items FILTER d.n < 0 RETURN 1`;
    const inserts = Array.from({ length: 200 }, (_, n) => ({ _key: `k${n}`, n }));
    await bulkWrite<Item>(db, 'items', { inserts });
    const failure: unknown = await runNamed(db, { text: slow }, {}, 0.05).catch((error: unknown) => error);
    expect(arangoErrorNum((failure as Error).cause)).toBe(1500);
  });

  it('tells conflicts from other failures', async () => {
    await bulkWrite<Item>(db, 'items', { inserts: [{ _key: 'a', n: 1 }] });
    const taken: unknown = await db
      .collection('items')
      .save({ _key: 'a' })
      .catch((error: unknown) => error);
    const missing: unknown = await db
      .collection('items')
      .document('zz')
      .catch((error: unknown) => error);
    expect([isConflict(taken), isConflict(missing), isConflict(new Error('x'))]).toEqual([
      true,
      false,
      false,
    ]);
    expect([arangoErrorNum(taken), arangoErrorNum(missing), arangoErrorNum(new Error('x'))]).toEqual([
      1210,
      1202,
      undefined,
    ]);
    expect(toDomainError(toDomainError(taken, 'a'), 'b').facts).toMatchObject({ what: 'a' });
  });

  it('applies each migration once, in order of version, per owner', async () => {
    const ran: string[] = [];
    const step = (version: number) => ({
      version,
      name: `step ${version}`,
      up: async () => void ran.push(`${version}`),
    });
    expect(await new ArangoMigrations(db, 'one', [step(2), step(1)]).run()).toEqual([1, 2]);
    expect(await new ArangoMigrations(db, 'one', [step(1), step(2), step(3)]).run()).toEqual([3]);
    expect(await new ArangoMigrations(db, 'two', [step(1)]).run()).toEqual([1]);
    expect(ran).toEqual(['1', '2', '3', '1']);
  });
});
