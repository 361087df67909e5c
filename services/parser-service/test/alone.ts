import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHostContext, type ServiceHandle, startService } from '@sociograph/service-host';
import { ownSuppressionKey, testServers } from '@sociograph/testing';
import type { ParserConfig } from '../src/config';
import { ParserServiceModule } from '../src/parser-service.module';
import type { ScratchDatabase } from './scratch-database';

type Edges = NonNullable<Parameters<typeof ParserServiceModule.forRoot>[2]>;

/** Where a parser-service of a spec's own lives; `more` is set beside what every spec needs. */
export interface Surroundings {
  /** Takes the files of its secrets. */
  folder: string;
  issuer: { issuer: string; jwksUrl: string };
  database: ScratchDatabase;
  broker: { urlOf(account: string): string };
  edges: Edges;
  more: Partial<ParserConfig>;
}

/** A parser-service in this process, on the test stack's Kafka and a database and vhost of the spec's own. */
export async function startParserAlone({
  folder,
  issuer,
  database,
  broker,
  edges,
  more,
}: Surroundings): Promise<ServiceHandle> {
  const servers = testServers();
  const identity = join(folder, 'identity.pem');
  writeFileSync(identity, '');
  const config: ParserConfig = {
    ...{ SERVICE_NAME: 'parser-service', NODE_ENV: 'test', LOG_LEVEL: 'fatal' },
    ...{ HTTP_HOST: '127.0.0.1', HTTP_PORT: 0, MANAGEMENT_PORT: 0, HTTP_NOTICE_MS: 0, TRACE_SAMPLE_RATIO: 0 },
    ...{ OIDC_ISSUER: issuer.issuer, OIDC_JWKS_URL: issuer.jwksUrl },
    ...{ OIDC_AUDIENCE: 'sociograph-api', OIDC_CLIENTS: ['sociograph-demo'] },
    ...{ DATABASE_URL_APP: database.appUrl, DATABASE_URL_WORKER: database.workerUrl },
    RABBITMQ_URL: broker.urlOf('parser-service'),
    KAFKA_BROKERS: servers.kafkaBrokers,
    KAFKA_USERNAME: servers.of('parser-service', 'KAFKA_USERNAME'),
    KAFKA_PASSWORD: servers.of('parser-service', 'KAFKA_PASSWORD'),
    VK_API_URL: 'http://127.0.0.1:1/method',
    LEASE_IDENTITY_FILE: identity,
    SUPPRESSION_KEY_FILE: ownSuppressionKey(),
    EGRESS: 'default',
    PARSER_CALLS_AT_ONCE: 32,
    PARSER_IMPORTS_PER_WORKSPACE: 1_000,
    PARSER_UPLOADS_PER_WORKSPACE: 50,
    PARSER_STREAMS_PER_WORKSPACE: 3,
    PARSER_KEEP_IMPORTS_DAYS: 365,
    PARSER_KEEP_CALLS_DAYS: 7,
    PARSER_KEEP_UPLOADS_DAYS: 30,
    ...more,
  } as ParserConfig;
  const context = createHostContext(config);
  return startService({
    module: ParserServiceModule.forRoot(config, context, edges),
    ...{ config, context, openApi: { title: 'parser-service' }, ownsProcess: false },
  });
}
