import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Clock, Ids, Randomness, SystemRandomness } from '@sociograph/kernel';
import { Health, ManagementServer, Metrics, ShutdownSequence } from '@sociograph/observability';
import { AppLogger, HostContext } from './host-context';

/** Makes the parts of the HostContext injectable by their classes in every module. */
@Global()
@Module({})
export class HostModule {
  static forRoot(ctx: HostContext): DynamicModule {
    const providers = [
      { provide: HostContext, useValue: ctx },
      { provide: AppLogger, useValue: ctx.logger },
      { provide: Metrics, useValue: ctx.metrics },
      { provide: Health, useValue: ctx.health },
      { provide: ShutdownSequence, useValue: ctx.shutdown },
      { provide: ManagementServer, useValue: ctx.management },
      { provide: Clock, useValue: ctx.clock },
      { provide: Ids, useValue: ctx.ids },
      { provide: Randomness, useClass: SystemRandomness },
    ];
    return { module: HostModule, providers, exports: providers.map((provider) => provider.provide) };
  }
}
