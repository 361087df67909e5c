import { aKey } from '../../test/builders';
import type { BudgetAccount, BudgetHint } from '../domain/budget-blocks';
import type { QuotaLedger } from '../domain/quota-ledger';
import { InMemoryBudgetBlocks } from '../infrastructure/in-memory-budgets';
import { BudgetKeeper } from './book-budgets';

const DAY = 86_400_000;
const START = 1_000_000_000;

interface Block {
  id: string;
  size: number;
  left: number;
}

function setUp() {
  const clock = { now: START };
  const blocks = new InMemoryBudgetBlocks(() => clock.now);
  const open = new Map<string, Block[]>();
  const closed = new Map<string, { id: string; left: number }[]>();
  const spent: [string, string, number][] = [];
  const before: number[] = [];
  const state = { epoch: 1, accepts: true, asked: [] as (readonly string[])[] };
  const ledger = {
    accounts: async (buckets: readonly string[]) => {
      state.asked.push(buckets);
      const names = [...new Set([...open.keys(), ...closed.keys()])];
      const accounts = names
        .filter((name) => buckets.includes(name.split(' ')[0] as string))
        .map((name): BudgetAccount => {
          const [bucket, limit] = name.split(' ') as [string, string];
          const just = closed.get(name) ?? [];
          closed.delete(name);
          return { bucket, limit, open: open.get(name) ?? [], closed: just, callsInLastHour: 7 };
        });
      return { poolNow: clock.now, epoch: state.epoch, accounts };
    },
    credit: async (
      bucket: string,
      limit: string,
      given: { block: { id: string; size: number }; before: number } | { spentForMs: number },
    ) => {
      if ('spentForMs' in given) {
        spent.push([bucket, limit, given.spentForMs]);
        return true;
      }
      before.push(given.before);
      if (!state.accepts) return false;
      const name = `${bucket} ${limit}`;
      open.set(name, [...(open.get(name) ?? []), { ...given.block, left: given.block.size }]);
      return true;
    },
  };
  const failures: [string, unknown][] = [];
  let credits = 0;
  const keeper = new BudgetKeeper(
    ledger as unknown as QuotaLedger,
    blocks,
    { failed: (sentence, error) => void failures.push([sentence, error]) },
    () => (credits += 1),
  );
  const hint = (details: Partial<BudgetHint> = {}): BudgetHint => ({
    bucket: 'k1',
    limit: 'day',
    calls: 100,
    need: 1,
    ...details,
  });
  const take = async (...hints: BudgetHint[]) => {
    keeper.take(hints);
    await keeper.settled();
  };
  return {
    clock,
    blocks,
    open,
    closed,
    spent,
    before,
    state,
    failures,
    keeper,
    hint,
    take,
    credits: () => credits,
  };
}

describe('the keeper of budgets', () => {
  it('books a block and lets the ledger spend it, at most five seconds later', async () => {
    const { take, hint, open, before, credits, clock } = setUp();
    await take(hint());
    expect(open.get('k1 day')).toEqual([{ id: 'block-1', size: 25, left: 25 }]);
    expect(before).toEqual([clock.now + 5_000]);
    expect(credits()).toBe(1);
  });

  it('books once for several who ask for the same', async () => {
    const { take, hint, blocks } = setUp();
    await take(hint(), hint({ need: 9 }), hint({ limit: 'hour' }));
    expect(blocks.kept.map(({ limit }) => limit)).toEqual(['day', 'hour']);
  });

  it('books the next block when half of the last one is left, and not before', async () => {
    const { take, hint, open, blocks, clock } = setUp();
    await take(hint());
    const [block] = open.get('k1 day') as [Block];
    clock.now += 20_000;
    block.left = 13;
    await take(hint());
    expect(blocks.kept).toHaveLength(1);
    block.left = 12.5;
    await take(hint());
    expect(blocks.kept).toHaveLength(2);
  });

  it('books when what is left does not cover what is asked for at once, and as much as that', async () => {
    const { take, hint, open, blocks, clock } = setUp();
    await take(hint());
    clock.now += 20_000;
    await take(hint({ need: 25 }));
    expect(blocks.kept).toHaveLength(1);
    await take(hint({ need: 60 }));
    expect(blocks.kept.map(({ size }) => size)).toEqual([25, 35]);
    expect(open.get('k1 day')).toHaveLength(2);
  });

  it('tells the ledger how long nothing can be booked', async () => {
    const { take, hint, spent, credits, open, clock, blocks } = setUp();
    await take(hint({ calls: 20 }));
    (open.get('k1 day') as [Block])[0].left = 0;
    await take(hint({ calls: 20 }));
    expect(spent).toEqual([['k1', 'day', DAY + 38_000]]);
    expect(credits()).toBe(1);
    (open.get('k1 day') as [Block])[0].left = 3;
    await take(hint({ calls: 20, need: 4 }));
    expect(spent[1]).toEqual(['k1', 'day', DAY / 100]);
    clock.now += 10;
    expect(blocks.kept).toHaveLength(1);
  });

  it('leaves it to another instance that has just booked', async () => {
    const { take, hint, blocks, spent, credits } = setUp();
    await blocks.book({ bucket: 'k1', limit: 'day', calls: 100, size: 25, epoch: 1, known: [], left: 0 });
    await take(hint());
    expect(blocks.kept).toHaveLength(1);
    expect(spent).toEqual([]);
    expect(credits()).toBe(0);
  });

  it('wakes nobody for a block that the ledger did not take', async () => {
    const { take, hint, state, credits } = setUp();
    state.accepts = false;
    await take(hint());
    expect(credits()).toBe(0);
  });

  it('writes down what the ledger closed before it books', async () => {
    const { take, hint, open, closed, blocks } = setUp();
    await take(hint());
    open.set('k1 day', []);
    closed.set('k1 day', [{ id: 'block-1', left: 4 }]);
    await take(hint());
    expect(blocks.kept[0]).toMatchObject({ size: 21, closedAt: START });
    expect(blocks.kept[1]).toMatchObject({ size: 25, closedAt: undefined });
  });

  it('reports what could not be booked, and books when it is asked again', async () => {
    const { take, hint, failures, state, blocks } = setUp();
    const error = new Error('away');
    const book = jest.spyOn(blocks, 'book').mockRejectedValueOnce(error);
    await take(hint());
    expect(failures).toEqual([['a budget could not be booked', error]]);
    expect(book).toHaveBeenCalledTimes(1);
    await take(hint());
    expect(blocks.kept).toHaveLength(1);
    expect(state.asked).toEqual([['k1'], ['k1']]);
  });

  it('counts blocks of an earlier memory as spent when it tidies', async () => {
    const { take, hint, keeper, state, blocks, clock } = setUp();
    await take(hint());
    state.epoch = 2;
    clock.now += 7;
    await keeper.tidy();
    expect(blocks.kept[0]).toMatchObject({ size: 25, closedAt: START + 7 });
  });

  it('gives up blocks that never reached the ledger, ten seconds after they were booked', async () => {
    const { keeper, state, take, hint, blocks, clock, open } = setUp();
    state.accepts = false;
    await take(hint());
    state.accepts = true;
    await take(hint({ bucket: 'k2' }));
    clock.now += 10_000;
    await keeper.tidy();
    expect(blocks.kept.map(({ closedAt }) => closedAt)).toEqual([undefined, undefined]);
    clock.now += 1;
    await keeper.tidy();
    expect(blocks.kept.map(({ closedAt }) => closedAt)).toEqual([clock.now, undefined]);
    expect(open.get('k2 day')).toHaveLength(1);
  });

  it('asks the ledger about a hundred buckets at a time', async () => {
    const { keeper, state, blocks } = setUp();
    for (let i = 0; i < 101; i += 1) {
      await blocks.book({
        bucket: `b${i}`,
        limit: 'day',
        calls: 100,
        size: 25,
        epoch: 1,
        known: [],
        left: 0,
      });
    }
    await keeper.tidy();
    expect(state.asked.map((buckets) => buckets.length)).toEqual([0, 100, 1]);
  });

  it('closes what the ledger closed when it tidies', async () => {
    const { keeper, closed, take, hint, blocks, open } = setUp();
    await take(hint());
    open.set('k1 day', []);
    closed.set('k1 day', [{ id: 'block-1', left: 20 }]);
    await keeper.tidy();
    expect(blocks.kept[0]).toMatchObject({ size: 5, closedAt: START });
  });

  it('leaves everything as it is when the memory changes while it tidies', async () => {
    const { keeper, take, hint, state, blocks, clock } = setUp();
    state.accepts = false;
    await take(hint());
    clock.now += 20_000;
    const open = blocks.open.bind(blocks);
    jest.spyOn(blocks, 'open').mockImplementation(async (epoch) => {
      const found = await open(epoch);
      state.epoch = 2;
      return found;
    });
    await keeper.tidy();
    expect(blocks.kept[0]?.closedAt).toBeUndefined();
  });

  it('says how much of each limit is used', async () => {
    const { keeper, take, hint, open, closed, clock } = setUp();
    const key = aKey('k1', { limits: { perSecond: 3, perDay: 100, methodsPerDay: { 'wall.get': 60 } } });
    await take(hint(), hint({ limit: 'day:wall.get', calls: 60 }));
    (open.get('k1 day') as [Block])[0].left = 5;
    clock.now += 20_000;
    await take(hint());
    (open.get('k1 day') as [Block, Block])[1].left = 24;
    closed.set('k1 day:wall.get', [{ id: 'block-2', left: 22 }]);
    open.set('k1 day:wall.get', []);
    const usage = await keeper.usage(key);
    expect(usage.slice(0, 2)).toEqual([
      { limit: 'day', calls: 100, windowMs: DAY, spent: 21, callsInLastHour: 7 },
      { limit: 'day:wall.get', calls: 60, windowMs: DAY, spent: 3, callsInLastHour: 7 },
    ]);
    expect(usage.slice(2)).toEqual([
      { limit: 'day:wall.search', calls: 1000, windowMs: DAY, spent: 0, callsInLastHour: 0 },
      { limit: 'day:newsfeed.search', calls: 1000, windowMs: DAY, spent: 0, callsInLastHour: 0 },
    ]);
  });
});
