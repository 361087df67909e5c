import { PostgresBudgetBlocks } from '../src/infrastructure/pg-budgets';
import { budgetBlocksContract } from './budget-blocks.contract';
import { budgetDatabase } from './budget-database';

jest.setTimeout(60_000);

describe('budget blocks in PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof budgetDatabase>>;

  beforeAll(async () => {
    database = await budgetDatabase();
  });

  afterAll(async () => {
    await database.close();
  });

  const age = (ms: number) =>
    database.asAdmin(
      `UPDATE budget_blocks SET booked_at = booked_at - interval '${ms} ms', closed_at = closed_at - interval '${ms} ms'`,
    );

  budgetBlocksContract(async () => ({ blocks: new PostgresBudgetBlocks(database.worker), age }));

  it('are nothing that the serving role may see', async () => {
    await expect(database.app.query('SELECT * FROM budget_blocks')).rejects.toMatchObject({ code: '42501' });
  });

  it('are deleted when they count for nothing any more', async () => {
    const blocks = new PostgresBudgetBlocks(database.worker);
    const found = await blocks.book({
      bucket: 'old',
      limit: 'day',
      calls: 10,
      size: 10,
      epoch: 1,
      known: [],
      left: 0,
    });
    const id = found.kind === 'booked' ? found.id : '';
    await blocks.close([{ id, left: 0 }]);
    const count = async () =>
      (await database.worker.query('SELECT id FROM budget_blocks WHERE id = $1', [id])).rowCount;
    await age(2 * 86_400_000 - 60_000);
    await blocks.open(1);
    expect(await count()).toBe(1);
    await age(61_000);
    await blocks.open(1);
    expect(await count()).toBe(0);
  });
});
