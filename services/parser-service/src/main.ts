import { createHostContext, runMain, startService } from '@sociograph/service-host';
import { parserConfig } from './config';
import { ParserServiceModule } from './parser-service.module';

runMain(async () => {
  const config = parserConfig();
  const context = createHostContext(config);
  await startService({
    module: ParserServiceModule.forRoot(config, context),
    config,
    context,
    openApi: { title: 'parser-service' },
  });
});
