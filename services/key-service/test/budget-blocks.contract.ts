import type { BudgetBlocks } from '../src/domain/budget-blocks';

export interface BlocksUnderTest {
  blocks: BudgetBlocks;
  /** Makes everything that was booked or closed so far lie further in the past. */
  age(ms: number): Promise<void>;
}

const DAY = 86_400_000;
const REACH = 5_000;

/** What every store of budget blocks keeps. */
export function budgetBlocksContract(make: () => Promise<BlocksUnderTest>): void {
  let under: BlocksUnderTest;
  let blocks: BudgetBlocks;
  let bucket: string;
  let made = 0;

  beforeEach(async () => {
    under = await make();
    blocks = under.blocks;
    made += 1;
    bucket = `bucket-${made}`;
  });

  const book = (details: Partial<Parameters<BudgetBlocks['book']>[0]> = {}) =>
    blocks.book({ bucket, limit: 'day', calls: 100, size: 40, epoch: 1, known: [], left: 0, ...details });

  async function booked(details: Parameters<typeof book>[0] = {}): Promise<{ id: string; size: number }> {
    const found = await book(details);
    if (found.kind !== 'booked') throw new Error(found.kind);
    return found;
  }

  it('books until the limit is reached, the last time what is left', async () => {
    const first = await booked();
    const second = await booked({ known: [first.id] });
    const third = await booked({ known: [first.id, second.id] });
    expect([first.size, second.size, third.size]).toEqual([40, 40, 20]);
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    const known = [first.id, second.id, third.id];
    expect(await book({ known })).toEqual({ kind: 'spent', retryInMs: DAY + REACH + 33_000 });
    expect(await book({ known, left: 1 })).toEqual({ kind: 'spent', retryInMs: DAY / 100 });
    expect(await blocks.taken(bucket)).toEqual(new Map([['day', 100]]));
  });

  it('counts each limit and each bucket for itself', async () => {
    await booked({ size: 100 });
    expect((await booked({ limit: 'hour', size: 100 })).size).toBe(100);
    expect((await booked({ limit: 'minute', size: 90 })).size).toBe(90);
    expect((await booked({ limit: 'day:wall.get', size: 30 })).size).toBe(30);
    expect((await booked({ limit: 'day:wall.search', size: 10 })).size).toBe(10);
    expect((await booked({ bucket: `${bucket}-other`, size: 100 })).size).toBe(100);
    expect(new Map([...(await blocks.taken(bucket))].sort())).toEqual(
      new Map([
        ['day', 100],
        ['day:wall.get', 30],
        ['day:wall.search', 10],
        ['hour', 100],
        ['minute', 90],
      ]),
    );
  });

  it('books nothing when somebody else has just done so', async () => {
    await booked();
    expect(await book()).toEqual({ kind: 'elsewhere' });
    await under.age(10_001);
    expect((await booked()).size).toBe(40);
  });

  it('lets a block leave a span and a little after it was closed, without what was left in it', async () => {
    const { id } = await booked({ size: 100 });
    await blocks.close([{ id, left: 70 }]);
    expect(await blocks.taken(bucket)).toEqual(new Map([['day', 30]]));
    expect((await booked({ size: 100 })).size).toBe(70);
    await under.age(DAY + REACH - 60_000);
    expect((await blocks.taken(bucket)).get('day')).toBe(100);
    const spent = await book({ known: [] });
    expect(spent.kind).toBe('spent');
    expect(spent.kind === 'spent' && spent.retryInMs).toBeGreaterThan(50_000);
    expect(spent.kind === 'spent' && spent.retryInMs).toBeLessThanOrEqual(60_000);
    await under.age(61_000);
    expect((await blocks.taken(bucket)).get('day')).toBe(70);
    expect((await booked({ size: 100 })).size).toBe(30);
  });

  it('closes a block once', async () => {
    const { id } = await booked();
    await blocks.close([{ id, left: 10 }]);
    await blocks.close([{ id, left: 10 }]);
    expect(await blocks.taken(bucket)).toEqual(new Map([['day', 30]]));
    await blocks.close([]);
  });

  it('counts what an earlier memory had left as spent, from the moment that this is known', async () => {
    await booked({ size: 60 });
    await under.age(DAY * 3);
    expect((await blocks.taken(bucket)).get('day')).toBe(60);
    expect(await blocks.closeLost(1)).toBe(0);
    expect(await blocks.closeLost(2)).toBeGreaterThanOrEqual(1);
    expect((await booked({ size: 100, epoch: 2 })).size).toBe(40);
  });

  it('counts blocks of an earlier memory as spent when one of a later one is booked', async () => {
    await booked({ size: 60 });
    expect((await booked({ size: 100, epoch: 2 })).size).toBe(40);
    expect(await blocks.closeLost(2)).toBe(0);
  });

  it('says which blocks of a memory are open, and since when', async () => {
    const first = await booked({ epoch: 7 });
    await under.age(5_000);
    const second = await booked({ epoch: 7, known: [first.id] });
    const closed = await booked({ epoch: 7, limit: 'hour' });
    await blocks.close([{ id: closed.id, left: 0 }]);
    await booked({ epoch: 8, limit: 'minute' });
    const open = (await blocks.open(7)).filter((block) => block.bucket === bucket);
    expect(open.map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(open[0]!.ageMs).toBeGreaterThanOrEqual(5_000);
    expect(open[1]!.ageMs).toBeLessThan(5_000);
  });

  it('never overbooks for several who book at once', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => book()));
    const sizes = all.flatMap((found) => (found.kind === 'booked' ? [found.size] : []));
    expect(sizes).toEqual([40]);
    expect(all.filter(({ kind }) => kind === 'elsewhere')).toHaveLength(7);
  });
}
