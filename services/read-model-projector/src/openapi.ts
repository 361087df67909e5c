import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { runMain, writeOpenApi } from '@sociograph/service-host';
import { ViewsController } from './presentation/views.controller';
import { ReadViews } from './projections/read-views';

/** The REST edge without servers behind it. */
@Module({ controllers: [ViewsController], providers: [{ provide: ReadViews, useValue: undefined }] })
class DocumentedModule {}

runMain(() =>
  writeOpenApi(DocumentedModule, join(__dirname, '..', 'openapi.json'), { title: 'read-model-projector' }),
);
