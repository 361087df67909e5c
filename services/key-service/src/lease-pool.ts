import { EXCHANGES, LEASE_QUEUE } from '@sociograph/contracts';
import { SystemRandomness } from '@sociograph/kernel';
import { createKafka, EventPublisher, Fanout, OutboxRelay, RpcServer } from '@sociograph/messaging';
import { Postgres, reportConnections } from '@sociograph/postgres';
import type { HostContext } from '@sociograph/service-host';
import { LeaseDesk } from './application/acquire-lease';
import { BudgetKeeper } from './application/book-budgets';
import { KeyKeeper } from './application/change-key-state';
import { FinishReplacements } from './application/finish-replacements';
import { CatalogueFollower } from './application/follow-catalogue';
import { PathKeeper } from './application/keep-learned-paths';
import { RestKeeper } from './application/keep-rests';
import { KeyRing } from './application/key-ring';
import { PoolChores } from './application/pool-chores';
import { RefreshTokens } from './application/refresh-tokens';
import { PoolMeasurer } from './application/measure-pool';
import { UseRecorder } from './application/record-uses';
import { SettleDesk } from './application/settle-leases';
import { KeyEventDesk } from './application/take-key-events';
import { LeaseWatch } from './application/watch-leases';
import { InvalidKeys } from './application/write-invalid-keys';
import { type KeyServiceConfig, readTrusted, timingOf } from './config';
import { NETWORK_NAMES, rulesWith } from './domain/networks';
import type { ApiKeys } from './domain/api-keys';
import { chooseKms } from './infrastructure/choose-kms';
import { EnvelopeVault } from './infrastructure/envelope-vault';
import { OutboxAuditTrail } from './infrastructure/outbox-audit-trail';
import { PostgresBudgetBlocks } from './infrastructure/pg-budgets';
import { OutboxOwnerNotices } from './infrastructure/outbox-owner-notices';
import { PgKeyRests } from './infrastructure/pg-key-rests';
import { PgKeyUses } from './infrastructure/pg-key-uses';
import { PgLearnedPaths } from './infrastructure/pg-learned-paths';
import { PgTokenPairs } from './infrastructure/pg-token-pairs';
import { PoolMemory } from './infrastructure/pool-memory';
import {
  PostgresDataKeys,
  PostgresKeyCatalogue,
  PostgresPoolEpochs,
} from './infrastructure/postgres-pool-store';
import { BoundedKeyLabel, PrometheusPoolFigures } from './infrastructure/prometheus-pool-figures';
import { PrometheusPoolReport } from './infrastructure/prometheus-pool-report';
import { RabbitKeyStateBroadcast } from './infrastructure/rabbit-key-state-broadcast';
import { connectPoolRedis, forgetfulness } from './infrastructure/redis-connection';
import { RedisLeaseSessions } from './infrastructure/redis-lease-sessions';
import { RedisQuotaLedger } from './infrastructure/redis-quota-ledger';
import { TimerAlarm } from './infrastructure/timer-alarm';
import { VkTokenRefresher } from './infrastructure/vk-token-refresher';
import { keyServiceMetrics } from './metrics';
import { LeaseRpc } from './presentation/lease-rpc';
import { MeasuredLeaseRpc } from './presentation/measured-lease-rpc';

const PREFIX = 'pool:';
const CHORES_MS = 2_000;
const USES_MS = 500;
const SESSION_MS = 3_600_000;
const WINDOW_MS = 1_000;
/** How far Redis' clock may be off before that counts as a loss. */
const TOLERANCE_MS = 250;

export type LeasePool = ReturnType<typeof wireLeasePool>;

/** The leasing side as a list: everything that is not REST. Behaviour lives in the layers, nothing starts here. */
export function wireLeasePool(config: KeyServiceConfig, ctx: HostContext, keys: ApiKeys) {
  const { logger, clock, ids } = ctx;
  const metrics = keyServiceMetrics(ctx.metrics, () => desk.waiting);
  const keyLabel = new BoundedKeyLabel(config.POOL_METRIC_KEYS);
  const report = new PrometheusPoolReport(metrics, logger, keyLabel);
  const chance = new SystemRandomness();

  const rules = rulesWith(timingOf(config));

  // Servers
  const redis = connectPoolRedis(config.REDIS_POOL_URL, logger);
  const worker = new Postgres({
    url: config.DATABASE_URL_WORKER,
    max: 5,
    logger,
    applicationName: 'key-service worker',
  });
  reportConnections(ctx.metrics, { worker });
  const fanout = new Fanout({ url: config.RABBITMQ_URL, logger });
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    username: config.KAFKA_USERNAME,
    password: config.KAFKA_PASSWORD,
    clientId: 'key-service',
    logger,
  });
  const publisher = new EventPublisher({ kafka, source: 'key-service' });
  const relay = new OutboxRelay({ postgres: worker, kafka: publisher, logger, metrics: ctx.metrics });

  // Ports and their adapters
  const vault = new EnvelopeVault({
    kms: chooseKms(config),
    dataKeys: new PostgresDataKeys(worker),
    clock,
    ids,
  });
  const fault = async (): Promise<string | undefined> =>
    config.POOL_ALLOW_VOLATILE_REDIS ? undefined : forgetfulness(redis);
  const memory = new PoolMemory({
    redis,
    epochs: new PostgresPoolEpochs(worker),
    prefix: PREFIX,
    fault,
    // Horizon and one window are the same length.
    settleMs: 2 * WINDOW_MS + TOLERANCE_MS + config.POOL_MARGIN_MS,
  });
  const ledger = new RedisQuotaLedger({
    redis,
    memory,
    clock,
    logger,
    prefix: PREFIX,
    chance: () => chance.next(),
    onMemory: async () => {
      await paths.restore();
      await follower.teachAnew();
      await rests.restore();
    },
    onBudgetsLow: (hints) => budgets.take(hints),
  });
  const paths = new PathKeeper(ledger, new PgLearnedPaths(worker), NETWORK_NAMES);
  const sessions = new RedisLeaseSessions({
    redis,
    prefix: PREFIX,
    key: () => vault.fleetKey('sessions'),
    ttlMs: SESSION_MS,
  });
  const audit = new OutboxAuditTrail(worker, clock, ids, logger);
  const broadcast = new RabbitKeyStateBroadcast(fanout);

  // Use cases
  const ring = new KeyRing(new PostgresKeyCatalogue(worker), ledger, vault);
  const desk: LeaseDesk = new LeaseDesk(ledger, new TimerAlarm(), {
    perImport: config.POOL_LINE_PER_IMPORT,
    perWorkspace: config.POOL_LINE_PER_WORKSPACE,
  });
  const budgets: BudgetKeeper = new BudgetKeeper(ledger, new PostgresBudgetBlocks(worker), report, () => {
    void desk.slotsFreed();
  });
  const recorder = new UseRecorder(new PgKeyUses(worker, ids), report);
  const figures = new PrometheusPoolFigures(metrics, keyLabel);
  const watch = new LeaseWatch({ ring, recorder, figures });
  const settles = new SettleDesk(ledger, (...settled) => watch.settled(...settled));
  const keeper = new KeyKeeper(keys, broadcast, clock, () => follower.refresh());
  const invalid = new InvalidKeys(ring, keeper);
  const replacements = new FinishReplacements(ring, ledger, keeper);
  const rests = new RestKeeper(new PgKeyRests(worker), ledger, ring, clock);
  const refreshes = new RefreshTokens({
    pairs: new PgTokenPairs(worker, ids),
    refresher: new VkTokenRefresher({ url: config.VK_OAUTH_URL }),
    vault,
    clock,
    chance,
    onRenewed: async (keyId) => {
      await follower.refresh();
      const key = ring.key(keyId);
      if (key !== undefined) await broadcast.announce(key, clock.nowMs());
    },
    onRefused: async (workspaceId, keyId, reason) => {
      keyEvents.consentNeeded(keyId, reason);
      await keeper.invalidate(workspaceId, keyId, reason, 'key-service');
    },
  });
  const owners = new OutboxOwnerNotices(worker, clock, ids);
  const keyEvents: KeyEventDesk = new KeyEventDesk({
    ...{ ring, broadcast, invalid, rests, refreshes, owners, report, clock },
  });
  const follower: CatalogueFollower = new CatalogueFollower(ring, desk, invalid, keyEvents);
  const measurer = new PoolMeasurer(ledger, watch, report);
  budgets.onAccounts = (accounts) => measurer.budgets(accounts);
  const chores = new PoolChores(
    [
      { failure: 'the keys could not be read again', run: () => follower.refresh() },
      { failure: 'the keys could not be compared with the pool', run: () => follower.compare() },
      { failure: 'the state of a key could not be written', run: () => invalid.write() },
      { failure: 'the rests of keys could not be written', run: () => rests.write() },
      { failure: 'tokens could not be refreshed', run: () => void refreshes.run().catch(() => undefined) },
      { failure: 'owners could not be told', run: () => owners.flush() },
      { failure: 'replaced keys could not be ended', run: () => replacements.run() },
      { failure: 'the audit trail could not be written', run: () => audit.flush() },
      { failure: 'what was learned of the paths could not be written', run: () => paths.keep() },
      { failure: 'the booked budgets could not be tidied', run: () => budgets.tidy() },
      { failure: 'opened tokens could not be dropped', run: () => vault.sweep() },
      { failure: 'the keys could not be counted', run: () => report.keysByState(ring.countByState()) },
      { failure: 'the pool could not be measured', run: () => measurer.run() },
    ],
    report,
  );

  const uses = new PoolChores(
    [{ failure: 'uses of keys could not be written', run: () => recorder.flush(clock.nowMs()) }],
    report,
  );

  // Transports
  const rpc = new LeaseRpc({
    sessions,
    desk,
    settles,
    ring,
    ledger,
    audit,
    clock,
    ids,
    trusted: readTrusted(config.LEASE_TRUSTED_FILE),
    accountOf: accountsOf(config),
    rulesOf: rules,
    onGranted: (...granted) => watch.granted(...granted),
    onMargin: (network, marginMs) => report.margin(network, marginMs),
    onKeyEvents: (events, service) => keyEvents.take(events, service),
    onRefused: (reason) => metrics.refused.inc({ reason }),
  });
  const measured = new MeasuredLeaseRpc(rpc, metrics, () => clock.monotonicMs());
  const listen = () =>
    new RpcServer({
      url: config.RABBITMQ_URL,
      queue: LEASE_QUEUE,
      logger,
      handle: (request, caller) => measured.handle(request, caller),
    });

  return {
    ...{ redis, worker, fanout, publisher, relay },
    ...{ vault, ledger, audit, ring, desk, budgets, keeper, follower, chores, rests, owners },
    ...{ paths, rules, recorder, uses, fault },
    listen,
  };
}

/** Starts everything that works for itself; servers that are away are waited for in the background. */
export function startLeasePool(pool: LeasePool, ctx: HostContext): void {
  const { health, shutdown, logger } = ctx;
  const { redis, worker, fanout, publisher, relay, ledger, audit, desk, follower, chores, rests, owners } =
    pool;
  const { recorder, uses, fault } = pool;
  health.check('redis-pool', async () => ((await fault()) === undefined ? 'up' : 'degraded'));
  health.check('postgres', () => worker.query('SELECT 1').then(() => 'up' as const));
  relay.start();
  void ledger
    .start()
    .then(() => follower.refresh())
    .then(() => rests.restore())
    .catch((err: unknown) => logger.error({ err }, 'the pool could not begin'));
  const server = pool.listen();
  void fanout
    .subscribeFanout(EXCHANGES.keyState, () => void follower.refresh().catch(() => undefined), 600_000)
    .catch((err: unknown) => logger.warn({ err }, 'changes of other instances are heard of by polling only'));
  const timer = setInterval(() => void chores.run(), CHORES_MS);
  const writing = setInterval(() => void uses.run(), USES_MS);
  shutdown.add('stop-taking', 'lease requests', () => {
    clearInterval(timer);
    clearInterval(writing);
    desk.dismiss();
  });
  shutdown.add('finish', 'lease requests', () => server.close());
  shutdown.add('flush', 'audit trail', () => audit.flush());
  shutdown.add('flush', 'rests and notices', async () => {
    await Promise.allSettled([rests.write(), owners.flush()]);
  });
  shutdown.add('flush', 'uses of keys', () => recorder.flush(ctx.clock.nowMs(), true));
  shutdown.add('flush', 'outbox', async () => {
    await relay.stop();
    await publisher.close();
  });
  shutdown.add('close', 'servers', async () => {
    redis.disconnect();
    await Promise.allSettled([fanout.close(), worker.end()]);
  });
}

/** Each service has its account, named like it; on a broker that the user brought one account serves all. */
function accountsOf(config: KeyServiceConfig): (service: string) => string {
  const own = decodeURIComponent(new URL(config.RABBITMQ_URL).username);
  return (service) => (own === config.SERVICE_NAME ? service : own);
}
