import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { AppLogger, IdempotencyStore, runMain, writeOpenApi } from '@sociograph/service-host';
import { KeyKeeper } from './application/change-key-state';
import { KeyRegistrar } from './application/register-key';
import { ApiKeys } from './domain/ports';
import { KeysController } from './presentation/keys.controller';

const absent = [KeyRegistrar, KeyKeeper, ApiKeys, IdempotencyStore, AppLogger];

/** The REST edge without servers behind it. */
@Module({
  controllers: [KeysController],
  providers: absent.map((provide) => ({ provide, useValue: undefined })),
})
class DocumentedModule {}

runMain(() =>
  writeOpenApi(DocumentedModule, join(__dirname, '..', 'openapi.json'), { title: 'key-service' }),
);
