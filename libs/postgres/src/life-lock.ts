import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

const AGAIN_MS = 500;

/**
 * An advisory lock on a connection of its own, held for as long as this process lives: the server gives it free within
 * moments of the process' death, and keeps it while the process is only slow or frozen. By it others tell the two apart.
 * It costs one connection beside the pool's. A process that is cut off from the server keeps its number: the lock is
 * taken again at once, and tried for until the server is back.
 */
export class LifeLock {
  /** The lock's key, a random int8 as text: equal for no two processes. */
  readonly number = randomBytes(8).readBigInt64BE().toString();
  readonly #newClient: () => Client;
  readonly #onLost: (error: Error) => void;
  #held: Promise<Client> | undefined;
  #ended = false;

  constructor(newClient: () => Client, onLost: (error: Error) => void) {
    this.#newClient = newClient;
    this.#onLost = onLost;
  }

  /** Resolves when the lock is held; at once where it is already. Throws pg's error where the server is away. */
  async hold(): Promise<void> {
    this.#held ??= this.#take();
    await this.#held;
  }

  async end(): Promise<void> {
    this.#ended = true;
    const client = await this.#held?.catch(() => undefined);
    await client?.end();
  }

  async #take(): Promise<Client> {
    const client = this.#newClient();
    let taken = false;
    let over = false;
    const lost = (error: Error): void => {
      if (over || this.#ended) return;
      over = true;
      this.#held = undefined;
      this.#onLost(error);
      if (taken) this.#takeAgain();
    };
    client.on('error', lost);
    client.on('end', () => lost(new Error('the connection ended')));
    try {
      await client.connect();
      await client.query('SELECT pg_advisory_lock($1::bigint)', [this.number]);
      taken = true;
    } catch (error) {
      if (!over) this.#held = undefined;
      over = true;
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  /** Not with the next `hold` only: until then this process would pass for dead. */
  #takeAgain(): void {
    if (this.#ended) return;
    this.hold().catch(() => setTimeout(() => this.#takeAgain(), AGAIN_MS).unref());
  }
}
