import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARANGO_DATABASES } from './servers/arango-embedded';
import { DATABASES } from './servers/postgres';
import { REDIS_CACHE, REDIS_POOL } from './servers/redis';
import { ADMIN_CLIENT } from './servers/keycloak';
import { IDENTITY_CLIENT } from './servers/keycloak-access';
import type { Servers } from './servers/catalogue';
import { SERVICES, type ServiceName } from './stack';

export type Environment = Record<string, string>;

/** Addresses and accounts of the servers as one service sees them: only what it has an account for. */
export function serverEnvironment(servers: Servers, service: ServiceName): Environment {
  const { keycloak } = servers;
  return {
    ...postgresEnvironment(servers, service),
    ...rabbitEnvironment(servers, service),
    ...kafkaEnvironment(servers, service),
    ...redisEnvironment(servers, service),
    ...arangoEnvironment(servers, service),
    OIDC_ISSUER: keycloak.issuer(),
    OIDC_JWKS_URL: `${keycloak.issuer()}/protocol/openid-connect/certs`,
    OIDC_AUDIENCE: 'sociograph-api',
    OIDC_CLIENTS: 'sociograph-demo,sociograph-cli',
    ...(service === 'identity-service'
      ? {
          KEYCLOAK_URL: keycloak.url(),
          IDENTITY_CLIENT_ID: IDENTITY_CLIENT,
          IDENTITY_CLIENT_SECRET: keycloak.identitySecret(),
        }
      : {}),
  };
}

/** Everything that specs need: shared names, each service's own with a prefix, and the administrators'. */
export function testEnvironment(servers: Servers): Environment {
  const { postgres, rabbit, kafka, redisPool, redisCache, keycloak, arango, prometheus, stack } = servers;
  const admin = kafka.credentials('admin');
  const observer = kafka.credentials('observer');
  const arangoRoot = arango.credentials('root');
  const environment: Environment = {
    SOCIOGRAPH_STACK: stack.name,
    ADMIN_DATABASE_URL: postgres.adminUrl(),
    ADMIN_RABBITMQ_URL: rabbit.url('admin'),
    RABBITMQ_MANAGEMENT_URL: rabbit.managementUrl(),
    ADMIN_REDIS_POOL_URL: redisPool.url('admin'),
    ADMIN_REDIS_CACHE_URL: redisCache.url('admin'),
    KAFKA_BROKERS: kafka.brokers(),
    ...(admin === undefined
      ? {}
      : { ADMIN_KAFKA_USERNAME: admin.username, ADMIN_KAFKA_PASSWORD: admin.password }),
    ...(observer === undefined
      ? {}
      : { OBSERVER_KAFKA_USERNAME: observer.username, OBSERVER_KAFKA_PASSWORD: observer.password }),
    ...analyticsEnvironment(servers),
    KEYCLOAK_URL: keycloak.url(),
    KEYCLOAK_REALM: 'sociograph',
    KEYCLOAK_ADMIN_CLIENT_ID: ADMIN_CLIENT,
    KEYCLOAK_ADMIN_CLIENT_SECRET: keycloak.adminSecret(),
    DEMO_CLIENT_ID: 'sociograph-demo',
    DEMO_CLIENT_SECRET: keycloak.demoSecret(),
    ARANGO_URL: arango.url(),
    ARANGO_DATABASE: 'sociograph',
    ARANGO_USERNAME: arangoRoot.username,
    ARANGO_PASSWORD: arangoRoot.password,
    PROMETHEUS_URL: prometheus.url(),
    GATEWAY_URL: `http://127.0.0.1:${stack.ports.of('gatewayProxy')}`,
    GATEWAY_ADMIN_URL: `http://127.0.0.1:${stack.ports.of('gatewayAdmin')}`,
    VK_SIMULATOR_URL: `http://127.0.0.1:${stack.ports.of('vkSimulator')}`,
  };
  for (const service of SERVICES) {
    const own = serverEnvironment(servers, service);
    for (const [name, value] of Object.entries(own)) {
      if (name.startsWith('OIDC_')) environment[name] = value;
      else environment[`${prefixOf(service)}_${name}`] = value;
    }
  }
  return environment;
}

/** What `npm run analytics` needs: its account of Kafka and the platform's suppression key. */
function analyticsEnvironment({ kafka, stack }: Servers): Environment {
  const account = kafka.credentials('analytics');
  return {
    ANALYTICS_SUPPRESSION_KEY_FILE: stack.secrets.masterKeyFile('suppression-key'),
    ...(account === undefined
      ? {}
      : { ANALYTICS_KAFKA_USERNAME: account.username, ANALYTICS_KAFKA_PASSWORD: account.password }),
  };
}

/** `key-service` -> `KEY_SERVICE`. */
export function prefixOf(service: string): string {
  return service.toUpperCase().replaceAll('-', '_');
}

/** Writes `.sociograph/<stack>/env.json`; it holds every secret of the stack, hence mode 0600. */
export function writeEnvironmentFile(servers: Servers): void {
  const file = join(servers.stack.dir, 'env.json');
  writeFileSync(file, `${JSON.stringify(testEnvironment(servers), null, 2)}\n`, { mode: 0o600 });
  writeKcatFile(servers);
}

/** `kcat -F .sociograph/<stack>/kcat.conf -C -t TOPIC`: the account that may read every topic and write none. */
function writeKcatFile({ kafka, stack }: Servers): void {
  const observer = kafka.credentials('observer');
  const login =
    observer === undefined
      ? []
      : [
          'security.protocol=SASL_PLAINTEXT',
          'sasl.mechanisms=PLAIN',
          `sasl.username=${observer.username}`,
          `sasl.password=${observer.password}`,
        ];
  const lines = [`bootstrap.servers=${kafka.brokers()}`, ...login];
  writeFileSync(join(stack.dir, 'kcat.conf'), `${lines.join('\n')}\n`, { mode: 0o600 });
}

/** The same connection string for another account and database of that server. */
export function databaseUrl(adminUrl: string, role: string, password: string, database: string): string {
  const url = new URL(adminUrl);
  url.username = role;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}

function postgresEnvironment({ postgres, stack }: Servers, service: ServiceName): Environment {
  const database = DATABASES.find((name) => name === service.replaceAll('-', '_'));
  if (database === undefined) return {};
  const url = (kind: string): string => {
    const role = `${database}_${kind}`;
    return databaseUrl(postgres.adminUrl(), role, stack.secrets.password(`postgres.${role}`), database);
  };
  return {
    DATABASE_URL_OWNER: url('owner'),
    DATABASE_URL_APP: url('app'),
    DATABASE_URL_WORKER: url('worker'),
  };
}

function rabbitEnvironment({ rabbit }: Servers, service: ServiceName): Environment {
  return service === 'key-service' || service === 'parser-service'
    ? { RABBITMQ_URL: rabbit.url(service) }
    : {};
}

function kafkaEnvironment({ kafka }: Servers, service: ServiceName): Environment {
  const account = kafka.credentials(service);
  return {
    KAFKA_BROKERS: kafka.brokers(),
    ...(account === undefined ? {} : { KAFKA_USERNAME: account.username, KAFKA_PASSWORD: account.password }),
  };
}

function redisEnvironment({ redisPool, redisCache }: Servers, service: ServiceName): Environment {
  return {
    ...(service in REDIS_POOL.accounts ? { REDIS_POOL_URL: redisPool.url(service) } : {}),
    ...(service in REDIS_CACHE.accounts ? { REDIS_CACHE_URL: redisCache.url(service) } : {}),
  };
}

function arangoEnvironment({ arango }: Servers, service: ServiceName): Environment {
  const database = (ARANGO_DATABASES as Record<string, string>)[service];
  if (database === undefined) return {};
  const { username, password } = arango.credentials(service);
  return {
    ARANGO_URL: arango.url(),
    ARANGO_DATABASE: database,
    ARANGO_USERNAME: username,
    ARANGO_PASSWORD: password,
  };
}
