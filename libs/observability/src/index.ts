export { createLogger, setLogLevel, logLevels } from './logger';
export type { Logger, LogLevel, LoggerOptions } from './logger';
export { Metrics } from './metrics';
export type { MetricsOptions } from './metrics';
export { workerErrors } from './worker-errors';
export {
  annotateSpan,
  currentTraceparent,
  extractTrace,
  injectTrace,
  inSpan,
  isKept,
  openKeptSpan,
  openSpan,
  startServerSpan,
  startTracing,
} from './tracing';
export { inStoreSpan } from './store-span';
export type { FinishedSpan } from './finished-span';
export type {
  OpenSpan,
  ServerSpan,
  SpanOptions,
  TraceContext,
  TraceHeaders,
  Tracing,
  TracingOptions,
} from './tracing';
export { acceptCorrelationId, currentCorrelationId, runWithCorrelation } from './correlation';
export { currentPeer, runWithPeer } from './peer';
export { handled } from './handled';
export type { HandledOptions } from './handled';
export { Health } from './health';
export type { CheckState, HealthReport } from './health';
export { ManagementServer } from './management-server';
export type { ManagementServerOptions } from './management-server';
export { ShutdownSequence } from './shutdown-sequence';
export type { ShutdownOptions, ShutdownStage } from './shutdown-sequence';
