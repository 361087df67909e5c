import type { ApiKey } from '../domain/api-key';
import { blockSize, longLimitsOf, spanOf } from '../domain/limits';
import { rulesOf } from '../domain/networks';
import { PoolReport } from '../domain/pool-report';
import { type BudgetAccount, BudgetBlocks, type BudgetHint } from '../domain/budget-blocks';
import { QuotaLedger } from '../domain/quota-ledger';

/** How much of one limit of a key is used. */
export interface LimitUsage {
  /** `minute`, `hour`, `day` or `day:<method>`. */
  limit: string;
  calls: number;
  windowMs: number;
  /** Calls within the window: granted ones, and booked ones that a loss of memory may have cost. */
  spent: number;
  /** Granted in about the last hour, as far as this memory of the pool goes back. */
  callsInLastHour: number;
}

/** A block that does not reach the ledger in this time is given up by its booker, */
const CREDIT_WITHIN_MS = 5_000;
/** and by everybody else after this. */
const LOST_AFTER_MS = 10_000;
const BUCKETS_PER_CALL = 100;

/**
 * Books the longer limits of keys in blocks: in the database first, then in the ledger, never within a lease request.
 * Whatever gets lost between the two counts as spent.
 */
export class BudgetKeeper {
  readonly #ledger: QuotaLedger;
  readonly #blocks: BudgetBlocks;
  readonly #report: Pick<PoolReport, 'failed'>;
  readonly #onCredit: () => void;
  /** Hears of every account that has open blocks, each time they are tidied. */
  onAccounts: (accounts: readonly BudgetAccount[]) => void = () => undefined;
  /** Limits that are being booked: a second hint adds nothing. */
  readonly #booking = new Map<string, Promise<void>>();

  constructor(
    ledger: QuotaLedger,
    blocks: BudgetBlocks,
    report: Pick<PoolReport, 'failed'>,
    onCredit: () => void,
  ) {
    this.#ledger = ledger;
    this.#blocks = blocks;
    this.#report = report;
    this.#onCredit = onCredit;
  }

  /** Books what grants found to be running low, in the background. */
  take(hints: readonly BudgetHint[]): void {
    for (const hint of hints) {
      const name = `${hint.bucket} ${hint.limit}`;
      if (this.#booking.has(name)) continue;
      const booking = this.#book(hint)
        .catch((error: unknown) => this.#report.failed('a budget could not be booked', error))
        .finally(() => this.#booking.delete(name));
      this.#booking.set(name, booking);
    }
  }

  /** Resolves when what was begun is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#booking.values());
  }

  /** Closes blocks that are empty, old, of a memory that is lost, or unknown to the ledger. */
  async tidy(): Promise<void> {
    const { epoch } = await this.#ledger.accounts([]);
    await this.#blocks.closeLost(epoch);
    const open = await this.#blocks.open(epoch);
    const buckets = [...new Set(open.map(({ bucket }) => bucket))];
    const accounts: BudgetAccount[] = [];
    for (let from = 0; from < buckets.length; from += BUCKETS_PER_CALL) {
      const some = new Set(buckets.slice(from, from + BUCKETS_PER_CALL));
      const found = await this.#ledger.accounts([...some]);
      if (found.epoch !== epoch) return;
      await this.#close(found.accounts);
      accounts.push(...found.accounts);
      const known = new Set(found.accounts.flatMap(({ open: blocks }) => blocks.map(({ id }) => id)));
      const lost = open.filter(
        ({ id, bucket, ageMs }) => some.has(bucket) && ageMs > LOST_AFTER_MS && !known.has(id),
      );
      // Those that were just closed are so already; a closed block is not closed again.
      await this.#blocks.close(lost.map(({ id }) => ({ id, left: 0 })));
    }
    this.onAccounts(accounts);
  }

  async usage(key: ApiKey): Promise<LimitUsage[]> {
    const { bucket, limits, network } = key.details;
    const taken = await this.#blocks.taken(bucket);
    const { accounts } = await this.#ledger.accounts([bucket]);
    await this.#close(accounts);
    return longLimitsOf(limits, rulesOf(network)?.methodsPerDay).map(({ name, calls }) => {
      const account = accounts.find(({ limit }) => limit === name);
      const unspent = [...(account?.open ?? []), ...(account?.closed ?? [])].reduce(
        (sum, { left }) => sum + left,
        0,
      );
      return {
        limit: name,
        calls,
        windowMs: spanOf(name),
        spent: Math.max(0, (taken.get(name) ?? 0) - unspent),
        callsInLastHour: account?.callsInLastHour ?? 0,
      };
    });
  }

  async #book({ bucket, limit, calls, need }: BudgetHint): Promise<void> {
    const { poolNow, epoch, accounts } = await this.#ledger.accounts([bucket]);
    await this.#close(accounts);
    const open = accounts.find((account) => account.limit === limit)?.open ?? [];
    const left = open.reduce((sum, block) => sum + block.left, 0);
    const half = (open.at(-1)?.size ?? 0) / 2;
    if (open.length > 0 && left >= need && left > half) return;
    const size = blockSize(calls, need - left);
    const known = open.map(({ id }) => id);
    const booked = await this.#blocks.book({ bucket, limit, calls, size, epoch, known, left });
    if (booked.kind === 'elsewhere') return;
    if (booked.kind === 'spent') {
      await this.#ledger.credit(bucket, limit, { spentForMs: booked.retryInMs });
      return;
    }
    const { id } = booked;
    const block = { id, size: booked.size };
    if (await this.#ledger.credit(bucket, limit, { block, before: poolNow + CREDIT_WITHIN_MS }))
      this.#onCredit();
  }

  async #close(accounts: readonly BudgetAccount[]): Promise<void> {
    const closed = accounts.flatMap((account) => account.closed);
    if (closed.length > 0) await this.#blocks.close(closed);
  }
}
