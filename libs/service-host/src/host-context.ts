import { SystemClock, TimeOrderedIds, type Clock, type Ids } from '@sociograph/kernel';
import {
  createLogger,
  Health,
  ManagementServer,
  Metrics,
  ShutdownSequence,
  startTracing,
  type Logger,
  type Tracing,
} from '@sociograph/observability';
import type { BaseConfig } from './config-fragments';

// The class is the injection token, the interface gives it pino's members; it is never instantiated.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export abstract class AppLogger {}
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type
export interface AppLogger extends Logger {}

/** What every part of a service may ask for; one per process, injectable everywhere. */
export class HostContext {
  constructor(
    readonly logger: Logger,
    readonly metrics: Metrics,
    readonly health: Health,
    readonly shutdown: ShutdownSequence,
    readonly tracing: Tracing,
    readonly clock: Clock,
    readonly ids: Ids,
    readonly management: ManagementServer,
  ) {}
}

export interface HostContextOptions {
  metrics?: Metrics;
  logger?: Logger;
  clock?: Clock;
  ids?: Ids;
}

/** Makes the context from the configuration; for `main.ts` when the module's wiring needs the logger beforehand. */
export function createHostContext(config: BaseConfig, options: HostContextOptions = {}): HostContext {
  const name = { service: config.SERVICE_NAME, instance: config.INSTANCE_ID };
  const logger = options.logger ?? createLogger({ ...name, level: config.LOG_LEVEL });
  const metrics = options.metrics ?? new Metrics(name);
  const health = new Health();
  const tracing = startTracing({
    ...name,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    sampleRatio: config.TRACE_SAMPLE_RATIO ?? 1,
  });
  const management = new ManagementServer({
    port: config.MANAGEMENT_PORT,
    host: config.HTTP_HOST,
    metrics,
    health,
    logger,
  });
  return new HostContext(
    logger,
    metrics,
    health,
    new ShutdownSequence({ logger }),
    tracing,
    options.clock ?? new SystemClock(),
    options.ids ?? new TimeOrderedIds(),
    management,
  );
}
