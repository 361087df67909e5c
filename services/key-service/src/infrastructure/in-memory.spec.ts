import { quotaLedgerContract } from '../../test/quota-ledger.contract';
import { InMemoryQuotaLedger } from './in-memory-quota-ledger';

describe('the quota ledger in memory', () => {
  quotaLedgerContract(async () => {
    let now = 1_000_000;
    return {
      ledger: new InMemoryQuotaLedger(() => now),
      now: () => now,
      advance: (ms) => {
        now += ms;
      },
    };
  });
});
