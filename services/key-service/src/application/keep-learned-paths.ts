import { type LearnedPath, LearnedPaths } from '../domain/learned-path';
import { QuotaLedger } from '../domain/quota-ledger';

/**
 * Keeps what the pool learned of networks' paths where a loss of its memory does not reach it, and begins with that
 * when the memory is new. At most what was learned since the last `keep` is lost: it is measured again in a minute.
 */
export class PathKeeper {
  readonly #ledger: QuotaLedger;
  readonly #paths: LearnedPaths;
  readonly #networks: readonly string[];
  readonly #kept = new Map<string, number>();

  constructor(ledger: QuotaLedger, paths: LearnedPaths, networks: readonly string[]) {
    this.#ledger = ledger;
    this.#paths = paths;
    this.#networks = networks;
  }

  /** Gives a new memory what was kept. */
  async restore(): Promise<void> {
    for (const network of this.#networks) {
      const path = await this.#paths.get(network);
      if (path !== undefined) await this.#ledger.restorePath(network, path);
    }
  }

  /** Writes down what changed since the last time. */
  async keep(): Promise<void> {
    for (const network of this.#networks) {
      const path = await this.#ledger.learnedPath(network);
      if (path === undefined || path.samples === 0 || path.learnedAt === this.#kept.get(network)) continue;
      await this.#paths.save(network, path);
      this.#kept.set(network, path.learnedAt);
    }
  }

  /** What is in force, by network; a network of which nothing was learned is not among them. */
  async all(): Promise<{ network: string; path: LearnedPath }[]> {
    const known: { network: string; path: LearnedPath }[] = [];
    for (const network of this.#networks) {
      const path = await this.#ledger.learnedPath(network);
      if (path !== undefined) known.push({ network, path });
    }
    return known;
  }

  /** Begins with the declared margin again, here and after every loss. False: no such network. */
  async reset(network: string): Promise<boolean> {
    if (!this.#networks.includes(network)) return false;
    await this.#paths.remove(network);
    await this.#ledger.forgetPath(network);
    this.#kept.delete(network);
    return true;
  }
}
