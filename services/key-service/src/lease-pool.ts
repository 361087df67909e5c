import { EXCHANGES, LEASE_QUEUE } from '@sociograph/contracts';
import { isDomainError, SystemRandomness } from '@sociograph/kernel';
import { createKafka, EventPublisher, Fanout, OutboxRelay, RpcServer } from '@sociograph/messaging';
import { Postgres } from '@sociograph/postgres';
import type { HostContext } from '@sociograph/service-host';
import { LeaseDesk } from './application/acquire-lease';
import { KeyKeeper } from './application/change-key-state';
import { type Differing, KeyRing } from './application/key-ring';
import { SettleDesk } from './application/settle-leases';
import { type KeyServiceConfig, readTrusted } from './config';
import { rulesOf, withTiming } from './domain/networks';
import type { ApiKeys, KeyEvent, Kms } from './domain/ports';
import { AwsKms } from './infrastructure/aws-kms';
import { EnvelopeVault } from './infrastructure/envelope-vault';
import { LocalKms } from './infrastructure/local-kms';
import { OutboxAuditTrail } from './infrastructure/outbox-audit-trail';
import { PoolMemory } from './infrastructure/pool-memory';
import {
  PostgresDataKeys,
  PostgresKeyCatalogue,
  PostgresPoolEpochs,
} from './infrastructure/postgres-pool-store';
import { RabbitKeyStateBroadcast } from './infrastructure/rabbit-key-state-broadcast';
import { connectPoolRedis, type PoolRedis } from './infrastructure/redis-connection';
import { RedisLeaseSessions } from './infrastructure/redis-lease-sessions';
import { RedisQuotaLedger } from './infrastructure/redis-quota-ledger';
import { TimerAlarm } from './infrastructure/timer-alarm';
import { keyServiceMetrics } from './metrics';
import { type Caller, LeaseRpc } from './presentation/lease-rpc';

const PREFIX = 'pool:';
const TICK_MS = 2_000;
const SESSION_MS = 3_600_000;
const WINDOW_MS = 1_000;
/** How far Redis' clock may be off before that counts as a loss. */
const TOLERANCE_MS = 250;

/** The leasing side, wired: everything that is not REST. */
export class LeasePool {
  readonly vault: EnvelopeVault;
  readonly keeper: KeyKeeper;
  readonly #ctx: HostContext;
  readonly #redis: PoolRedis;
  readonly #worker: Postgres;
  readonly #ledger: RedisQuotaLedger;
  readonly #ring: KeyRing;
  readonly #desk: LeaseDesk;
  readonly #rpc: LeaseRpc;
  readonly #server: { start(): void; close(): Promise<void> };
  readonly #fanout: Fanout;
  readonly #publisher: EventPublisher;
  readonly #relay: OutboxRelay;
  readonly #audit: OutboxAuditTrail;
  readonly #metrics: ReturnType<typeof keyServiceMetrics>;
  /** Keys that answers made invalid and whose row does not know it yet, by id. */
  readonly #invalid = new Map<string, { reason: string; service: string }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(config: KeyServiceConfig, ctx: HostContext, keys: ApiKeys) {
    const { logger, clock, ids } = ctx;
    this.#ctx = ctx;
    this.#metrics = keyServiceMetrics(ctx.metrics);
    this.#redis = connectPoolRedis(config.REDIS_POOL_URL, logger);
    this.#worker = new Postgres({
      url: config.DATABASE_URL_WORKER,
      max: 5,
      logger,
      applicationName: 'key-service worker',
    });
    this.vault = new EnvelopeVault({
      kms: kmsOf(config),
      dataKeys: new PostgresDataKeys(this.#worker),
      clock,
      ids,
    });
    const chance = new SystemRandomness();
    this.#ledger = new RedisQuotaLedger({
      redis: this.#redis,
      memory: new PoolMemory({
        redis: this.#redis,
        epochs: new PostgresPoolEpochs(this.#worker),
        prefix: PREFIX,
        // Horizon and one window are the same length.
        settleMs: 2 * WINDOW_MS + TOLERANCE_MS + config.POOL_MARGIN_MS,
      }),
      clock,
      logger,
      prefix: PREFIX,
      chance: () => chance.next(),
      onMemory: () => this.#onMemory(),
    });
    this.#ring = new KeyRing(new PostgresKeyCatalogue(this.#worker), this.#ledger, this.vault);
    this.#desk = new LeaseDesk(this.#ledger, new TimerAlarm(), {
      perImport: config.POOL_LINE_PER_IMPORT,
      perWorkspace: config.POOL_LINE_PER_WORKSPACE,
    });
    this.#fanout = new Fanout({ url: config.RABBITMQ_URL, logger });
    this.keeper = new KeyKeeper(keys, new RabbitKeyStateBroadcast(this.#fanout), clock, () => this.refresh());
    this.#audit = new OutboxAuditTrail(this.#worker, clock, ids, logger);
    const settings = { username: config.KAFKA_USERNAME, password: config.KAFKA_PASSWORD };
    const kafka = createKafka({
      brokers: config.KAFKA_BROKERS,
      ...settings,
      clientId: 'key-service',
      logger,
    });
    this.#publisher = new EventPublisher({ kafka, source: 'key-service' });
    this.#relay = new OutboxRelay({
      postgres: this.#worker,
      kafka: this.#publisher,
      logger,
      metrics: ctx.metrics,
    });
    this.#rpc = this.#protocol(config);
    this.#server = rpcServer(config.RABBITMQ_URL, ctx, (request, caller) => this.#handle(request, caller));
  }

  /** Starts everything that works for itself; servers that are away are waited for in the background. */
  start(): void {
    const { health, shutdown, logger } = this.#ctx;
    health.check('redis-pool', () => this.#redis.ping().then(() => 'up' as const));
    health.check('postgres', () => this.#worker.query('SELECT 1').then(() => 'up' as const));
    this.#relay.start();
    void this.#begin().catch((err: unknown) => logger.error({ err }, 'the pool could not begin'));
    this.#server.start();
    void this.#fanout
      .subscribeFanout(EXCHANGES.keyState, () => void this.refresh().catch(() => undefined), 600_000)
      .catch((err: unknown) =>
        logger.warn({ err }, 'changes of other instances are heard of by polling only'),
      );
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    shutdown.add('stop-taking', 'lease requests', () => {
      clearInterval(this.#timer);
      this.#desk.dismiss();
    });
    shutdown.add('finish', 'lease requests', () => this.#server.close());
    shutdown.add('flush', 'audit trail', () => this.#audit.flush());
    shutdown.add('flush', 'outbox', async () => {
      await this.#relay.stop();
      await this.#publisher.close();
    });
    shutdown.add('close', 'servers', async () => {
      this.#redis.disconnect();
      await Promise.allSettled([this.#fanout.close(), this.#worker.end()]);
    });
  }

  async #begin(): Promise<void> {
    await this.#ledger.start();
    await this.refresh();
  }

  /** Follows the catalogue; whoever waits may now have a key. */
  async refresh(): Promise<void> {
    this.#takeDiffering(await this.#ring.refresh());
    await this.#desk.slotsFreed();
  }

  async #onMemory(): Promise<void> {
    this.#takeDiffering(await this.#ring.defineAll());
  }

  async #tick(): Promise<void> {
    const { logger } = this.#ctx;
    const failed = (what: string) => (err: unknown) => logger.warn({ err }, what);
    await this.refresh().catch(failed('the keys could not be read again'));
    await this.#writeInvalid().catch(failed('the state of a key could not be written'));
    await this.#audit.flush().catch(failed('the audit trail could not be written'));
    this.vault.sweep();
    this.#metrics.keys.reset();
    for (const [state, count] of this.#ring.countByState()) this.#metrics.keys.set({ state }, count);
  }

  /** The ledger knows better than the row: the process ended before it was written. */
  #takeDiffering(differing: Differing[]): void {
    for (const { key, state } of differing) {
      if (state === 'invalid' && key.state === 'active') {
        this.#invalid.set(key.id, { reason: 'token-refused', service: 'key-service' });
      }
    }
  }

  #onKeyEvents(events: KeyEvent[], service: string): void {
    for (const event of events) {
      this.#metrics.keyEvents.inc({ kind: event.kind, code: String(event.code) });
      this.#ctx.logger.info({ ...event }, 'an answer changed what the pool knows of a key');
      if (event.kind !== 'invalid') continue;
      this.#invalid.set(event.keyId, { reason: event.reason ?? 'token-refused', service });
    }
    if (this.#invalid.size > 0) void this.#writeInvalid().catch(() => undefined);
  }

  async #writeInvalid(): Promise<void> {
    for (const [keyId, { reason, service }] of this.#invalid) {
      const key = this.#ring.key(keyId);
      if (key !== undefined) {
        await this.keeper
          .invalidate(key.details.workspaceId, keyId, reason, service)
          .catch((error: unknown) => {
            // Deleted meanwhile: there is nothing left to write.
            if (!(isDomainError(error) && error.kind === 'not-found')) throw error;
          });
      }
      this.#invalid.delete(keyId);
    }
  }

  async #handle(request: Buffer, caller: Caller): Promise<Buffer> {
    const stop = this.#metrics.leaseSeconds.startTimer();
    const reply = await this.#rpc.handle(request, caller);
    stop(labelsOf(request, reply));
    this.#metrics.waiting.set(this.#desk.waiting);
    return reply;
  }

  #protocol(config: KeyServiceConfig): LeaseRpc {
    const { clock, ids } = this.#ctx;
    // One object per network: settles are grouped by it.
    const rules = new Map<string, ReturnType<typeof withTiming> | undefined>();
    return new LeaseRpc({
      sessions: new RedisLeaseSessions({
        redis: this.#redis,
        prefix: PREFIX,
        key: () => this.vault.fleetKey('sessions'),
        ttlMs: SESSION_MS,
      }),
      desk: this.#desk,
      settles: new SettleDesk(this.#ledger, (network, result) =>
        this.#metrics.calls.inc({ network, result }),
      ),
      ring: this.#ring,
      ledger: this.#ledger,
      audit: this.#audit,
      clock,
      ids,
      trusted: readTrusted(config.LEASE_TRUSTED_FILE),
      accountOf: accountsOf(config),
      rulesOf: (network) => {
        if (!rules.has(network)) {
          const declared = rulesOf(network);
          if (declared === undefined) return undefined;
          rules.set(
            network,
            withTiming(declared, { marginMs: config.POOL_MARGIN_MS, slackMs: config.POOL_SLACK_MS }),
          );
        }
        return rules.get(network);
      },
      onKeyEvents: (events, service) => this.#onKeyEvents(events, service),
      onRefused: (reason) => this.#metrics.refused.inc({ reason }),
    });
  }
}

function kmsOf(config: KeyServiceConfig): Kms {
  if (config.KMS_PROVIDER === 'local') {
    if (config.KMS_MASTER_KEY_FILE === undefined)
      throw new Error('KMS_MASTER_KEY_FILE is missing (KMS_PROVIDER=local).');
    return new LocalKms(config.KMS_MASTER_KEY_FILE);
  }
  if (config.KMS_KEY_ID === undefined) throw new Error('KMS_KEY_ID is missing (KMS_PROVIDER=aws).');
  return new AwsKms({ keyId: config.KMS_KEY_ID, region: config.AWS_REGION });
}

/** Each service has its account, named like it; on a broker that the user brought one account serves all. */
function accountsOf(config: KeyServiceConfig): (service: string) => string {
  const own = decodeURIComponent(new URL(config.RABBITMQ_URL).username);
  return (service) => (own === config.SERVICE_NAME ? service : own);
}

/** RpcServer consumes from the moment it is made; it is made when requests may come. */
function rpcServer(
  url: string,
  ctx: HostContext,
  handle: (request: Buffer, caller: Caller) => Promise<Buffer>,
): { start(): void; close(): Promise<void> } {
  let server: RpcServer | undefined;
  return {
    start: () => {
      server = new RpcServer({ url, queue: LEASE_QUEUE, logger: ctx.logger, handle });
    },
    close: async () => server?.close(),
  };
}

/** Bounded labels out of the first bytes: frames and replies begin with their kind. */
function labelsOf(request: Buffer, reply: Buffer): { kind: string; outcome: string } {
  const kind = /^\{"kind":"([a-z]{1,10})"/.exec(request.toString('latin1', 0, 24))?.[1] ?? 'malformed';
  const head = reply.toString('latin1', 0, 160);
  const outcome = /denied|granted|refused/.exec(head)?.[0] ?? 'answered';
  return { kind: KINDS.has(kind) ? kind : 'malformed', outcome };
}

const KINDS = new Set(['hello', 'lease', 'settle', 'capacity', 'bye']);
