import { trace } from '@opentelemetry/api';
import { pino } from 'pino';
import { currentCorrelationId } from './correlation';

export type Logger = pino.Logger;
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  service: string;
  instance: string;
  level: string;
  /** Standard output when absent; written synchronously, so that the last lines before an exit are there. */
  destination?: pino.DestinationStream;
}

const secretNames = [
  'token',
  'tokens',
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'clientSecret',
  'client_secret',
  'secret',
  'password',
  'authorization',
  'cookie',
  'set-cookie',
];
// Two levels deep: pino's redaction costs per path, and fields are flat by convention. A secret that is typed
// as `Secret` prints `[redacted]` at any depth.
const redactedPaths = secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`]);

const families = new WeakMap<Logger, Set<WeakRef<Logger>>>();

/** JSON lines: constant sentence, fields, service, instance, and the trace and correlation at hand. */
export function createLogger(options: LoggerOptions): Logger {
  const children = new Set<WeakRef<Logger>>();
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: { service: options.service, instance: options.instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
    mixin: contextFields,
    onChild: (child) => {
      for (const known of children) if (known.deref() === undefined) children.delete(known);
      children.add(new WeakRef(child as Logger));
    },
  };
  const logger = pino(settings, options.destination ?? pino.destination({ fd: 1, sync: true }));
  families.set(logger, children);
  return logger;
}

/** Changes the level of a logger made by `createLogger` and of every child it has: pino alone leaves children behind. */
export function setLogLevel(logger: Logger, level: LogLevel): void {
  logger.level = level;
  for (const child of families.get(logger) ?? []) {
    const alive = child.deref();
    if (alive !== undefined) alive.level = level;
  }
}

function contextFields(): Record<string, string> {
  const fields: Record<string, string> = {};
  const span = trace.getActiveSpan()?.spanContext();
  if (span !== undefined) fields['traceId'] = span.traceId;
  const correlationId = currentCorrelationId();
  if (correlationId !== undefined) fields['correlationId'] = correlationId;
  return fields;
}

/** An error as fields: what a DomainError knows beside its sentence, causes included, three deep. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { code, kind, facts, cause } = error as Error & { code?: unknown; kind?: unknown; facts?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(kind === undefined ? {} : { kind }),
    ...(facts === undefined ? {} : { facts }),
    ...(depth === 0 ? { stack: error.stack } : {}),
    ...(cause === undefined || depth >= 3 ? {} : { cause: describeError(cause, depth + 1) }),
  };
}
