import 'reflect-metadata';
import { MessageHandlerErrorBehavior, type RabbitMQConfig } from '@golevelup/nestjs-rabbitmq';
import type { DynamicModule, LoggerService } from '@nestjs/common';
import { createLogger } from '@sociograph/observability';
import { rabbitModule } from './rabbit';
import { TaskHandlers } from './task-handler';
import { TaskPublisher } from './task-publisher';

describe('rabbitModule', () => {
  const lines: string[] = [];
  const logger = createLogger({
    service: 'spec',
    instance: '0',
    level: 'trace',
    destination: { write: (line: string) => void lines.push(line) },
  });

  async function configOf(module: DynamicModule): Promise<RabbitMQConfig> {
    const connection = module.imports?.[0] as DynamicModule;
    for (const provider of connection.providers ?? []) {
      if (!('useFactory' in provider) || (provider.inject ?? []).length > 0) continue;
      const made: unknown = await (provider.useFactory as () => unknown)();
      if (typeof made === 'object' && made !== null && 'uri' in made) return made as RabbitMQConfig;
    }
    throw new Error('no configuration found');
  }

  it('connects without waiting, notices a dead broker within 8 s, and tries again every second', async () => {
    const config = await configOf(rabbitModule({ url: 'amqp://h/v', prefetch: 3, logger }));
    expect(config).toMatchObject({
      uri: 'amqp://h/v',
      prefetchCount: 3,
      registerHandlers: false,
      enableDirectReplyTo: false,
      defaultSubscribeErrorBehavior: MessageHandlerErrorBehavior.NACK,
      connectionInitOptions: { wait: false },
      connectionManagerOptions: {
        heartbeatIntervalInSeconds: 4,
        reconnectTimeInSeconds: 1,
        connectionOptions: { noDelay: true, timeout: 5_000, clientProperties: { connection_name: 'tasks' } },
      },
    });
    const other = await configOf(rabbitModule({ url: 'amqp://h/v', prefetch: 3, logger }));
    expect(other.name).not.toBe(config.name);
  });

  it('is global, and offers publisher and consumers', () => {
    const module = rabbitModule({ url: 'amqp://h/v', prefetch: 3, logger });
    expect(module.global).toBe(true);
    expect(module.exports).toEqual([TaskPublisher, TaskHandlers, module.imports?.[0]]);
  });

  it('logs one level lower than golevelup does', async () => {
    const { logger: theirs } = await configOf(rabbitModule({ url: 'amqp://h/v', prefetch: 3, logger }));
    const log = theirs as Required<LoggerService>;
    log.error('text');
    log.warn('text');
    log.log('text');
    log.debug('text');
    log.verbose('text');
    const written = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(written.map(({ level, detail }) => [level, detail])).toEqual([
      ['warn', 'text'],
      ['info', 'text'],
      ['debug', 'text'],
      ['trace', 'text'],
      ['trace', 'text'],
    ]);
  });
});
