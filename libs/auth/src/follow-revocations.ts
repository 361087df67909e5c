import type { Clock } from '@sociograph/kernel';
import type { Logger } from '@sociograph/observability';
import type { HostContext } from '@sociograph/service-host';
import { Redis } from 'ioredis';
import { readRevocations, REVOCATIONS_KEPT_MS, type Revocation } from './revocation-log';
import { NoRevocations, Revocations } from './revocations';

const POLL_MS = 1_000;
const AT_A_TIME = 1_000;
/** A process that has just started waits so long for what was revoked before it, then answers without. */
const FIRST_READ_MS = 2_000;

export interface FollowedRevocationsOptions {
  read(place: string, most: number): Promise<{ revocations: Revocation[]; place: string }>;
  clock: Clock;
  logger: Pick<Logger, 'warn' | 'info'>;
}

/**
 * Revocations as redis-pool tells of them, read once a second and answered from memory. While Redis is away what was
 * read before holds; what is revoked meanwhile holds as soon as it is back, or with the token's expiry (5 min).
 */
export class FollowedRevocations extends Revocations {
  readonly #earliest = new Map<string, { iat: number; at: number; notedAt: number }>();
  readonly #first: Promise<void>;
  #onFirst: () => void = () => undefined;
  #waitedEnough = false;
  #place = '0';
  #away = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: FollowedRevocationsOptions) {
    super();
    this.#first = new Promise((resolve) => (this.#onFirst = resolve));
  }

  start(): void {
    const next = (): void => {
      this.#timer = setTimeout(() => void this.poll().finally(() => this.#timer && next()), POLL_MS).unref();
    };
    this.#timer = setTimeout(() => undefined, 0).unref();
    void this.poll().finally(() => this.#timer && next());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Reads what is new; a Redis that is away is logged once. */
  async poll(): Promise<void> {
    try {
      for (;;) {
        const { revocations, place } = await this.options.read(this.#place, AT_A_TIME);
        for (const revocation of revocations) this.#note(revocation);
        this.#place = place;
        if (revocations.length < AT_A_TIME) break;
      }
      if (this.#away) this.options.logger.info({}, 'revocations are read again');
      this.#away = false;
      this.#forgetOld();
      this.#onFirst();
    } catch (error) {
      if (!this.#away) this.options.logger.warn({ err: String(error) }, 'revocations cannot be read');
      this.#away = true;
      // What comes back may have lost its memory, or be another server: all of it is read again.
      this.#place = '0';
    }
  }

  override async earliestAcceptedIat(subject: string): Promise<number | undefined> {
    if (!this.#waitedEnough) {
      await Promise.race([this.#first, waited(FIRST_READ_MS)]);
      this.#waitedEnough = true;
    }
    return this.#earliest.get(subject)?.iat;
  }

  /**
   * The newest decision holds, also where it is lower: a subject is shut out first, and let in again with new roles. An
   * older one that comes later (a Redis that is filled again) says nothing.
   */
  #note({ subject, earliestIat, at }: Revocation): void {
    const known = this.#earliest.get(subject);
    if (known !== undefined && known.at > at) return;
    this.#earliest.delete(subject);
    this.#earliest.set(subject, { iat: earliestIat, at, notedAt: this.options.clock.nowMs() });
  }

  #forgetOld(): void {
    const before = this.options.clock.nowMs() - REVOCATIONS_KEPT_MS;
    for (const [subject, { notedAt }] of this.#earliest) {
      if (notedAt >= before) break;
      this.#earliest.delete(subject);
    }
  }
}

/** What a service gives to AuthModule. Without an address (a spec, a laptop) nothing is revoked before its expiry. */
export function followRevocations(url: string | undefined, ctx: HostContext): Revocations {
  if (url === undefined) return new NoRevocations();
  const redis = openPoolRedis(url, ctx, 'revocations');
  const followed = new FollowedRevocations({
    read: (place, most) => readRevocations(redis, place, most),
    clock: ctx.clock,
    logger: ctx.logger,
  });
  followed.start();
  ctx.shutdown.add('close', 'revocations', async () => followed.stop());
  return followed;
}

/** A connection for small questions now and then; it ends with the service. */
export function openPoolRedis(url: string, ctx: HostContext, name: string): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    enableOfflineQueue: true,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  });
  // The command that fails says so; without a listener an idle connection that breaks would be printed.
  redis.on('error', () => undefined);
  ctx.shutdown.add('close', `redis-pool (${name})`, async () => redis.disconnect());
  return redis;
}

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
