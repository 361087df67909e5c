import { Redis } from 'ioredis';
import { callsQueue } from '../fleet/dead-letters';
import type { DrillStand } from '../fleet/drill-stand';
import { pause } from '../fleet/endless-imports';
import { needed } from '../fleet/servers';
import type { Series } from './growth';
import { descriptorsOf, fleetOf } from './memory-readings';

const EVERY_MS = 5_000;
/** What is under way at a look: sockets of requests, calls in the queue, rows not relayed yet, leases of some seconds. */
const SLACK = { descriptors: 8, queue: 60, outbox: 200, keys: 60 };
const WITH_OUTBOX = ['key-service-0', 'parser-service-0', 'identity-service-0'];

/** Looks every few seconds at what must not grow: descriptors, the queue of calls, outboxes, keys in both Redis. */
export class FlatFigures {
  readonly #values = new Map<string, { slack: number; values: number[] }>();
  #running = true;
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly stand: DrillStand) {}

  start(): this {
    this.#loop = this.#run();
    return this;
  }

  async stop(): Promise<Series[]> {
    this.#running = false;
    await this.#loop;
    return [...this.#values].map(([name, { slack, values }]) => ({ name, slack, values }));
  }

  async #run(): Promise<void> {
    const redis = ['POOL', 'CACHE'].map((which): [string, Redis] => [
      `keys in redis-${which.toLowerCase()}`,
      new Redis(needed(this.stand.env, `ADMIN_REDIS_${which}_URL`)),
    ]);
    try {
      while (this.#running) {
        for (const { name, pid } of fleetOf(this.stand))
          this.#note(`descriptors of ${name}`, SLACK.descriptors, descriptorsOf(pid));
        const queue = await callsQueue(this.stand.env).catch(() => undefined);
        if (queue !== undefined) this.#note('messages in the queue of calls', SLACK.queue, queue.messages);
        for (const name of WITH_OUTBOX) {
          const rows = await this.stand.metric(name, 'outbox_rows');
          if (rows !== undefined) this.#note(`rows in the outbox of ${name}`, SLACK.outbox, rows);
        }
        for (const [name, client] of redis) this.#note(name, SLACK.keys, await client.dbsize());
        await pause(EVERY_MS);
      }
    } finally {
      for (const [, client] of redis) client.disconnect();
    }
  }

  #note(name: string, slack: number, value: number): void {
    const known = this.#values.get(name) ?? { slack, values: [] };
    known.values.push(value);
    this.#values.set(name, known);
  }
}
