import { Queue, Worker } from 'bullmq';
import { type Contender, lanesOf, OWN_LATENESS_MS } from './contender';
import { PlainCaller } from './plain-call';
import type { BenchKey, WorkerSettings } from './protocol';
import type { Tally } from './tally';

/** A tenth more jobs than the quota allows in the time: the queues never run dry. */
const SPARE = 1.1;

/**
 * BullMQ with its workers' `limiter`, which holds for a queue over all workers; groups are not part of the free
 * edition, so each key has a queue of its own. Hand-tuned: `duration` is W + J.
 */
export class BullMqContender implements Contender {
  readonly #queues: Queue[];
  readonly #workers: Worker[];
  readonly #caller: PlainCaller;
  #running: () => boolean = () => false;

  constructor(
    private readonly settings: WorkerSettings,
    private readonly tally: Tally,
    tuned: boolean,
  ) {
    const { hostname, port } = new URL(settings.redisUrl);
    const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
    const window = settings.windowMs + settings.jitterMs + OWN_LATENESS_MS;
    this.#queues = settings.keys.map((key) => new Queue(queueOf(key), { connection }));
    this.#workers = settings.keys.map(
      (key) =>
        new Worker(queueOf(key), () => this.#job(key), {
          connection,
          autorun: false,
          concurrency: lanesOf(key.perSecond, settings.workers),
          limiter: { max: key.perSecond, duration: tuned ? Math.ceil(window) : settings.windowMs },
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
        }),
    );
    this.#caller = new PlainCaller(settings, tally);
  }

  async open(): Promise<void> {
    const { settings } = this;
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
    for (const [index, queue] of this.#queues.entries()) {
      const perSecond = settings.keys[index]?.perSecond ?? 1;
      const jobs = Math.ceil((perSecond * settings.longestMs * SPARE) / 1000 / settings.workers);
      await queue.addBulk(Array.from({ length: jobs }, () => ({ name: 'call', data: {} })));
    }
  }

  async run(running: () => boolean): Promise<void> {
    this.#running = running;
    for (const worker of this.#workers) void worker.run();
    while (running()) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#workers.map((worker) => worker.close(true)));
    await Promise.allSettled(this.#queues.map((queue) => queue.close()));
    this.#caller.close();
  }

  async #job(key: BenchKey): Promise<void> {
    if (!this.#running()) return;
    this.tally.leased();
    await this.#caller.call(key);
  }
}

function queueOf(key: BenchKey): string {
  return `bench-${key.name}`;
}
