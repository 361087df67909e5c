import { join } from 'node:path';
import { runMain, writeOpenApi } from '@sociograph/service-host';
import { ParserServiceModule } from './parser-service.module';

runMain(() =>
  writeOpenApi(ParserServiceModule, join(__dirname, '..', 'openapi.json'), { title: 'parser-service' }),
);
