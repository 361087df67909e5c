import { describeCallLedger } from '../../test/call-ledger.contract';
import { MemoryImports, MemoryStore } from './in-memory';
import { MemoryCallLedger } from './in-memory-calls';

describeCallLedger('memory', async () => {
  let now = 1_000_000;
  let ids = 100;
  const store = new MemoryStore(() => now);
  return {
    imports: new MemoryImports(store),
    ledger: new MemoryCallLedger(store),
    id: () => `id-${(ids += 1)}`,
    sent: async () => store.sent,
    announced: async () => store.announced,
    age: async (ms) => {
      now += ms;
    },
  };
});
