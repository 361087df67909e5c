import { join } from 'node:path';
import { runMain, writeOpenApi } from '@sociograph/service-host';
import { GraphStorageServiceModule } from './graph-storage-service.module';

runMain(() =>
  writeOpenApi(GraphStorageServiceModule, join(__dirname, '..', 'openapi.json'), {
    title: 'graph-storage-service',
  }),
);
