import type { Clock } from '@sociograph/kernel';
import { LeaseDesk } from '../application/acquire-lease';
import { SettleDesk } from '../application/settle-leases';
import { Alarm, type PoolEpochs, type QuotaLedger } from '../domain/ports';
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
  watch: LedgerWatch;
  /** The text that Redis executes. */
  lua: string;
  settleMs: number;
  prefix: string;
  /** Every key, for a memory that knows none. */
  teach: (ledger: QuotaLedger) => Promise<void>;
}

/** One key-service: the application's own desks over the real script; requests reach it without the frames around them. */
export class KeyServiceProcess {
  readonly desk: LeaseDesk;
  readonly settles: SettleDesk;
  readonly ledger: QuotaLedger;
  readonly connection: SimulatedConnection;
  readonly #real: RedisQuotaLedger;
  readonly #alarm: VirtualAlarm;
  alive = true;

  constructor(parts: ProcessParts) {
    const { world, server, epochs, watch, lua, settleMs, prefix } = parts;
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
  }

  start(): Promise<void> {
    return this.#real.start();
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
