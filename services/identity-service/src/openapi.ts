import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { runMain, writeOpenApi } from '@sociograph/service-host';
import { REST_CONTROLLERS } from './presentation/rest-controllers';

/** The REST edge without servers behind it. */
@Module({
  controllers: REST_CONTROLLERS,
})
class DocumentedModule {}

runMain(() =>
  writeOpenApi(DocumentedModule, join(__dirname, '..', 'openapi.json'), { title: 'identity-service' }),
);
