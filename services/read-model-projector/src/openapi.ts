import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { runMain, writeOpenApi } from '@sociograph/service-host';
import { RecountsController } from './presentation/recounts.controller';
import { ViewsController } from './presentation/views.controller';
import { ReadViews } from './projections/read-views';
import { RecountDesk } from './projections/recount-desk';

/** The REST edge without servers behind it. */
@Module({
  controllers: [ViewsController, RecountsController],
  providers: [
    { provide: ReadViews, useValue: undefined },
    { provide: RecountDesk, useValue: undefined },
  ],
})
class DocumentedModule {}

runMain(() =>
  writeOpenApi(DocumentedModule, join(__dirname, '..', 'openapi.json'), { title: 'read-model-projector' }),
);
