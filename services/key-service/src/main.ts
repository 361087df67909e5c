import { setFlagsFromString } from 'node:v8';
import { createHostContext, runMain, startService } from '@sociograph/service-host';
import { keyServiceConfig } from './config';
import { KeyServiceModule } from './key-service.module';

/**
 * A full collection of this heap (50 MB live) takes the one core for 80-100 ms, in which nobody gets a lease. By default
 * V8 makes one for each 15 MB that grew old: once a second at a thousand leases a second. Three times the live heap
 * instead of 1.3 times costs up to 100 MB of memory and makes that one in half a minute.
 */
setFlagsFromString('--heap-growing-percent=200');

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
