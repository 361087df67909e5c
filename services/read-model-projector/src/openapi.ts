import { join } from 'node:path';
import { runMain, writeOpenApi } from '@sociograph/service-host';
import { ReadModelProjectorModule } from './read-model-projector.module';

runMain(() =>
  writeOpenApi(ReadModelProjectorModule, join(__dirname, '..', 'openapi.json'), { title: 'read-model-projector' }),
);
