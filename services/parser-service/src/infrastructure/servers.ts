import { readFileSync } from 'node:fs';
import { EXCHANGES, keyStateChanged, LEASE_QUEUE } from '@sociograph/contracts';
import { LeaseClient } from '@sociograph/lease-client';
import { createKafka, EventPublisher, Fanout, RpcClient } from '@sociograph/messaging';
import { Postgres, PostgresIdempotencyStore } from '@sociograph/postgres';
import type { HostContext } from '@sociograph/service-host';
import type { ParserConfig } from '../config';
import { Networks } from '../domain/ports';
import type { ParserMetrics } from '../metrics';
import { KafkaObservations } from './kafka-observations';
import { LeaseKeyPool } from './lease-key-pool';
import { MeteredKeyPool } from './metered';
import { VkNetwork } from './networks/vk/client';
import { PgCallLedger } from './pg-call-ledger';
import { openPrisma, PrismaImports } from './prisma-imports';
import { SenderThread } from './sending/sender-thread';
import { AppliedViews } from './view-progress';

const SESSION_RETRY_MS = 1_000;

/** One adapter for each port, on the servers that the configuration names; each may be away at the start. */
export function connectServers(config: ParserConfig, ctx: HostContext, metrics: ParserMetrics) {
  const { logger, health, shutdown, clock, ids } = ctx;
  const clientId = `${config.SERVICE_NAME}-${config.INSTANCE_ID}`;
  const database = (url: string, max: number) =>
    new Postgres({ url, max, logger, applicationName: clientId });
  const app = database(config.DATABASE_URL_APP, 6);
  const worker = database(config.DATABASE_URL_WORKER, 12);
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
  const leases = new LeaseClient({
    rpc,
    identityKeyPem: readFileSync(config.LEASE_IDENTITY_FILE, 'utf8'),
    service: config.SERVICE_NAME,
    instanceId: config.INSTANCE_ID,
    clock,
    ids,
  });
  const vk = new VkNetwork();
  const sender = new SenderThread({
    baseUrl: config.VK_API_URL,
    client: leases,
    logger,
    fail: () => process.exit(1),
  });
  const leased = new LeaseKeyPool(leases, new Map([[vk.name, sender]]), () => clock.monotonicMs(), logger);

  const session = openSession(leases, sender, fanout, ctx);
  health.check('postgresql', async () => (await worker.query('SELECT 1'), 'up'));
  shutdown.add('flush', 'lease session', async () => {
    session.stop();
    await leases.close();
  });
  shutdown.add('flush', 'observations', () => publisher.close());
  shutdown.add('close', 'connections', async () => {
    await Promise.all([
      sender.close(),
      rpc.close(),
      fanout.close(),
      prisma.$disconnect(),
      app.end(),
      worker.end(),
    ]);
  });
  return {
    imports: new PrismaImports(prisma, app, worker),
    ledger: new PgCallLedger(worker),
    pool: new MeteredKeyPool(leased, metrics),
    networks: new Networks([vk]),
    log: new KafkaObservations(publisher),
    views: new AppliedViews(),
    idempotency: new PostgresIdempotencyStore(app),
    worker,
    kafka,
    publisher,
    fanout,
  };
}

export type Servers = ReturnType<typeof connectServers>;

/** Opens the lease session and hears of keys that change; key-service or RabbitMQ may come later. */
function openSession(
  leases: LeaseClient,
  sender: SenderThread,
  fanout: Fanout,
  { logger }: HostContext,
): { stop(): void } {
  let stopped = false;
  const untilDone = async (work: () => Promise<void>, sentence: string): Promise<void> => {
    while (!stopped) {
      try {
        return await work();
      } catch (error) {
        logger.info({ err: error }, sentence);
        await new Promise((resolve) => setTimeout(resolve, SESSION_RETRY_MS).unref());
      }
    }
  };
  void untilDone(async () => {
    await leases.open();
    sender.open();
  }, 'the lease session cannot be opened yet');
  void fanout
    .subscribeFanout(EXCHANGES.keyState, (body) => {
      const change = keyStateChanged.schema.parse(JSON.parse(body.toString('utf8')));
      leases.keyStateChanged(change);
      if (change.state !== 'active') sender.keyChanged(change.keyId);
    })
    // The subscription goes on trying by itself; this is only that it took long.
    .catch((error: unknown) => logger.info({ err: error }, 'changes of keys cannot be heard yet'));
  return {
    stop: () => {
      stopped = true;
    },
  };
}
