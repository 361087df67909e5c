import { streamPlaces, workspaceLimits } from '@sociograph/auth';
import { readFileSync } from 'node:fs';
import { EXCHANGES, LEASE_QUEUE } from '@sociograph/contracts';
import { LeaseWorker, type SlotFate } from '@sociograph/lease-client';
import { createKafka, EventPublisher, Fanout, RpcClient } from '@sociograph/messaging';
import {
  Postgres,
  PostgresIdempotencyStore,
  type PostgresOptions,
  reportConnections,
} from '@sociograph/postgres';
import type { HostContext } from '@sociograph/service-host';
import { followSuppressions, readSuppressionKey } from '@sociograph/suppression';
import type { ParserConfig } from '../config';
import { tooManyStreams } from '../domain/errors';
import { GAP_CAUSES } from '../domain/items';
import { Networks } from '../domain/ports';
import type { ParserMetrics } from '../metrics';
import { KafkaDeadRecords } from './dead-records';
import { FilteringImports } from './erased-people';
import { announceForgotten, forgetErased } from './forget-erased';
import { LeaseKeyPool } from './lease-key-pool';
import { LogOfPeople } from './log-of-people';
import { MeteredKeyPool, MeteredLedger, MeteredObservations } from './metered';
import { FileNetwork } from './networks/file/client';
import { FilePool } from './networks/file/pool';
import { VK_PATH_PROBE, VkNetwork } from './networks/vk/client';
import { PgFiles } from './pg-files';
import { PgForgetting } from './pg-forgetting';
import { PgImportEvents } from './pg-import-events';
import { PgImportFigures } from './pg-import-figures';
import { PgRetention } from './pg-retention';
import { PgUploads } from './pg-uploads';
import { PoolByNetwork } from './pool-by-network';
import { LASTING_PLANS } from './pg-plans';
import { openPrisma } from './prisma-imports';
import { RabbitDeadCalls } from './rabbit-dead-calls';
import { SealedAnswers } from './sealed-answers';
import { AppliedViews } from './view-progress';

const SESSION_RETRY_MS = 1_000;

/** One adapter for each port, on the servers that the configuration names; each may be away at the start. */
export function connectServers(config: ParserConfig, ctx: HostContext, metrics: ParserMetrics) {
  const { logger, health, shutdown, clock, ids } = ctx;
  const clientId = `${config.SERVICE_NAME}-${config.INSTANCE_ID}`;
  const database = (url: string, max: number, more: Partial<PostgresOptions> = {}) =>
    new Postgres({ url, max, logger, applicationName: clientId, ...more });
  const app = database(config.DATABASE_URL_APP, 6);
  const worker = database(config.DATABASE_URL_WORKER, 12, LASTING_PLANS);
  reportConnections(ctx.metrics, { app, worker });
  // Series from the start: of one that begins with its first gap Prometheus sees no increase.
  for (const cause of GAP_CAUSES) metrics.gapsFound.inc({ cause }, 0);
  const prisma = openPrisma(config.DATABASE_URL_APP);
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    username: config.KAFKA_USERNAME,
    password: config.KAFKA_PASSWORD,
    clientId,
    logger,
  });
  const publisher = new EventPublisher({ kafka, source: config.SERVICE_NAME });
  const rpc = new RpcClient({ url: config.RABBITMQ_URL, queue: LEASE_QUEUE, logger });
  const fanout = new Fanout({ url: config.RABBITMQ_URL, logger });
  const vk = new VkNetwork();
  const leases = new LeaseWorker({
    rpc,
    identityKeyPem: readFileSync(config.LEASE_IDENTITY_FILE, 'utf8'),
    service: config.SERVICE_NAME,
    instanceId: config.INSTANCE_ID,
    clock,
    ids,
    egress: config.EGRESS,
    networks: { [vk.name]: { baseUrl: config.VK_API_URL, pathProbe: VK_PATH_PROBE } },
    onSlot: (fate) => countSlot(metrics, fate),
    onMargin: (network, marginMs) => metrics.margin.set({ network }, marginMs / 1_000),
    onSettleGivenUp: () => metrics.settlesGivenUp.inc(),
    fail: (error) => {
      logger.fatal({ err: error }, 'the sending thread ended');
      process.exit(1);
    },
  });
  const leased = new LeaseKeyPool(leases, () => clock.monotonicMs(), logger);
  const files = new FileNetwork();
  const pool = new PoolByNetwork(leased, new FilePool(worker), (network) => files.serves(network));

  const known = followSuppressions({
    kafka,
    keyFile: config.SUPPRESSION_KEY_FILE,
    reader: 'parser-service',
    logger,
    metrics: ctx.metrics,
    health,
  });
  const sealed = new SealedAnswers(readSuppressionKey(config.SUPPRESSION_KEY_FILE));
  const forgetting = new PgForgetting(worker, known.suppressions);
  const forgetter = forgetErased(known, forgetting, logger);
  shutdown.add('finish', 'erased people', async () => {
    await Promise.all([forgetter.stop(), known.stop()]);
  });

  const limits = workspaceLimits(config.REDIS_POOL_URL, ctx, {
    service: 'parser-service',
    count: () => runningImports(worker),
  });
  const takeStreamPlace = streamPlaces(config.REDIS_POOL_URL, ctx);

  const session = openSession(leases, fanout, ctx);
  health.check('postgresql', async () => (await worker.query('SELECT 1'), 'up'));
  shutdown.add('flush', 'lease session', async () => {
    session.stop();
    await leases.close();
  });
  shutdown.add('flush', 'observations', () => publisher.close());
  shutdown.add('close', 'connections', async () => {
    await Promise.all([rpc.close(), fanout.close(), prisma.$disconnect(), app.end(), worker.end()]);
  });
  return {
    imports: new FilteringImports(forgetting, prisma, app, worker, (id) =>
      limits.limitOf(id, 'running-imports', config.PARSER_IMPORTS_PER_WORKSPACE),
    ),
    /** Of the quota streams, which imports share with the events of the workspace. */
    streamPlace: async (workspaceId: string) => {
      const most = await limits.limitOf(workspaceId, 'streams', config.PARSER_STREAMS_PER_WORKSPACE);
      const leave = await takeStreamPlace(workspaceId, most);
      if (leave === undefined) throw tooManyStreams(most);
      return leave;
    },
    /** The quota people, where as many are stored as the projector told last; not known: there is room. */
    peopleLimitReached: async (workspaceId: string) => {
      const most = await limits.limitOf(workspaceId, 'people', config.PARSER_PEOPLE_PER_WORKSPACE);
      const stored = await limits.useOf('read-model-projector', workspaceId, 'people');
      return stored !== undefined && stored >= most ? most : undefined;
    },
    uploads: new PgUploads(
      ...([app, worker, known.suppressions, config.PARSER_UPLOADS_PER_WORKSPACE, known.caughtUp] as const),
    ),
    people: new LogOfPeople(kafka, app, known.suppressions, known.caughtUp, () => clock.monotonicMs()),
    events: new PgImportEvents(worker),
    figures: new PgImportFigures(worker, metrics),
    deadCalls: new RabbitDeadCalls(config.RABBITMQ_URL, worker),
    deadRecords: new KafkaDeadRecords(kafka, worker, () => clock.nowMs()),
    retention: new PgRetention(worker, {
      importsDays: config.PARSER_KEEP_IMPORTS_DAYS,
      callsDays: config.PARSER_KEEP_CALLS_DAYS,
      uploadsDays: config.PARSER_KEEP_UPLOADS_DAYS,
    }),
    files: new PgFiles({
      ...{ worker, logger, ownerUrl: config.DATABASE_URL_OWNER },
      afterMs: config.PARSER_FORGET_FILES_MS,
      progress: {
        settled: () => (forgetter.idle() ? known.reached() : undefined),
        again: (since) => forgetting.removeAgain(since),
        announce: (upTo) => announceForgotten(publisher, clock.nowMs(), upTo),
      },
    }),
    ledger: new MeteredLedger(
      ...([metrics, worker, known, forgetting, sealed] as const),
      (cause) => void metrics.gapsFound.inc({ cause }),
    ),
    pool: new MeteredKeyPool(pool, metrics),
    networks: new Networks([vk, files]),
    log: new MeteredObservations(metrics, publisher, known),
    views: new AppliedViews(),
    idempotency: new PostgresIdempotencyStore(app),
    worker,
    kafka,
    publisher,
    fanout,
  };
}

export type Servers = ReturnType<typeof connectServers>;

function countSlot(metrics: ParserMetrics, fate: SlotFate): void {
  const { network } = fate;
  if (fate.kind === 'missed') {
    metrics.slotsLost.inc({ network, cause: fate.cause });
    return;
  }
  metrics.slotLateness.observe({ network }, fate.latenessMs / 1_000);
  if (fate.late) metrics.slotsSentLate.inc({ network });
}

/** Opens the lease session and hears of keys that change; key-service or RabbitMQ may come later. */
function openSession(leases: LeaseWorker, fanout: Fanout, { logger }: HostContext): { stop(): void } {
  let stopped = false;
  const untilOpen = async (): Promise<void> => {
    while (!stopped) {
      try {
        return await leases.open();
      } catch (error) {
        logger.info({ err: error }, 'the lease session cannot be opened yet');
        await new Promise((resolve) => setTimeout(resolve, SESSION_RETRY_MS).unref());
      }
    }
  };
  void untilOpen();
  void fanout
    .subscribeFanout(EXCHANGES.keyState, (body) => leases.keyStateChanged(JSON.parse(body.toString('utf8'))))
    // The subscription goes on trying by itself; this is only that it took long.
    .catch((error: unknown) => logger.info({ err: error }, 'changes of keys cannot be heard yet'));
  return {
    stop: () => {
      stopped = true;
    },
  };
}

/** Use of the quota running-imports, of every workspace that has some. */
async function runningImports(worker: Postgres): Promise<Map<string, { 'running-imports': number }>> {
  const { rows } = await worker.query<{ workspace_id: string; running: number }>(
    `SELECT workspace_id, count(*) AS running FROM imports WHERE state = 'running' GROUP BY workspace_id`,
  );
  return new Map(rows.map((row) => [row.workspace_id, { 'running-imports': row.running }]));
}
