import { type DynamicModule, Module } from '@nestjs/common';
import { AuthModule, followRevocations } from '@sociograph/auth';
import { rabbitModule, TaskHandlers, TaskPublisher } from '@sociograph/messaging';
import { IdempotencyStore } from '@sociograph/kernel';
import { type HostContext, IdempotentPost } from '@sociograph/service-host';
import { ChangeImport } from './application/change-import';
import { BuryCall } from './application/bury-call';
import { CompleteImports } from './application/complete-imports';
import { DispatchCalls } from './application/dispatch-calls';
import { FollowImports } from './application/follow-imports';
import { HoldBack } from './application/hold-back';
import { PauseAtQuota } from './application/pause-at-quota';
import { PerformCall } from './application/perform-call';
import { ReadImports } from './application/read-imports';
import { RedriveCalls } from './application/redrive-calls';
import { StartImport } from './application/start-import';
import { KeepUploads, TakeUpload } from './application/take-upload';
import type { ParserConfig } from './config';
import type { KeyPool, ViewProgress } from './domain/ports';
import { ToldAnswerFaults } from './infrastructure/answer-faults';
import { ParserRuntime } from './infrastructure/parser-runtime';
import { PgStoreBacklog } from './infrastructure/pg-store-backlog';
import { connectServers } from './infrastructure/servers';
import { TimerPause } from './infrastructure/timer-pause';
import { UploadedFiles } from './infrastructure/uploaded-file';
import { parserMetrics } from './metrics';
import { CallsConsumer } from './presentation/calls.consumer';
import { REST_CONTROLLERS } from './presentation/rest-controllers';

/** Ports that a spec fills by itself. */
export interface Replacements {
  pool?: KeyPool;
  views?: ViewProgress;
}

/** The wiring: adapters to ports, use cases, what runs by itself, the REST edge. */
@Module({ controllers: [...REST_CONTROLLERS] })
export class ParserServiceModule {
  static forRoot(config: ParserConfig, ctx: HostContext, replaced: Replacements = {}): DynamicModule {
    const { clock, ids, logger } = ctx;
    const metrics = parserMetrics(ctx.metrics);
    const servers = connectServers(config, ctx, metrics);
    const { imports, events, ledger, networks, log, deadCalls, deadRecords, worker } = servers;
    const { uploads, people } = servers;
    const pool = replaced.pool ?? servers.pool;
    const views = replaced.views ?? servers.views;
    const dispatch = new DispatchCalls(ledger, pool, networks, ids);
    const faults = new ToldAnswerFaults(logger, metrics, () => clock.monotonicMs());
    const perform = new PerformCall(ledger, pool, networks, log, clock, ids, new TimerPause(), faults);
    const complete = new CompleteImports(imports, views, deadRecords, clock, servers.people);
    const quota = new PauseAtQuota(imports, servers.peopleLimitReached, clock, ids);
    const most = config.PARSER_STREAMS_PER_WORKSPACE;
    const follow = new FollowImports(imports, events, networks, most, servers.streamPlace);
    const redrive = new RedriveCalls(deadCalls, ledger, imports, clock, ids);
    const backlog = new PgStoreBacklog(worker, views, () => clock.monotonicMs());
    const holdBack = new HoldBack(backlog, (edges, holding) => {
      metrics.unappliedEdges.set(edges);
      metrics.heldBack.set(holding ? 1 : 0);
    });
    return {
      module: ParserServiceModule,
      imports: [
        AuthModule.forRoot({
          issuer: config.OIDC_ISSUER,
          jwksUrl: config.OIDC_JWKS_URL,
          audience: config.OIDC_AUDIENCE,
          clients: config.OIDC_CLIENTS,
          revocations: followRevocations(config.REDIS_POOL_URL, ctx),
        }),
        rabbitModule({
          url: config.RABBITMQ_URL,
          prefetch: config.PARSER_CALLS_AT_ONCE,
          logger,
          metrics: ctx.metrics,
        }),
      ],
      providers: [
        { provide: IdempotencyStore, useValue: servers.idempotency },
        {
          provide: StartImport,
          useValue: new StartImport(imports, pool, networks, clock, ids, uploads, people, quota),
        },
        { provide: TakeUpload, useValue: new TakeUpload(uploads, new UploadedFiles(), clock, ids) },
        { provide: KeepUploads, useValue: new KeepUploads(uploads, clock, ids) },
        { provide: ChangeImport, useValue: new ChangeImport(imports, clock, ids, quota) },
        { provide: ReadImports, useValue: new ReadImports(imports, events, networks) },
        { provide: FollowImports, useValue: follow },
        { provide: RedriveCalls, useValue: redrive },
        IdempotentPost,
        {
          provide: CallsConsumer,
          useValue: new CallsConsumer(perform, new BuryCall(ledger, ids), metrics),
        },
        {
          provide: ParserRuntime,
          inject: [TaskPublisher, TaskHandlers],
          useFactory: (tasks: TaskPublisher, handlers: TaskHandlers) =>
            new ParserRuntime(servers, ctx, {
              dispatch,
              holdBack,
              perform,
              complete,
              follow,
              quota,
              ...{ tasks, handlers, metrics },
            }),
        },
      ],
    };
  }
}
