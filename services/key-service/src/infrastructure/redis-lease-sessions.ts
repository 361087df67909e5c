import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LeaseSessions, type LeaseSession } from '../domain/lease-sessions';

export interface RedisLeaseSessionsOptions {
  redis: Redis;
  prefix: string;
  /** Seals what lies in Redis: its files must not open the tokens that travel over RabbitMQ. */
  key: () => Promise<Buffer>;
  ttlMs: number;
}

const MAX_HELD = 10_000;

/** Sessions in this process, and sealed in Redis for the other instances: a miss costs one read, once per instance. */
export class RedisLeaseSessions extends LeaseSessions {
  readonly #options: RedisLeaseSessionsOptions;
  readonly #held = new Map<string, LeaseSession>();

  constructor(options: RedisLeaseSessionsOptions) {
    super();
    this.#options = options;
  }

  async keep(session: LeaseSession): Promise<void> {
    const { redis, ttlMs } = this.#options;
    const { request, reply, seal } = session.keys;
    const keys = Buffer.concat([request, reply, seal]).toString('base64url');
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', await this.#options.key(), iv).setAAD(
      Buffer.from(session.id),
    );
    const text = Buffer.concat([cipher.update(JSON.stringify({ ...session, keys })), cipher.final()]);
    const sealed = Buffer.concat([iv, cipher.getAuthTag(), text]);
    await redis.set(this.#name(session.id), sealed, 'PX', ttlMs);
    this.#hold(session);
  }

  held(id: string): LeaseSession | undefined {
    return this.#held.get(id);
  }

  async find(id: string): Promise<LeaseSession | undefined> {
    const held = this.held(id);
    if (held !== undefined) return held;
    const sealed = await this.#options.redis.getBuffer(this.#name(id));
    if (sealed === null) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', await this.#options.key(), sealed.subarray(0, 12), {
      authTagLength: 16,
    });
    decipher.setAAD(Buffer.from(id)).setAuthTag(sealed.subarray(12, 28));
    const text = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
    const stored = JSON.parse(text) as Omit<LeaseSession, 'keys'> & { keys: string };
    const bytes = Buffer.from(stored.keys, 'base64url');
    const keys = {
      request: bytes.subarray(0, 32),
      reply: bytes.subarray(32, 64),
      seal: bytes.subarray(64, 96),
    };
    return this.#hold({ ...stored, keys });
  }

  async end(id: string): Promise<void> {
    this.#held.delete(id);
    await this.#options.redis.del(this.#name(id));
  }

  #name(id: string): string {
    return `${this.#options.prefix}session:${id}`;
  }

  #hold(session: LeaseSession): LeaseSession {
    this.#held.set(session.id, session);
    // Oldest first: a process that met ten thousand sessions reads the forgotten ones again.
    if (this.#held.size > MAX_HELD) this.#held.delete(this.#held.keys().next().value as string);
    return session;
  }
}
