import { type DynamicModule, Module } from '@nestjs/common';
import { AuthModule, followRevocations, openPoolRedis } from '@sociograph/auth';
import { CONSUMER_GROUPS } from '@sociograph/contracts';
import { IdempotencyStore } from '@sociograph/kernel';
import { createKafka, EventPublisher, KafkaBatchServer, OutboxRelay } from '@sociograph/messaging';
import { Postgres, PostgresIdempotencyStore, reportConnections } from '@sociograph/postgres';
import type { HostContext } from '@sociograph/service-host';
import { MemberKeeper } from './application/change-members';
import { Quotas } from './application/describe-quotas';
import { Inviter } from './application/invite-members';
import { Registrar } from './application/register-accounts';
import { AuditLog, AuditTrail, Sealer } from './application/seal-audit';
import { Background } from './background';
import { defaultQuotas, type IdentityConfig } from './config';
import { Invitations, Workspaces } from './domain/ports';
import { AppendHeadFile } from './infrastructure/append-head-file';
import { FleetFigures } from './infrastructure/fleet-figures';
import { forgetAnswers } from './infrastructure/forget-answers';
import { KeycloakDirectory } from './infrastructure/keycloak-directory';
import { PgAttempts } from './infrastructure/pg-attempts';
import { PgAuditTrail } from './infrastructure/pg-audit-trail';
import { PgInvitations } from './infrastructure/pg-invitations';
import { PgQuotas } from './infrastructure/pg-quotas';
import { PgRegistrations } from './infrastructure/pg-registrations';
import { PgWorkspaces } from './infrastructure/pg-workspaces';
import { RedisTakenBack } from './infrastructure/redis-taken-back';
import { SealedAnswers } from './infrastructure/sealed-answers';
import { hashPassword, hashToken, KeyedSealing, newInvitationToken, readKey } from './infrastructure/secrets';
import { identityMetrics, type IdentityMetrics } from './metrics';
import { AuditConsumer } from './presentation/audit.consumer';
import { REST_CONTROLLERS } from './presentation/rest-controllers';

type Kafka = ReturnType<typeof createKafka>;

const HOUR_MS = 60 * 60 * 1000;

/** The wiring list: adapters to ports, the use cases, what runs in the background, the collector, the REST edge. */
@Module({})
export class IdentityServiceModule {
  static forRoot(config: IdentityConfig, ctx: HostContext, kafka: Kafka): DynamicModule {
    const { clock, ids, logger } = ctx;
    const metrics = identityMetrics(ctx.metrics);
    const background = new Background(ctx, metrics);
    const app = new Postgres({ url: config.DATABASE_URL_APP, max: 4, logger });
    const worker = new Postgres({ url: config.DATABASE_URL_WORKER, max: 6, logger });
    const holding = new Postgres({ url: config.DATABASE_URL_WORKER, max: 4, logger });
    reportConnections(ctx.metrics, { app, worker, holding });
    const redis = openPoolRedis(config.REDIS_POOL_URL, ctx, 'identity');
    const workspaces: PgWorkspaces = new PgWorkspaces({
      app,
      worker,
      holding,
      ids,
      memberLimit: (id) => quotas.limitOf(id, 'members'),
    });
    const quotas: PgQuotas = new PgQuotas(worker, redis, defaultQuotas(config), ids, (id) =>
      workspaces.countMembers(id),
    );
    const invitations = new PgInvitations(app, worker, ids);
    const takenBack = new RedisTakenBack(worker, redis);
    const directory = new KeycloakDirectory({
      url: config.KEYCLOAK_URL,
      realm: config.KEYCLOAK_REALM,
      clientId: config.IDENTITY_CLIENT_ID,
      clientSecret: config.IDENTITY_CLIENT_SECRET,
      clock,
    });
    const failed = (work: string) => (error: unknown) => background.failed(work, error);
    const keeper = new MemberKeeper(workspaces, directory, takenBack, clock, failed('accounts'));
    const attempts = new PgAttempts(worker);
    const registrar = new Registrar(
      new PgRegistrations(worker, holding, failed('registrations')),
      directory,
      workspaces,
      invitations,
      (id) => quotas.limitOf(id, 'members'),
      clock,
      ids,
      {
        attempts,
        everybody: { most: config.IDENTITY_REGISTER_PER_MINUTE, withinMs: 60_000 },
        perAddress: { most: 5, withinMs: HOUR_MS },
        hash: hashPassword,
        hashToken,
        verifyEmail: config.IDENTITY_VERIFY_EMAIL,
        applied: (subject) => keeper.applied(subject),
        onFailure: failed('registrations'),
      },
    );
    const auditKey = readKey(config.AUDIT_KEY_FILE);
    const trail = new PgAuditTrail(worker, app, ids);
    const sealer = new Sealer(
      trail,
      new AppendHeadFile(config.AUDIT_HEADS_FILE),
      new KeyedSealing(auditKey),
      clock,
    );
    relay(worker, kafka, ctx);
    background.every(300, 'seals', () => timed(metrics, () => sealer.sealNext()));
    background.every(1_000, 'registrations', () => registrar.carryOn());
    background.every(1_000, 'accounts', () => keeper.applyNext());
    background.every(2_000, 'revocations', () => takenBack.refill(clock.nowMs()));
    background.every(5_000, 'quotas', () => quotas.copy());
    const figures = new FleetFigures(worker, redis, defaultQuotas(config), metrics);
    background.every(10_000, 'figures', () => figures.look());
    background.every(HOUR_MS, 'old answers', () => forgetAnswers(worker));
    background.every(HOUR_MS, 'old attempts', () => attempts.forgetOld(clock.nowMs(), HOUR_MS));
    background.every(HOUR_MS, 'old revocations', () => takenBack.forgetOld(clock.nowMs()));
    ctx.health.check('keycloak', async () => ((await directory.available()) ? 'up' : 'degraded'));
    ctx.shutdown.add('close', 'database', async () => {
      await Promise.allSettled([app.end(), worker.end(), holding.end()]);
    });
    return {
      module: IdentityServiceModule,
      imports: [
        AuthModule.forRoot({
          issuer: config.OIDC_ISSUER,
          jwksUrl: config.OIDC_JWKS_URL,
          audience: config.OIDC_AUDIENCE,
          clients: config.OIDC_CLIENTS,
          revocations: followRevocations(config.REDIS_POOL_URL, ctx),
        }),
      ],
      controllers: [...REST_CONTROLLERS, AuditConsumer],
      providers: [
        { provide: Workspaces, useValue: workspaces },
        { provide: Invitations, useValue: invitations },
        { provide: Quotas, useValue: quotas },
        { provide: Registrar, useValue: registrar },
        { provide: MemberKeeper, useValue: keeper },
        {
          provide: Inviter,
          useValue: new Inviter(invitations, workspaces, keeper, clock, ids, {
            make: newInvitationToken,
            hash: hashToken,
          }),
        },
        {
          provide: IdempotencyStore,
          useValue: new SealedAnswers(new PostgresIdempotencyStore(app), auditKey),
        },
        { provide: AuditTrail, useValue: trail },
        { provide: AuditLog, useValue: trail },
        { provide: AuditConsumer.METER, useValue: metrics.auditCollected },
      ],
    };
  }

  static kafka(config: IdentityConfig, ctx: HostContext): Kafka {
    return createKafka({
      brokers: config.KAFKA_BROKERS,
      username: config.KAFKA_USERNAME,
      password: config.KAFKA_PASSWORD,
      clientId: `${config.SERVICE_NAME}-${config.INSTANCE_ID}`,
      logger: ctx.logger,
    });
  }

  static collector(
    ctx: HostContext,
    kafka: Kafka,
    groupId: string = CONSUMER_GROUPS.audit.name,
  ): KafkaBatchServer {
    return new KafkaBatchServer({
      kafka,
      groupId,
      topics: CONSUMER_GROUPS.audit.topics,
      logger: ctx.logger,
      metrics: ctx.metrics,
      // No beat: a database that is away holds up the collector, and no restart would bring it back. A fetch loop that
      // stands still ends the process by itself.
      clock: ctx.clock,
    });
  }
}

function relay(worker: Postgres, kafka: Kafka, ctx: HostContext): void {
  const { clock, ids, logger, metrics } = ctx;
  const publisher = new EventPublisher({ kafka, source: 'identity-service', clock, ids });
  const outbox = new OutboxRelay({ postgres: worker, kafka: publisher, logger, metrics });
  outbox.start();
  ctx.shutdown.add('finish', 'outbox', () => outbox.stop());
  ctx.shutdown.add('flush', 'event publisher', () => publisher.close());
}

async function timed(metrics: IdentityMetrics, work: () => Promise<boolean>): Promise<boolean> {
  const end = metrics.auditSealSeconds.startTimer();
  try {
    return await work();
  } finally {
    end();
  }
}
