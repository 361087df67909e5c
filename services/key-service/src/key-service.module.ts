import { type DynamicModule, Module } from '@nestjs/common';
import { AuthModule, followRevocations, workspaceLimits } from '@sociograph/auth';
import { SystemRandomness, IdempotencyStore } from '@sociograph/kernel';
import { Postgres, PostgresIdempotencyStore, reportConnections } from '@sociograph/postgres';
import { type HostContext } from '@sociograph/service-host';
import { KeyEditor } from './application/amend-key';
import { KeyKeeper } from './application/change-key-state';
import { UsageDesk } from './application/describe-usage';
import { ChoiceExplainer } from './application/explain-choice';
import { PathKeeper } from './application/keep-learned-paths';
import { KeyRegistrar } from './application/register-key';
import { BulkRegistrar } from './application/register-keys-in-bulk';
import { KeyRotator } from './application/rotate-key';
import { TokenSealer } from './application/seal-tokens';
import { KeyTender } from './application/tend-key';
import type { KeyServiceConfig } from './config';
import { ApiKeys } from './domain/api-keys';
import { AuditTrail } from './domain/audit';
import { countKeys } from './infrastructure/count-keys';
import { PgMethodUses } from './infrastructure/pg-method-uses';
import { openPrisma, PrismaApiKeys } from './infrastructure/prisma-api-keys';
import { startLeasePool, wireLeasePool } from './lease-pool';
import { REST_CONTROLLERS } from './presentation/rest-controllers';

/** The wiring list. The leasing side is listed in lease-pool.ts; this is the REST edge and its adapters. */
@Module({})
export class KeyServiceModule {
  static forRoot(config: KeyServiceConfig, ctx: HostContext): DynamicModule {
    const app = new Postgres({ url: config.DATABASE_URL_APP, max: 4, logger: ctx.logger });
    const prisma = openPrisma(config.DATABASE_URL_APP);
    const counting = new Postgres({ url: config.DATABASE_URL_WORKER, max: 1, logger: ctx.logger });
    reportConnections(ctx.metrics, { app, counting });
    const limits = workspaceLimits(config.REDIS_POOL_URL, ctx, {
      service: 'key-service',
      count: () => countKeys(counting),
    });
    const keys = new PrismaApiKeys(prisma, ctx.ids, (id) =>
      limits.limitOf(id, 'keys', config.KEYS_PER_WORKSPACE),
    );
    const pool = wireLeasePool(config, ctx, keys);
    startLeasePool(pool, ctx);
    const refresh = (): Promise<void> => pool.follower.refresh();
    const sealer = new TokenSealer(pool.vault, ctx.clock, new SystemRandomness());
    const registrar = new KeyRegistrar(keys, sealer, ctx.clock, ctx.ids, refresh);
    ctx.shutdown.add('close', 'database', async () => {
      await Promise.allSettled([app.end(), counting.end(), prisma.$disconnect()]);
    });
    return {
      module: KeyServiceModule,
      imports: [
        AuthModule.forRoot({
          issuer: config.OIDC_ISSUER,
          jwksUrl: config.OIDC_JWKS_URL,
          audience: config.OIDC_AUDIENCE,
          clients: config.OIDC_CLIENTS,
          revocations: followRevocations(config.REDIS_POOL_URL, ctx),
        }),
      ],
      controllers: REST_CONTROLLERS,
      providers: [
        { provide: ApiKeys, useValue: keys },
        { provide: IdempotencyStore, useValue: new PostgresIdempotencyStore(app) },
        { provide: KeyKeeper, useValue: pool.keeper },
        { provide: AuditTrail, useValue: pool.audit },
        { provide: KeyRegistrar, useValue: registrar },
        { provide: BulkRegistrar, useValue: new BulkRegistrar(registrar, keys, refresh) },
        { provide: KeyEditor, useValue: new KeyEditor(keys, ctx.clock, refresh) },
        {
          provide: KeyRotator,
          useValue: new KeyRotator(keys, sealer, ctx.clock, ctx.ids, refresh),
        },
        { provide: KeyTender, useValue: new KeyTender(keys, pool.ledger, pool.audit) },
        {
          provide: UsageDesk,
          useValue: new UsageDesk(keys, pool.budgets, new PgMethodUses(app), () => ctx.clock.nowMs()),
        },
        { provide: ChoiceExplainer, useValue: new ChoiceExplainer(pool.ring, pool.ledger, pool.rules) },
        { provide: PathKeeper, useValue: pool.paths },
      ],
    };
  }
}
