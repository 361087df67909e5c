import { budgetBlocksContract } from '../../test/budget-blocks.contract';
import { InMemoryBudgetBlocks } from './in-memory-budgets';

describe('budget blocks in memory', () => {
  budgetBlocksContract(async () => {
    const clock = { now: 1_000_000_000 };
    return {
      blocks: new InMemoryBudgetBlocks(() => clock.now),
      age: async (ms) => void (clock.now += ms),
    };
  });
});
