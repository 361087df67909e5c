import { PoolReport } from '../domain/pool-report';
import type { BudgetAccount } from '../domain/budget-blocks';
import { QuotaLedger } from '../domain/quota-ledger';
import type { LeaseWatch } from './watch-leases';

type Booked = { booked: number; spent: number };

/** Figures that are told now and then: utilisation, and what is booked of longer limits. */
export class PoolMeasurer {
  readonly #ledger: Pick<QuotaLedger, 'poolNow'>;
  readonly #watch: Pick<LeaseWatch, 'utilisation'>;
  readonly #report: Pick<PoolReport, 'utilisation' | 'budgets'>;

  constructor(
    ledger: Pick<QuotaLedger, 'poolNow'>,
    watch: Pick<LeaseWatch, 'utilisation'>,
    report: Pick<PoolReport, 'utilisation' | 'budgets'>,
  ) {
    this.#ledger = ledger;
    this.#watch = watch;
    this.#report = report;
  }

  run(): void {
    this.#report.utilisation(this.#watch.utilisation(this.#ledger.poolNow()));
  }

  /** Every open block that the ledger holds, as those who tidy them see them. */
  budgets(accounts: readonly Pick<BudgetAccount, 'limit' | 'open'>[]): void {
    const sums = new Map<string, Booked>();
    for (const { limit, open } of accounts) {
      const sum = sums.get(limit) ?? { booked: 0, spent: 0 };
      for (const { size, left } of open) {
        sum.booked += size;
        sum.spent += size - left;
      }
      sums.set(limit, sum);
    }
    this.#report.budgets(sums);
  }
}
