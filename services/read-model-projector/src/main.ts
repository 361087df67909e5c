import { createHostContext, runMain, startService } from '@sociograph/service-host';
import { projectorConfig } from './config';
import { ReadModelProjectorModule } from './read-model-projector.module';

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
