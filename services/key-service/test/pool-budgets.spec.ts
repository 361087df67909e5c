import { Redis } from 'ioredis';
import { BudgetKeeper } from '../src/application/book-budgets';
import { PostgresBudgetBlocks } from '../src/infrastructure/pg-budgets';
import { aKey, aRequest, vk } from './builders';
import { budgetDatabase } from './budget-database';
import { redisUrl } from './pool-simulation';
import { answered, PoolStand } from './pool-stand';

// A machine that is busy with others takes seconds for hundreds of round trips.
jest.setTimeout(60_000);

const DAY = 86_400_000;

describe('limits longer than a window', () => {
  let redis: Redis;
  let database: Awaited<ReturnType<typeof budgetDatabase>>;

  beforeAll(async () => {
    redis = new Redis(redisUrl());
    database = await budgetDatabase();
  });

  afterAll(async () => {
    await redis.quit();
    await database.close();
  });

  beforeEach(async () => {
    await database.asAdmin('TRUNCATE budget_blocks');
  });

  /** A pool whose hints are booked at once. */
  async function make(instances = 1) {
    const pool = await PoolStand.make(redis, instances);
    const failures: unknown[] = [];
    const credited = { count: 0 };
    const report = { failed: (_: string, error: unknown) => void failures.push(error) };
    const keepers = pool.ledgers.map(
      (ledger) =>
        new BudgetKeeper(ledger, new PostgresBudgetBlocks(database.worker), report, () => {
          credited.count += 1;
        }),
    );
    const keeper = keepers[0] as BudgetKeeper;
    pool.onHints = (hints) => {
      pool.hints.push(...hints);
      keeper.take(hints);
    };
    const age = (ms: number) =>
      database.asAdmin(
        `UPDATE budget_blocks SET booked_at = booked_at - interval '${ms} ms', closed_at = closed_at - interval '${ms} ms'`,
      );
    /** Time passes everywhere. */
    const pass = async (ms: number) => {
      pool.advance(ms);
      await age(ms);
    };
    /** Grants until the limit is spent, two seconds apart, and lets the bookings be made in between. */
    const spendAll = async (details: Parameters<PoolStand['grant']>[0] = {}, most = 1000) => {
      let granted = 0;
      let booked = 0;
      while (granted < most) {
        const verdict = await pool.ledger.grant(aRequest(pool.now(), details));
        await keeper.settled();
        if (verdict.kind === 'granted') {
          granted += 1;
          booked = 0;
        } else if (verdict.retryAt > pool.now() + 100 || booked > 3) {
          return { granted, reason: verdict.reason, inMs: verdict.retryAt - pool.now() };
        } else {
          booked += 1;
        }
        pool.advance(2000);
      }
      return { granted };
    };
    return { pool, keeper, keepers, failures, credited, age, pass, spendAll };
  }

  const limited = (limits: object, details = {}) =>
    aKey('k1', { limits: { perSecond: 3, ...limits }, bucket: `bucket-${performance.now()}`, ...details });

  it('books the first block when it is asked for, never within the request', async () => {
    const { pool, keeper, credited } = await make();
    const key = limited({ perDay: 60 });
    await pool.define(key);
    expect(await pool.ask()).toEqual(['budget-spent', 50]);
    expect(pool.hints).toEqual([{ bucket: key.details.bucket, limit: 'day', calls: 60, need: 1 }]);
    await keeper.settled();
    expect(credited.count).toBe(1);
    expect(await pool.ask()).toEqual(['granted']);
  });

  it('asks for the next block when half of one is left', async () => {
    const { pool, keeper, spendAll, pass } = await make();
    await pool.define(limited({ perDay: 1000 }));
    await spendAll({}, 12);
    pool.hints.length = 0;
    await pool.grant();
    expect(pool.hints).toMatchObject([{ limit: 'day', calls: 1000, need: 1 }]);
    await keeper.settled();
    pool.hints.length = 0;
    await pass(2000);
    await pool.grant();
    expect(pool.hints).toEqual([]);
    const { rows } = await database.worker.query<{ size: number }>('SELECT size FROM budget_blocks');
    expect(rows.map(({ size }) => size)).toEqual([25, 25]);
  });

  it('grants a limit of the day to the last call, and says truthfully when there is more', async () => {
    const { pool, spendAll, pass, keeper } = await make();
    await pool.define(limited({ perDay: 60 }));
    expect((await spendAll()).granted).toBe(60);
    const [reason, inMs] = (await pool.ask()) as [string, number];
    expect(reason).toBe('budget-spent');
    expect(inMs).toBeGreaterThan(DAY - 120_000);
    expect(inMs).toBeLessThanOrEqual(DAY + 38_000);
    await pass(32_000);
    await keeper.tidy();
    const [, later] = (await pool.ask()) as [string, number];
    expect(later).toBeCloseTo(inMs - 32_000, 1);
    await pass(inMs - 33_000);
    expect((await pool.ask())[0]).toBe('budget-spent');
    await pass(12_000);
    expect((await spendAll({}, 5)).granted).toBe(5);
  });

  it('charges packed calls on the budget of their method, and one call on that of the key', async () => {
    const { pool, spendAll } = await make();
    await pool.define(limited({ perDay: 1000, methodsPerDay: { 'wall.get': 110 } }));
    const spent = await spendAll({ methods: { 'wall.get': 25 } });
    expect(spent).toMatchObject({ granted: 4, reason: 'budget-spent' });
    expect((await spendAll({ methods: { 'wall.get': 10 } })).granted).toBe(1);
    expect((await spendAll({}, 3)).granted).toBe(3);
    expect(
      await database.worker.query('SELECT 1 FROM budget_blocks WHERE method = $1', ['wall.get']),
    ).toMatchObject({
      rowCount: 5,
    });
  });

  it('has the limits that a network declares for its methods', async () => {
    const { pool, keeper } = await make();
    await pool.define(limited({}));
    expect((await pool.ask({ methods: { 'wall.get': 25 } }))[0]).toBe('budget-spent');
    expect(pool.hints).toMatchObject([{ limit: 'day:wall.get', calls: 5000, need: 25 }]);
    await keeper.settled();
    expect(await pool.ask({ methods: { 'wall.get': 25 } })).toEqual(['granted']);
  });

  it('gives back what was not sent and what was not used of a packed call', async () => {
    const { pool, keeper, spendAll } = await make();
    await pool.define(limited({ perDay: 30, methodsPerDay: { 'wall.get': 100 } }));
    const methods = { 'wall.get': 25 };
    await spendAll({ methods }, 1);
    const lease = await pool.grant({ methods });
    await keeper.settled();
    const usage = async () => (await keeper.usage(pool.keys[0]!)).map(({ limit, spent }) => [limit, spent]);
    const ofVk = [
      ['day:wall.search', 0],
      ['day:newsfeed.search', 0],
    ];
    expect(await usage()).toEqual([['day', 2], ['day:wall.get', 50], ...ofVk]);
    await pool.settle(lease, [answered(lease)], { 'wall.get': 20, 'users.get': 9 });
    expect(await usage()).toEqual([['day', 2], ['day:wall.get', 30], ...ofVk]);
    await pool.settle(lease, [answered(lease)], { 'wall.get': 20 });
    expect(await usage()).toEqual([['day', 2], ['day:wall.get', 30], ...ofVk]);
    pool.advance(2000);
    const unsent = await pool.grant({ methods });
    await pool.settle(unsent, [
      { slot: 0, outcome: 'unsent' },
      { slot: 0, outcome: 'unsent' },
    ]);
    expect(await usage()).toEqual([['day', 2], ['day:wall.get', 30], ...ofVk]);
    await keeper.settled();
    pool.advance(2000);
    const greedy = await pool.grant({ methods });
    await pool.settle(greedy, [answered(greedy)], { 'wall.get': 1000 });
    expect(await usage()).toEqual([['day', 3], ['day:wall.get', 30], ...ofVk]);
  });

  it('never spends more than a day holds when the memory is lost at half of it', async () => {
    const { pool, keeper, spendAll } = await make();
    await pool.define(limited({ perDay: 120 }));
    const before = await spendAll({}, 60);
    expect(before.granted).toBe(60);
    const names = await redis.keys(`${pool.prefix}*`);
    await redis.del(...names);
    expect((await pool.ask())[0]).toBe('recovering');
    for (let i = 0; i < 200 && (await pool.epochs.current()) < 2; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await pool.ledger.start();
    await keeper.tidy();
    const after = await spendAll();
    expect(after.granted).toBeGreaterThanOrEqual(120 - 60 - 2 * 25);
    expect(before.granted + after.granted).toBeLessThanOrEqual(120);
    const { rows } = await database.worker.query<{ total: number }>(
      'SELECT sum(size)::int8 AS total FROM budget_blocks',
    );
    expect(rows[0]!.total).toBe(120);
  });

  it('never books more than the limit for several instances that book for one key at once', async () => {
    const { pool, keepers, credited } = await make(3);
    const key = limited({ perDay: 40 });
    await pool.define(key);
    const hint = { bucket: key.details.bucket, limit: 'day', calls: 40, need: 1 };
    for (const keeper of keepers) keeper.take([hint, hint]);
    await Promise.all(keepers.map((keeper) => keeper.settled()));
    expect(credited.count).toBe(1);
    const { accounts } = await pool.ledger.accounts([key.details.bucket]);
    expect(accounts).toMatchObject([{ limit: 'day', open: [{ size: 25, left: 25 }], closed: [] }]);
  });

  it('takes no block that comes too late, and counts it as spent', async () => {
    const { pool, keeper, age } = await make();
    const key = limited({ perDay: 40 });
    await pool.define(key);
    const { bucket } = key.details;
    const blocks = new PostgresBudgetBlocks(database.worker);
    const booked = await blocks.book({
      bucket,
      limit: 'day',
      calls: 40,
      size: 25,
      epoch: 1,
      known: [],
      left: 0,
    });
    const block = booked as Extract<typeof booked, { kind: 'booked' }>;
    const before = pool.now() - 1;
    expect(await pool.ledger.credit(bucket, 'day', { block, before })).toBe(false);
    expect(await pool.ledger.credit(bucket, 'day', { block, before: before + 1 })).toBe(true);
    expect(await pool.ledger.credit(bucket, 'day', { block, before: before + 1 })).toBe(true);
    const { accounts } = await pool.ledger.accounts([bucket]);
    expect(accounts[0]!.open).toEqual([{ id: block.id, size: 25, left: 25 }]);
    await blocks.book({ bucket, limit: 'hour', calls: 40, size: 25, epoch: 1, known: [], left: 0 });
    await age(9_000);
    await keeper.tidy();
    expect(await blocks.open(1)).toHaveLength(2);
    await age(1_500);
    await keeper.tidy();
    expect(await blocks.open(1)).toMatchObject([{ id: block.id }]);
    expect(await blocks.taken(bucket)).toEqual(
      new Map([
        ['day', 25],
        ['hour', 25],
      ]),
    );
  });

  it('closes an open block after a tenth of its span, without what was not spent of it', async () => {
    const { pool, keeper, spendAll, pass } = await make();
    const key = limited({ perMinute: 60 });
    await pool.define(key);
    await spendAll({}, 1);
    expect(await keeper.usage(key)).toMatchObject([
      { limit: 'minute', calls: 60, windowMs: 60_000, spent: 1 },
      {},
      {},
      {},
    ]);
    await pass(1_999);
    await keeper.tidy();
    expect((await pool.ledger.accounts([key.details.bucket])).accounts[0]!.open).toHaveLength(1);
    await pass(1);
    await keeper.tidy();
    expect((await pool.ledger.accounts([key.details.bucket])).accounts[0]!.open).toEqual([]);
    const { rows } = await database.worker.query('SELECT size, closed_at IS NULL AS open FROM budget_blocks');
    expect(rows).toEqual([{ size: 1, open: false }]);
    expect(await keeper.usage(key)).toMatchObject([{ spent: 1, callsInLastHour: 1 }, {}, {}, {}]);
  });

  it('grants a limit of a minute again and again, never more of it in any minute', async () => {
    const { pool, keeper, pass } = await make();
    await pool.define(limited({ perMinute: 60 }));
    const times: number[] = [];
    for (let step = 0; step < 150; step += 1) {
      const verdict = await pool.ledger.grant(aRequest(pool.now()));
      if (verdict.kind === 'granted') times.push(verdict.grant.slots[0]!);
      await keeper.settled();
      if (step % 4 === 0) await keeper.tidy();
      await pass(1000);
    }
    for (let i = 60; i < times.length; i += 1) expect(times[i]! - times[i - 60]!).toBeGreaterThan(60_000);
    expect(times.length).toBeGreaterThan(100);
  }, 60_000);

  it('has room at once when a limit is raised', async () => {
    const { pool, spendAll } = await make();
    const key = limited({ perDay: 25 });
    await pool.define(key);
    expect((await spendAll()).granted).toBe(25);
    const { bucket } = key.details;
    await pool.define(limited({ perDay: 30 }, { bucket, version: 2 }));
    pool.advance(1001);
    expect((await spendAll()).granted).toBe(5);
  });

  it('counts neither spent keys nor resting ones among what may be called', async () => {
    const { pool, spendAll } = await make();
    await pool.define(limited({ perDay: 25 }), aKey('k2'));
    const capacity = () => pool.ledger.capacity({ workspaceId: 'demo', rules: vk(), kinds: ['user'] });
    expect(await capacity()).toMatchObject({ keys: 2 });
    await pool.ledger.define([aKey('k2', { state: 'paused', version: 2 })]);
    await spendAll();
    await pool.ledger.define([aKey('k2', { version: 3 })]);
    expect(await capacity()).toMatchObject({ keys: 1, callsPerSecond: 3 });
  });

  it('reports a booking that failed, and books again when it is asked for again', async () => {
    const { pool, failures, keeper } = await make();
    const key = limited({ perDay: 25 });
    await pool.define(key);
    await database.asAdmin('ALTER TABLE budget_blocks RENAME TO budget_blocks_away');
    expect((await pool.ask())[0]).toBe('budget-spent');
    await keeper.settled();
    await database.asAdmin('ALTER TABLE budget_blocks_away RENAME TO budget_blocks');
    expect(failures).toHaveLength(1);
    expect((await pool.ask())[0]).toBe('budget-spent');
    await keeper.settled();
    expect(await pool.ask()).toEqual(['granted']);
  });
});
