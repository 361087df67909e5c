import { type DynamicModule, Module } from '@nestjs/common';
import { AuthModule, followRevocations } from '@sociograph/auth';
import { IdempotencyStore } from '@sociograph/kernel';
import { type HostContext } from '@sociograph/service-host';
import { AnalysisDesk } from './projections/analyses/analysis-desk';
import type { ProjectorConfig } from './config';
import { connectServers } from './infrastructure/servers';
import { projectorMetrics } from './metrics';
import { AnalysesController } from './presentation/analyses.controller';
import { EventFeedController } from './presentation/event-feed.controller';
import { RankingsController } from './presentation/rankings.controller';
import { RecountsController } from './presentation/recounts.controller';
import { SearchController } from './presentation/search.controller';
import { ViewsController } from './presentation/views.controller';
import { WriterTelemetry } from './presentation/writer-telemetry';
import { ActiveWriter } from './projections/active-writer';
import { EventFeed } from './projections/event-feed';
import { FreshAnswers } from './projections/fresh-answers';
import { LiveViews } from './projections/live-views';
import { RecountDesk } from './projections/recount-desk';
import { ReadViews } from './projections/read-views';
import { SearchViews } from './projections/search-views';

const STANDBY_MS = 500;
const RETRY_MS = 500;
const JOBS_MS = 1000;

/** The wiring: adapters to ports, the writer, the readers, the REST edge. */
@Module({
  controllers: [
    ViewsController,
    RankingsController,
    SearchController,
    AnalysesController,
    RecountsController,
    EventFeedController,
  ],
})
export class ReadModelProjectorModule {
  static forRoot(config: ProjectorConfig, ctx: HostContext): DynamicModule {
    const adapters = connectServers(config, ctx);
    const live = new LiveViews();
    const answers = new FreshAnswers(adapters.cache, adapters.watch, adapters.ends, live);
    const telemetry = new WriterTelemetry(ctx.logger, projectorMetrics(ctx.metrics));
    ctx.health.check('recount', async () => (telemetry.hasDifferences ? 'degraded' : 'up'));
    const writer = new ActiveWriter({ ...adapters, live, clock: ctx.clock }, telemetry, {
      standbyMs: STANDBY_MS,
      renewMs: Math.floor(config.PROJECTOR_LOCK_TTL_MS / 3),
      maxPauseMs: config.PROJECTOR_MAX_PAUSE_MS,
      retryMs: RETRY_MS,
      checkpointMs: config.PROJECTOR_CHECKPOINT_MS,
      jobsMs: JOBS_MS,
    });
    ctx.shutdown.add('finish', 'writer of the views', () => writer.stop());
    const feed = new EventFeed({ ...adapters.feed, clock: ctx.clock });
    ctx.shutdown.add('stop-taking', 'event feed', () => void feed.close());
    ctx.shutdown.add('finish', 'readers of events', () => feed.close());
    void adapters.ready.then(() => writer.start());
    return {
      module: ReadModelProjectorModule,
      imports: [
        AuthModule.forRoot({
          issuer: config.OIDC_ISSUER,
          jwksUrl: config.OIDC_JWKS_URL,
          audience: config.OIDC_AUDIENCE,
          clients: config.OIDC_CLIENTS,
          revocations: followRevocations(config.REDIS_POOL_URL, ctx),
        }),
      ],
      providers: [
        { provide: IdempotencyStore, useValue: adapters.idempotency },
        {
          provide: ReadViews,
          useValue: new ReadViews(adapters.store, answers),
        },
        { provide: EventFeed, useValue: feed },
        { provide: SearchViews, useValue: new SearchViews(adapters.store, answers) },
        {
          provide: AnalysisDesk,
          useValue: new AnalysisDesk(adapters.analyses, adapters.store, adapters.audit, ctx.clock, ctx.ids),
        },
        {
          provide: RecountDesk,
          useValue: new RecountDesk(adapters.jobs, adapters.store, adapters.audit, ctx.clock, ctx.ids),
        },
      ],
    };
  }
}
