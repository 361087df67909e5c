import { setFlagsFromString } from 'node:v8';
import { createHostContext, runMain, startService } from '@sociograph/service-host';
import { projectorConfig } from './config';
import { ReadModelProjectorModule } from './read-model-projector.module';

// A replay leaves much garbage behind, which V8 would keep as room to grow: 110 MB instead of 210 MB after four
// graphs of ego-Facebook's size, for a little more time in collections.
setFlagsFromString('--heap-growing-percent=30');

runMain(async () => {
  const config = projectorConfig();
  const context = createHostContext(config);
  await startService({
    module: ReadModelProjectorModule.forRoot(config, context),
    config,
    context,
    openApi: { title: 'read-model-projector' },
  });
});
