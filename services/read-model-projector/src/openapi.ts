import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { IdempotencyStore } from '@sociograph/kernel';
import { runMain, writeOpenApi } from '@sociograph/service-host';
import { AnalysisDesk } from './projections/analyses/analysis-desk';
import { AnalysesController } from './presentation/analyses.controller';
import { EventFeedController } from './presentation/event-feed.controller';
import { RankingsController } from './presentation/rankings.controller';
import { RecountsController } from './presentation/recounts.controller';
import { SearchController } from './presentation/search.controller';
import { ViewsController } from './presentation/views.controller';
import { EventFeed } from './projections/event-feed';
import { ReadViews } from './projections/read-views';
import { RecountDesk } from './projections/recount-desk';
import { SearchViews } from './projections/search-views';

/** The REST edge without servers behind it. */
@Module({
  controllers: [
    ViewsController,
    RankingsController,
    SearchController,
    AnalysesController,
    RecountsController,
    EventFeedController,
  ],
  providers: [
    { provide: IdempotencyStore, useValue: undefined },
    { provide: ReadViews, useValue: undefined },
    { provide: EventFeed, useValue: undefined },
    { provide: SearchViews, useValue: undefined },
    { provide: AnalysisDesk, useValue: undefined },
    { provide: RecountDesk, useValue: undefined },
  ],
})
class DocumentedModule {}

runMain(() =>
  writeOpenApi(DocumentedModule, join(__dirname, '..', 'openapi.json'), { title: 'read-model-projector' }),
);
