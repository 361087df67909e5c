import type { Clock } from '@sociograph/kernel';
import { LeaseDesk } from '../application/acquire-lease';
import { BudgetKeeper } from '../application/book-budgets';
import { SettleDesk } from '../application/settle-leases';
import type { BudgetBlocks } from '../domain/budget-blocks';
import { Alarm, type PoolEpochs } from '../domain/ports';
import type { QuotaLedger } from '../domain/quota-ledger';
import { PoolMemory } from '../infrastructure/pool-memory';
import { RedisQuotaLedger, type RedisQuotaLedgerOptions } from '../infrastructure/redis-quota-ledger';
import { SimulatedConnection, type SimulatedServer } from './simulated-redis';
import { SkewedClock } from './skewed-clock';
import type { LedgerWatch } from './watched-ledger';
import type { World } from './world';

export interface ProcessParts {
  world: World;
  server: SimulatedServer;
  epochs: PoolEpochs;
  /** Undefined: no key has a budget. */
  blocks: BudgetBlocks | undefined;
  watch: LedgerWatch;
  /** The text that Redis executes. */
  lua: string;
  settleMs: number;
  prefix: string;
  /** Every key, for a memory that knows none. */
  teach: (ledger: QuotaLedger) => Promise<void>;
}

const TIDY_EVERY = 5_000_000;
const TIDY_SELDOM = 1_800_000_000;

/** One key-service: the application's own desks over the real script; requests reach it without the frames around them. */
export class KeyServiceProcess {
  readonly desk: LeaseDesk;
  readonly settles: SettleDesk;
  readonly ledger: QuotaLedger;
  readonly connection: SimulatedConnection;
  readonly #budgets: BudgetKeeper | undefined;
  readonly #world: World;
  readonly #watch: LedgerWatch;
  readonly #real: RedisQuotaLedger;
  readonly #alarm: VirtualAlarm;
  alive = true;

  constructor(parts: ProcessParts) {
    const { world, server, epochs, blocks, watch, lua, settleMs, prefix } = parts;
    this.#world = world;
    this.#watch = watch;
    const { chance, time } = world;
    const clock: Clock = new SkewedClock(time, {
      wallAheadMs: chance.between(-1000, 1000),
      // Small: nobody asks it for hours at the end of a run.
      drift: chance.between(-0.02, 0.02),
      upForMs: chance.between(1e4, 1e8),
    });
    this.connection = new SimulatedConnection(world, server);
    const redis = this.connection as unknown as RedisQuotaLedgerOptions['redis'];
    this.#real = new RedisQuotaLedger({
      redis,
      memory: new PoolMemory({ redis, epochs, prefix, settleMs, lua }),
      clock,
      logger: {
        info: (fields, sentence) => world.note(sentence, JSON.stringify(fields)),
        warn: (fields, sentence) => world.note(sentence, JSON.stringify(fields)),
      },
      prefix,
      chance: () => chance.next(),
      onMemory: () => parts.teach(this.ledger),
      onBudgetsLow: (hints) => this.#budgets?.take(hints),
      virtualTime: () => [0, 0],
      sleep: (ms) =>
        new Promise((resolve) =>
          time.after(ms * 1000, () => {
            resolve();
            time.woke();
          }),
        ),
    });
    this.ledger = watch.around(this.#real);
    this.#alarm = new VirtualAlarm(world);
    this.desk = new LeaseDesk(this.ledger, this.#alarm, { perImport: 200, perWorkspace: 1000 });
    this.settles = new SettleDesk(this.ledger, () => undefined);
    if (blocks !== undefined) {
      const report = { failed: (sentence: string, error: unknown) => world.note(sentence, String(error)) };
      this.#budgets = new BudgetKeeper(this.ledger, blocks, report, () => void this.desk.slotsFreed());
    }
  }

  async start(): Promise<void> {
    await this.#real.start();
    if (this.#budgets !== undefined) this.#tidySoon();
  }

  /** Closes blocks of budgets that are over: what its chores do all the time. */
  async tidy(): Promise<void> {
    await this.#budgets?.tidy().catch((error: unknown) => this.#world.note('not tidied', String(error)));
  }

  /** Until the surroundings are calm: then days pass. Seldom while nothing is granted: hours may pass, too. */
  #tidySoon(inMicros = TIDY_EVERY): void {
    const { time } = this.#world;
    const { grants } = this.#watch;
    time.after(inMicros, () => {
      if (!this.alive || this.#world.calm) return;
      time.woke();
      void this.tidy();
      this.#tidySoon(grants === this.#watch.grants ? Math.min(2 * inMicros, TIDY_SELDOM) : TIDY_EVERY);
    });
  }

  /** kill -9: nobody is answered any more. */
  kill(): void {
    this.alive = false;
    this.#alarm.clear();
    this.connection.close();
  }
}

class VirtualAlarm extends Alarm {
  #set = 0;

  constructor(private readonly world: World) {
    super();
  }

  set(inMs: number, ring: () => void): void {
    this.#set += 1;
    const mine = this.#set;
    // As timers of Node do: what is no number rings in a millisecond.
    this.world.time.after(Math.max(1, Number.isNaN(inMs) ? 1 : inMs) * 1000, () => {
      if (mine !== this.#set) return;
      ring();
      this.world.time.woke();
    });
  }

  clear(): void {
    this.#set += 1;
  }
}
