import { type DynamicModule, Module } from '@nestjs/common';
import { AuthModule } from '@sociograph/auth';
import { rabbitModule, TaskHandlers, TaskPublisher } from '@sociograph/messaging';
import { type HostContext, IdempotencyStore } from '@sociograph/service-host';
import { ChangeImport } from './application/change-import';
import { CompleteImports } from './application/complete-imports';
import { DispatchCalls } from './application/dispatch-calls';
import { PerformCall } from './application/perform-call';
import { ReadImports } from './application/read-imports';
import { StartImport } from './application/start-import';
import type { ParserConfig } from './config';
import type { KeyPool, ViewProgress } from './domain/ports';
import { ParserRuntime } from './infrastructure/parser-runtime';
import { connectServers } from './infrastructure/servers';
import { TimerPause } from './infrastructure/timer-pause';
import { parserMetrics } from './metrics';
import { CallsConsumer } from './presentation/calls.consumer';
import { ImportsController } from './presentation/imports.controller';

/** Ports that a spec fills by itself. */
export interface Replacements {
  pool?: KeyPool;
  views?: ViewProgress;
}

/** The wiring: adapters to ports, use cases, what runs by itself, the REST edge. */
@Module({ controllers: [ImportsController] })
export class ParserServiceModule {
  static forRoot(config: ParserConfig, ctx: HostContext, replaced: Replacements = {}): DynamicModule {
    const { clock, ids, logger } = ctx;
    const metrics = parserMetrics(ctx.metrics);
    const servers = connectServers(config, ctx, metrics);
    const { imports, ledger, networks, log } = servers;
    const pool = replaced.pool ?? servers.pool;
    const views = replaced.views ?? servers.views;
    const dispatch = new DispatchCalls(ledger, pool, networks, ids);
    const perform = new PerformCall(ledger, pool, networks, log, clock, ids, new TimerPause());
    const complete = new CompleteImports(imports, views, clock);
    return {
      module: ParserServiceModule,
      imports: [
        AuthModule.forRoot({
          issuer: config.OIDC_ISSUER,
          jwksUrl: config.OIDC_JWKS_URL,
          audience: config.OIDC_AUDIENCE,
          clients: config.OIDC_CLIENTS,
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
        { provide: StartImport, useValue: new StartImport(imports, pool, networks, clock, ids) },
        { provide: ChangeImport, useValue: new ChangeImport(imports, clock) },
        { provide: ReadImports, useValue: new ReadImports(imports) },
        { provide: CallsConsumer, useValue: new CallsConsumer(perform, metrics) },
        {
          provide: ParserRuntime,
          inject: [TaskPublisher, TaskHandlers],
          useFactory: (tasks: TaskPublisher, handlers: TaskHandlers) =>
            new ParserRuntime(servers, ctx, { dispatch, perform, complete, tasks, handlers, metrics }),
        },
      ],
    };
  }
}
