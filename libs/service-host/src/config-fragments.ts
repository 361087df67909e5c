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
  SERVICE_NAME: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
  INSTANCE_ID: z.string().default('0'),
  NODE_ENV: z
    .enum(['development', 'test', 'production'], 'must be development, test or production')
    .default('development'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be a level of pino')
    .default('info'),
  HTTP_HOST: z.string().default('127.0.0.1'),
  HTTP_PORT: port,
  MANAGEMENT_PORT: port,
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
  readonly OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  readonly TRACE_SAMPLE_RATIO?: number;
}

/** Whose tokens are accepted: issuer as the `iss` claim has it, address of its keys, audience, allowed `azp`. */
export const oidcConfig = {
  OIDC_ISSUER: httpUrl,
  OIDC_JWKS_URL: httpUrl,
  OIDC_AUDIENCE: z.string().default('sociograph-api'),
  OIDC_CLIENTS: commaList.refine((clients) => clients.length > 0, 'must name at least one client'),
};

/** SASL/SCRAM-SHA-512 over SASL_PLAINTEXT when a user name is given, else plaintext without authentication. */
export const kafkaConfig = {
  KAFKA_BROKERS: commaList.refine((brokers) => brokers.length > 0, 'must name at least one broker'),
  KAFKA_USERNAME: z.string().optional(),
  KAFKA_PASSWORD: z.string().optional(),
};

export const rabbitConfig = {
  RABBITMQ_URL: z.url({ protocol: /^amqps?$/, error: 'must be an amqp or amqps URL' }),
};

const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgresql URL' });

/** The serving role (row-level security applies) and the worker role of dispatcher and relay. */
export const postgresConfig = {
  DATABASE_URL_APP: databaseUrl,
  DATABASE_URL_WORKER: databaseUrl,
  /** Only `migrate.ts` needs it; a serving process may run without the owner's credentials. */
  DATABASE_URL_OWNER: databaseUrl.optional(),
};

const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' });

/** Pick what the service uses: `REDIS_POOL_URL` holds leases, `REDIS_CACHE_URL` may lose everything at any time. */
export const redisConfig = { REDIS_POOL_URL: redisUrl, REDIS_CACHE_URL: redisUrl };

export const arangoConfig = {
  ARANGO_URL: httpUrl,
  ARANGO_DATABASE: z.string(),
  ARANGO_USERNAME: z.string(),
  ARANGO_PASSWORD: z.string(),
};
