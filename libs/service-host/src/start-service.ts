import type { DynamicModule, INestApplication, LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import 'reflect-metadata';
import type { Logger } from '@sociograph/observability';
import type { BaseConfig } from './config-fragments';
import { EdgeAdapter } from './edge-adapter';
import { drainable } from './drain';
import { createHostContext, type HostContext, type HostContextOptions } from './host-context';
import { HostModule } from './host-module';
import { ProblemFilter } from './problem-filter';
import { requestValidation } from './request-validation';

/** Where the configuration does not say (`HTTP_NOTICE_MS`). */
const NOTICE_MS = 1_500;

export type ServiceModule = Type<unknown> | DynamicModule;

/** What `connectMicroservice` takes, or a bare transport strategy (anything with `listen` and `close`). */
type Microservice = Parameters<INestApplication['connectMicroservice']>[0];

export interface ServiceOptions extends HostContextOptions {
  /** The service's module, or an arrow function that makes it from the context. */
  module: ServiceModule | ((ctx: HostContext) => ServiceModule);
  config: BaseConfig;
  /** Consumers; called when all providers exist, so `app.get(...)` works. They start before the port opens. */
  microservices?: (app: NestFastifyApplication, ctx: HostContext) => Microservice[];
  openApi: { title: string };
  /** A context made beforehand by `createHostContext`. */
  context?: HostContext;
  /** False in specs: neither signals nor stray rejections may end the test process. */
  ownsProcess?: boolean;
}

export interface ServiceHandle {
  app: NestFastifyApplication;
  ctx: HostContext;
  /** Address of the REST edge. */
  url: string;
  managementUrl: string;
  /** Runs the shutdown sequence without ending the process. */
  close(): Promise<void>;
}

/** Starts a service: management port first (so that the start can be watched), then consumers, then the REST edge. */
export async function startService(options: ServiceOptions): Promise<ServiceHandle> {
  const ctx = options.context ?? createHostContext(options.config, options);
  const { logger, health, shutdown, management } = ctx;
  if (options.ownsProcess ?? true) ownProcess(ctx);
  await management.start();
  shutdown.add('close', 'management port', () => management.close());
  try {
    const app = await NestFactory.create<NestFastifyApplication>(
      rootOf(options.module, ctx),
      new EdgeAdapter(ctx),
      {
        logger: new NestLog(logger),
        bodyParser: false,
        abortOnError: false,
      },
    );
    app.useGlobalPipes(requestValidation());
    app.useGlobalFilters(new ProblemFilter(logger));
    for (const service of options.microservices?.(app, ctx) ?? [])
      app.connectMicroservice(asOptions(service));
    stopInOrder(app, ctx, options.config.HTTP_NOTICE_MS ?? NOTICE_MS);
    await app.startAllMicroservices();
    await app.listen(options.config.HTTP_PORT, options.config.HTTP_HOST);
    health.startup(true);
    const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
    logger.info({ url, managementUrl: management.url, title: options.openApi.title }, 'service started');
    return {
      app,
      ctx,
      url,
      managementUrl: management.url,
      close: async () => void (await shutdown.run('closed by its owner')),
    };
  } catch (error) {
    await shutdown.run('the start failed');
    throw error;
  }
}

/** Runs `main`; a failure of the start is one log line (a ConfigError: one sentence) and exit code 1. */
export function runMain(main: () => Promise<unknown>): void {
  main().catch((error: unknown) => {
    const text =
      error instanceof Error ? (error.name === 'ConfigError' ? error.message : error.stack) : String(error);
    process.stderr.write(`${text}\n`);
    process.exit(1);
  });
}

function rootOf(module: ServiceOptions['module'], ctx: HostContext): DynamicModule {
  // Only a class has a prototype: an arrow function does not.
  const isFactory = typeof module === 'function' && !('prototype' in module);
  const service = isFactory
    ? (module as (ctx: HostContext) => ServiceModule)(ctx)
    : (module as ServiceModule);
  return { module: class ServiceRoot {}, imports: [HostModule.forRoot(ctx), service] };
}

function asOptions(service: Microservice): Microservice {
  return 'listen' in service && typeof service.listen === 'function' ? { strategy: service } : service;
}

function stopInOrder(app: NestFastifyApplication, ctx: HostContext, noticeMs: number): void {
  const server = app.getHttpServer();
  const drain = drainable(server, noticeMs);
  let drained: Promise<void> = Promise.resolve();
  ctx.shutdown.add('stop-taking', 'rest edge', () => {
    ctx.health.stop();
    if (server.listening) drained = drain();
  });
  ctx.shutdown.add('finish', 'rest edge', () => drained);
  ctx.shutdown.add('finish', 'consumers', async () => {
    await Promise.all(app.getMicroservices().map((service) => service.close()));
  });
  ctx.shutdown.add('flush', 'tracing', () => ctx.tracing.shutdown());
  ctx.shutdown.add('close', 'application', () => app.close());
}

function ownProcess(ctx: HostContext): void {
  ctx.shutdown.install();
  const die = (error: unknown): void => {
    // The state of the process is unknown: it leaves, and its supervisor starts a fresh one.
    ctx.logger.fatal({ err: error }, 'an error that nobody handled');
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/** Nest's own sentences, one level lower than Nest thinks of them. */
class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, context?: string): void {
    this.logger.debug({ context }, String(message));
  }

  error(message: unknown, stack?: string, context?: string): void {
    this.logger.error({ context, stack }, String(message));
  }

  warn(message: unknown, context?: string): void {
    this.logger.warn({ context }, String(message));
  }
}
