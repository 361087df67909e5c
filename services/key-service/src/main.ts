import { createHostContext, runMain, startService } from '@sociograph/service-host';
import { keyServiceConfig } from './config';
import { KeyServiceModule } from './key-service.module';

runMain(async () => {
  const config = keyServiceConfig();
  const context = createHostContext(config);
  await startService({
    module: KeyServiceModule.forRoot(config, context),
    config,
    context,
    openApi: { title: 'key-service' },
  });
});
