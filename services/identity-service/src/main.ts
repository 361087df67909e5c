import { createHostContext, runMain, startService } from '@sociograph/service-host';
import { identityConfig } from './config';
import { IdentityServiceModule } from './identity-service.module';

runMain(async () => {
  const config = identityConfig();
  const context = createHostContext(config);
  const kafka = IdentityServiceModule.kafka(config, context);
  await startService({
    module: IdentityServiceModule.forRoot(config, context, kafka),
    config,
    context,
    microservices: (_app, ctx) => [IdentityServiceModule.collector(ctx, kafka)],
    openApi: { title: 'identity-service' },
  });
});
