import { z } from 'zod';

const port = z.coerce
  .number('must be a port')
  .int('must be a port')
  .min(0, 'must be a port')
  .max(65_535, 'must be a port');
const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const commaList = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** What every service reads. Spread the fragments into one `z.object` in the service's `config.ts`. */
export const baseConfig = {
  /** The name in logs, metrics and traces. */
  SERVICE_NAME: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
  /** Which of several processes of the service this is. */
  INSTANCE_ID: z.string().default('0'),
  /** `production` refuses connections in plaintext. */
  NODE_ENV: z
    .enum(['development', 'test', 'production'], 'must be development, test or production')
    .default('development'),
  /** Changed while running at the management port. */
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be a level of pino')
    .default('info'),
  /** Address that both ports listen on. */
  HTTP_HOST: z.string().default('127.0.0.1'),
  /** Port of the REST API; 0: any that is free. */
  HTTP_PORT: port,
  /** Port of health, metrics and log level; never routed from outside. */
  MANAGEMENT_PORT: port,
  /** Between SIGTERM and the end of taking requests (ms): a gateway that probes every second has noticed by then. */
  HTTP_NOTICE_MS: z.coerce.number().int().min(0).max(3_000).default(1_500),
  /** Base address of an OTLP/HTTP collector; absent: nothing is exported. */
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  /** Share of new traces that are kept, 0 to 1. */
  TRACE_SAMPLE_RATIO: z.coerce
    .number('must be between 0 and 1')
    .min(0, 'must be between 0 and 1')
    .max(1, 'must be between 0 and 1')
    .default(1),
};

export interface BaseConfig {
  readonly SERVICE_NAME: string;
  readonly INSTANCE_ID: string;
  readonly LOG_LEVEL: string;
  readonly HTTP_HOST: string;
  readonly HTTP_PORT: number;
  readonly MANAGEMENT_PORT: number;
  readonly HTTP_NOTICE_MS?: number;
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly TRACE_SAMPLE_RATIO?: number;
}

/** Whose tokens are accepted: issuer as the `iss` claim has it, address of its keys, audience, allowed `azp`. */
export const oidcConfig = {
  /** The `iss` of the tokens that are accepted. */
  OIDC_ISSUER: httpUrl,
  /** Where the keys are that tokens are signed with. */
  OIDC_JWKS_URL: httpUrl,
  /** The `aud` of the tokens that are accepted. */
  OIDC_AUDIENCE: z.string().default('sociograph-api'),
  /** The clients (`azp`) whose tokens are accepted, comma separated. */
  OIDC_CLIENTS: commaList.refine((clients) => clients.length > 0, 'must name at least one client'),
};

/** SASL/SCRAM-SHA-512 over SASL_PLAINTEXT when a user name is given, else plaintext without authentication. */
export const kafkaConfig = {
  /** host:port, comma separated. */
  KAFKA_BROKERS: commaList.refine((brokers) => brokers.length > 0, 'must name at least one broker'),
  /** SASL/SCRAM-SHA-512; without it nobody logs in. */
  KAFKA_USERNAME: z.string().optional(),
  /** The password of that account. */
  KAFKA_PASSWORD: z.string().optional(),
};

export const rabbitConfig = {
  /** amqp or amqps URL with account and virtual host. */
  RABBITMQ_URL: z.url({ protocol: /^amqps?$/, error: 'must be an amqp or amqps URL' }),
};

const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql URL' });

/** The serving role (row-level security applies) and the worker role of dispatcher and relay. */
export const postgresConfig = {
  /** The role that serves requests: row-level security applies to it. */
  DATABASE_URL_APP: databaseUrl,
  /** The role of dispatcher and relay, with policies of its own. */
  DATABASE_URL_WORKER: databaseUrl,
  /**
   * The role that owns the tables: migrations need it, and parser-service to write its files anew when somebody was erased
   * (docs/erasure.md); without it a process serves all the same.
   */
  DATABASE_URL_OWNER: databaseUrl.optional(),
};

const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' });

/** Pick what the service uses: `REDIS_POOL_URL` holds leases, `REDIS_CACHE_URL` may lose everything at any time. */
export const redisConfig = {
  /** Leases, fences, revocations: with AOF and without eviction. */
  REDIS_POOL_URL: redisUrl,
  /** Caches and counters: may lose everything at any time. */
  REDIS_CACHE_URL: redisUrl,
};

export const arangoConfig = {
  /** ArangoDB, or its stand-in. */
  ARANGO_URL: httpUrl,
  /** The service's own database there. */
  ARANGO_DATABASE: z.string(),
  /** The service's own account there. */
  ARANGO_USERNAME: z.string(),
  /** The password of that account. */
  ARANGO_PASSWORD: z.string(),
};
