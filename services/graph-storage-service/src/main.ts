import { createHostContext, runMain, startService } from '@sociograph/service-host';
import { graphStorageConfig } from './config';
import { GraphStorageServiceModule } from './graph-storage-service.module';

runMain(async () => {
  const config = graphStorageConfig();
  const context = createHostContext(config);
  const kafka = GraphStorageServiceModule.kafka(config, context);
  await startService({
    module: GraphStorageServiceModule.forRoot(config, context, kafka),
    config,
    context,
    microservices: (_app, ctx) => [GraphStorageServiceModule.consumer(config, ctx, kafka)],
    openApi: { title: 'graph-storage-service' },
  });
});
