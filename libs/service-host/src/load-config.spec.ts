import { inspect } from 'node:util';
import { z } from 'zod';
import {
  arangoConfig,
  baseConfig,
  kafkaConfig,
  oidcConfig,
  postgresConfig,
  rabbitConfig,
  redisConfig,
} from './config-fragments';
import { ConfigError, loadConfig } from './load-config';

const base = { SERVICE_NAME: 'key-service', HTTP_PORT: '3000', MANAGEMENT_PORT: '3001' };
const servers = {
  DATABASE_URL_APP: 'postgresql://app:hidden@db:5432/keys?sslmode=require',
  DATABASE_URL_WORKER: 'postgresql://worker:hidden@db:5432/keys?sslmode=require',
  RABBITMQ_URL: 'amqps://keys:hidden@mq:5671/sociograph',
  KAFKA_BROKERS: 'k1:9092, k2:9092,',
  REDIS_POOL_URL: 'rediss://keys:hidden@redis:6379',
  REDIS_CACHE_URL: 'rediss://keys:hidden@redis:6380',
  ARANGO_URL: 'https://arango:8529',
  ARANGO_DATABASE: 'graph',
  ARANGO_USERNAME: 'storage',
  ARANGO_PASSWORD: 'hidden',
  OIDC_ISSUER: 'https://id/realms/sociograph',
  OIDC_JWKS_URL: 'https://id/realms/sociograph/protocol/openid-connect/certs',
  OIDC_CLIENTS: 'web, demo',
};
const whole = z.object({
  ...baseConfig,
  ...oidcConfig,
  ...postgresConfig,
  ...rabbitConfig,
  ...kafkaConfig,
  ...redisConfig,
  ...arangoConfig,
});

function faultsOf(env: Record<string, string | undefined>): string[] {
  try {
    loadConfig(whole, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => fault.name);
    throw error;
  }
  return [];
}

describe('the configuration of a service', () => {
  it('is typed, has defaults and cannot be changed', () => {
    const config = loadConfig(whole, { ...base, ...servers, LOG_LEVEL: '' });
    expect(config).toMatchObject({
      HTTP_PORT: 3000,
      HTTP_HOST: '127.0.0.1',
      INSTANCE_ID: '0',
      NODE_ENV: 'development',
      LOG_LEVEL: 'info',
      TRACE_SAMPLE_RATIO: 1,
      OIDC_AUDIENCE: 'sociograph-api',
      OIDC_CLIENTS: ['web', 'demo'],
      KAFKA_BROKERS: ['k1:9092', 'k2:9092'],
    });
    expect(() => Object.assign(config, { HTTP_PORT: 1 })).toThrow(TypeError);
  });

  it('shows names and no values when it is printed', () => {
    const config = loadConfig(whole, { ...base, ...servers });
    for (const text of [inspect(config), JSON.stringify(config), JSON.stringify({ config })]) {
      expect(text).toContain('DATABASE_URL_APP');
      expect(text).not.toContain('hidden');
    }
  });

  it('reports all faults together, by name and never by value', () => {
    const env = {
      HTTP_PORT: '70000',
      MANAGEMENT_PORT: 'hidden',
      RABBITMQ_URL: 'http://u:hidden@h',
      LOG_LEVEL: 'loud',
    };
    const schema = z.object({ ...baseConfig, ...rabbitConfig });
    expect(() => loadConfig(schema, env)).toThrow(
      new ConfigError([
        { name: 'SERVICE_NAME', message: 'is missing' },
        { name: 'LOG_LEVEL', message: 'must be a level of pino' },
        { name: 'HTTP_PORT', message: 'must be a port' },
        { name: 'MANAGEMENT_PORT', message: 'must be a port' },
        { name: 'RABBITMQ_URL', message: 'must be an amqp or amqps URL' },
      ]),
    );
  });

  it('takes encrypted servers with credentials in production, Kafka by permission only', () => {
    const env = { ...base, ...servers, NODE_ENV: 'production' };
    expect(faultsOf(env)).toEqual(['KAFKA_BROKERS']);
    expect(faultsOf({ ...env, ALLOW_INSECURE_KAFKA: 'true' })).toEqual([]);
    expect(faultsOf({ ...env, ALLOW_INSECURE_KAFKA: 'yes' })).toEqual(['KAFKA_BROKERS']);
  });

  it.each([
    ['POSTGRES', { DATABASE_URL_APP: 'postgresql://app:x@db/keys' }, ['DATABASE_URL_APP']],
    ['POSTGRES', { DATABASE_URL_APP: 'postgresql://db/keys?sslmode=require' }, ['DATABASE_URL_APP']],
    ['POSTGRES', { DATABASE_URL_APP: 'postgresql://app@db/keys' }, ['DATABASE_URL_APP', 'DATABASE_URL_APP']],
    ['RABBITMQ', { RABBITMQ_URL: 'amqp://u:p@mq' }, ['RABBITMQ_URL']],
    ['REDIS', { REDIS_POOL_URL: 'redis://:p@redis' }, ['REDIS_POOL_URL']],
    ['REDIS', { REDIS_CACHE_URL: 'rediss://redis' }, ['REDIS_CACHE_URL']],
    ['ARANGO', { ARANGO_URL: 'http://arango:8529' }, ['ARANGO_URL']],
    ['KEYCLOAK', { OIDC_JWKS_URL: 'http://id/certs' }, ['OIDC_JWKS_URL']],
    ['OTEL', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318' }, ['OTEL_EXPORTER_OTLP_ENDPOINT']],
  ])('refuses an insecure %s in production unless it is permitted: %j', (server, change, faults) => {
    const env = { ...base, ...servers, ...change, NODE_ENV: 'production', ALLOW_INSECURE_KAFKA: 'true' };
    expect(faultsOf(env)).toEqual(faults);
    expect(faultsOf({ ...env, [`ALLOW_INSECURE_${server}`]: 'true' })).toEqual([]);
    expect(faultsOf({ ...env, NODE_ENV: 'development' })).toEqual([]);
  });
});
