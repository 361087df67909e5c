/** Addresses and accounts of the test stack, by the names of its environment variables. */
export interface TestServers {
  /** A superuser: may create databases and roles. */
  adminDatabaseUrl: string;
  adminRabbitmqUrl: string;
  rabbitmqManagementUrl: string | undefined;
  kafkaBrokers: string[];
  /** Undefined where Kafka takes anybody (a server given by URL). */
  adminKafkaUsername: string | undefined;
  adminKafkaPassword: string | undefined;
  adminRedisPoolUrl: string | undefined;
  adminRedisCacheUrl: string | undefined;
  keycloakUrl: string | undefined;
  keycloakRealm: string | undefined;
  arangoUrl: string | undefined;
  arangoDatabase: string | undefined;
  arangoUsername: string | undefined;
  arangoPassword: string | undefined;
  /** A variable of one service's account: `of('key-service', 'DATABASE_URL_APP')`. */
  of(service: string, name: string): string;
}

/** The test stack's servers; throws one sentence that says how to start them when there are none. */
export function testServers(env: NodeJS.ProcessEnv = process.env): TestServers {
  const optional = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const needed = (name: string): string => {
    const value = optional(name);
    if (value !== undefined) return value;
    throw new Error(
      `${name} is not set: start the test stack first (npm run up -- --stack test --servers-only)`,
    );
  };
  return {
    adminDatabaseUrl: needed('ADMIN_DATABASE_URL'),
    adminRabbitmqUrl: needed('ADMIN_RABBITMQ_URL'),
    rabbitmqManagementUrl: optional('RABBITMQ_MANAGEMENT_URL'),
    kafkaBrokers: needed('KAFKA_BROKERS').split(','),
    adminKafkaUsername: optional('ADMIN_KAFKA_USERNAME'),
    adminKafkaPassword: optional('ADMIN_KAFKA_PASSWORD'),
    adminRedisPoolUrl: optional('ADMIN_REDIS_POOL_URL'),
    adminRedisCacheUrl: optional('ADMIN_REDIS_CACHE_URL'),
    keycloakUrl: optional('KEYCLOAK_URL'),
    keycloakRealm: optional('KEYCLOAK_REALM'),
    arangoUrl: optional('ARANGO_URL'),
    arangoDatabase: optional('ARANGO_DATABASE'),
    arangoUsername: optional('ARANGO_USERNAME'),
    arangoPassword: optional('ARANGO_PASSWORD'),
    of: (service, name) => needed(`${service.replaceAll('-', '_').toUpperCase()}_${name}`),
  };
}
