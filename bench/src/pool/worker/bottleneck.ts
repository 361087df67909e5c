import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { type Contender, lanesOf, OWN_LATENESS_MS } from './contender';
import { PlainCaller } from './plain-call';
import type { BenchKey, WorkerSettings } from './protocol';
import type { Tally } from './tally';

/**
 * Bottleneck in clustering mode as its README has it: a Group with one limiter a key, `minTime` for a limit per
 * second ("to execute 3 requests per second: minTime: 333"). Hand-tuned: the spacing is (W + J) / quota.
 */
export class BottleneckContender implements Contender {
  readonly #group: Bottleneck.Group;
  readonly #caller: PlainCaller;

  constructor(
    private readonly settings: WorkerSettings,
    private readonly tally: Tally,
    tuned: boolean,
  ) {
    const { hostname, port } = new URL(settings.redisUrl);
    const perSecond = settings.keys[0]?.perSecond ?? 1;
    const window = settings.windowMs + settings.jitterMs + OWN_LATENESS_MS;
    this.#group = new Bottleneck.Group({
      id: 'bench',
      minTime: tuned ? Math.ceil(window / perSecond) : Math.floor(settings.windowMs / perSecond),
      datastore: 'ioredis',
      Redis,
      clientOptions: { host: hostname, port: Number(port) },
    });
    this.#caller = new PlainCaller(settings, tally);
  }

  async open(): Promise<void> {
    await Promise.all(this.settings.keys.map((key) => this.#group.key(key.name).ready()));
  }

  async run(running: () => boolean): Promise<void> {
    const lanes = this.settings.keys.flatMap((key) =>
      Array.from({ length: lanesOf(key.perSecond, this.settings.workers) }, () => this.#lane(key, running)),
    );
    await Promise.all(lanes);
  }

  async close(): Promise<void> {
    await this.#group.disconnect(false);
    this.#caller.close();
  }

  async #lane(key: BenchKey, running: () => boolean): Promise<void> {
    const limiter = this.#group.key(key.name);
    while (running()) {
      const askedAt = performance.now();
      await limiter.schedule(async () => {
        if (!running()) return;
        this.tally.leased(performance.now() - askedAt);
        await this.#caller.call(key);
      });
    }
  }
}
