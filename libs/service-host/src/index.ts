export { ConfigError, loadConfig } from './load-config';
export {
  arangoConfig,
  baseConfig,
  kafkaConfig,
  oidcConfig,
  postgresConfig,
  rabbitConfig,
  redisConfig,
} from './config-fragments';
export type { BaseConfig } from './config-fragments';
export { AppLogger, createHostContext, HostContext } from './host-context';
export type { HostContextOptions } from './host-context';
export { HostModule } from './host-module';
export { runMain, startService } from './start-service';
export type { ServiceHandle, ServiceModule, ServiceOptions } from './start-service';
export { httpStatusOf, problemOf } from './problem';
export type { Problem } from './problem';
export { ProblemFilter } from './problem-filter';
export { requestValidation } from './request-validation';
export { createApiDocument, writeOpenApi } from './open-api';
export { decodeCursor, encodeCursor, IdParam, LimitQuery, MAX_PAGE, PageQuery } from './paging';
export type { Page } from './paging';
export { LargeBody, StreamedBody } from './large-body';
export { sendEventStream } from './event-stream';
export { IdempotentPost } from './idempotent-post';
