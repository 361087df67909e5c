import { randomUUID } from 'node:crypto';
import { AmqpConnection, MessageHandlerErrorBehavior, RabbitMQModule } from '@golevelup/nestjs-rabbitmq';
import { Module, type DynamicModule, type LoggerService } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService } from '@nestjs/core';
import type { Logger, Metrics } from '@sociograph/observability';
import { TaskHandlers } from './task-handler';
import { TaskPublisher } from './task-publisher';

export interface RabbitModuleOptions {
  /** `amqp://user:password@host:port/vhost`. */
  url: string;
  /** Tasks under way at once per handler that names no number of its own. */
  prefetch: number;
  logger: Logger;
  metrics?: Metrics;
}

/** Holds TaskPublisher and the consumers of every @TaskHandler; made by `rabbitModule`. */
@Module({})
export class RabbitTasksModule {}

/**
 * The RabbitMQ side of a service: golevelup's connection (reconnects by itself every second, Nagle off, a broker
 * that is away at start does not end the process), `TaskPublisher` for injection anywhere, and the consumers of
 * all @TaskHandler methods. Exchanges and queues come from the topology file; nothing is declared here.
 */
export function rabbitModule(options: RabbitModuleOptions): DynamicModule {
  const { url, prefetch, logger, metrics } = options;
  const name = `tasks-${randomUUID()}`;
  const connectionModule = RabbitMQModule.forRootAsync({
    useFactory: () => ({
      name,
      uri: url,
      prefetchCount: prefetch,
      registerHandlers: false,
      enableDirectReplyTo: false,
      // Ours decide for themselves; should a @RabbitSubscribe ever appear, it must not requeue in a hot loop.
      defaultSubscribeErrorBehavior: MessageHandlerErrorBehavior.NACK,
      connectionInitOptions: { wait: false },
      connectionManagerOptions: {
        heartbeatIntervalInSeconds: 4,
        reconnectTimeInSeconds: 1,
        connectionOptions: {
          noDelay: true,
          timeout: 5_000,
          clientProperties: { connection_name: 'tasks' },
        },
      },
      logger: quieter(logger),
    }),
  });
  return {
    module: RabbitTasksModule,
    global: true,
    imports: [connectionModule, DiscoveryModule],
    providers: [
      {
        provide: TaskPublisher,
        useFactory: (amqp: AmqpConnection) => new TaskPublisher(amqp.managedConnection, logger),
        inject: [AmqpConnection],
      },
      {
        provide: TaskHandlers,
        useFactory: (amqp: AmqpConnection, discovery: DiscoveryService) =>
          new TaskHandlers(discovery, amqp.managedConnection, {
            prefetch,
            logger,
            ...(metrics === undefined ? {} : { metrics }),
          }),
        inject: [AmqpConnection, DiscoveryService],
      },
    ],
    exports: [TaskPublisher, TaskHandlers, connectionModule],
  };
}

/** golevelup's log through ours, one level lower: a lost connection is a warning here. */
function quieter(logger: Logger): LoggerService {
  const detail = (message: unknown): { detail: string } => ({ detail: String(message) });
  return {
    log: (message: unknown) => logger.debug(detail(message), 'golevelup notes'),
    debug: (message: unknown) => logger.trace(detail(message), 'golevelup notes'),
    verbose: (message: unknown) => logger.trace(detail(message), 'golevelup notes'),
    warn: (message: unknown) => logger.info(detail(message), 'golevelup warns'),
    error: (message: unknown) => logger.warn(detail(message), 'golevelup reports an error'),
  };
}
