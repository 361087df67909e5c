import { AsyncResource } from 'node:async_hooks';
import { isDomainError } from '@sociograph/kernel';
import type { EventBatch } from '@sociograph/messaging';
import type { Turnstile } from './turnstile';

/** Records of the batches that are done together, unless the first of them has more: all are in memory at once. */
const MOST_RECORDS = 2_000;

interface Waiting {
  batch: EventBatch;
  /** Trace and correlation of the batch, which the work goes on in whoever calls it. */
  scope: AsyncResource;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Does batches that wait at the same time together, in the order in which they came. One of them waits at the turnstile for
 * all. A failure that is not a server's is looked for batch by batch, so that one poisonous record spoils its own partition
 * alone; the work must bear being done again.
 */
export class Gathering {
  #waiting: Waiting[] = [];
  #isLed = false;

  constructor(
    private readonly turnstile: Turnstile,
    private readonly work: (batches: readonly EventBatch[]) => Promise<void>,
  ) {}

  /** Resolves when the batch is done, alone or with others. */
  join(batch: EventBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, scope: new AsyncResource('batch'), resolve, reject });
      this.#lead();
    });
  }

  #lead(): void {
    const [first] = this.#waiting;
    if (this.#isLed || first === undefined) return;
    this.#isLed = true;
    const enter = async (): Promise<void> => {
      // The other partitions of the same fetch join in this turn of the loop.
      await new Promise((resolve) => setImmediate(resolve));
      const group = this.#take();
      this.#isLed = false;
      this.#lead();
      await this.#settle(group);
    };
    const pass = (): Promise<void> => this.turnstile.pass(enter, first.batch.heartbeat);
    first.scope.runInAsyncScope(pass).catch((error: unknown) => {
      this.#waiting = this.#waiting.filter((waiting) => waiting !== first);
      first.reject(error);
      this.#isLed = false;
      this.#lead();
    });
  }

  #take(): Waiting[] {
    let records = 0;
    const beyond = this.#waiting.findIndex(({ batch }, at) => {
      records += batch.records.length;
      return at > 0 && records > MOST_RECORDS;
    });
    return this.#waiting.splice(0, beyond === -1 ? this.#waiting.length : beyond);
  }

  /** Never throws: each batch hears of its own end. */
  async #settle(group: readonly Waiting[]): Promise<void> {
    try {
      await this.work(group.map(({ batch }) => batch));
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length === 1 || isAway(error)) for (const { reject } of group) reject(error);
      else for (const one of group) await this.#alone(one);
    }
  }

  async #alone(one: Waiting): Promise<void> {
    try {
      // Says at once when the partitions are another member's by now.
      await one.batch.heartbeat();
      await this.work([one.batch]);
      one.resolve();
    } catch (error) {
      one.reject(error);
    }
  }
}

/** Then each batch is tried again as a whole anyway. */
function isAway(error: unknown): boolean {
  return isDomainError(error) && error.kind === 'unavailable';
}
