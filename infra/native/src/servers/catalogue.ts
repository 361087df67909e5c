import type { Stack } from '../stack';
import { ArangoEmbeddedServer } from './arango-embedded';
import { KafkaServer } from './kafka';
import { KeycloakServer } from './keycloak';
import { PostgresServer } from './postgres';
import { PrometheusServer } from './prometheus';
import { EpmdServer, RabbitServer } from './rabbitmq';
import { REDIS_CACHE, REDIS_POOL, RedisServer } from './redis';
import type { Server } from './server';

/** Every server of one stack, by role. */
export class Servers {
  readonly postgres: PostgresServer;
  readonly redisPool: RedisServer;
  readonly redisCache: RedisServer;
  readonly epmd: EpmdServer;
  readonly rabbit: RabbitServer;
  readonly kafka: KafkaServer;
  readonly keycloak: KeycloakServer;
  readonly prometheus: PrometheusServer;
  readonly arango: ArangoEmbeddedServer;

  constructor(readonly stack: Stack) {
    this.postgres = new PostgresServer(stack);
    this.redisPool = new RedisServer(stack, REDIS_POOL);
    this.redisCache = new RedisServer(stack, REDIS_CACHE);
    this.epmd = new EpmdServer(stack);
    this.rabbit = new RabbitServer(stack);
    this.kafka = new KafkaServer(stack);
    this.keycloak = new KeycloakServer(stack);
    this.prometheus = new PrometheusServer(stack);
    this.arango = new ArangoEmbeddedServer(stack);
  }

  /** In the order in which they are shown; the slowest to start come first, so that they get the processor first. */
  all(): Server[] {
    const { keycloak, rabbit, epmd, kafka, postgres, redisPool, redisCache, prometheus, arango } = this;
    const usable = arango.built() || arango.given() !== undefined;
    const names = epmd.given() === undefined ? [epmd] : [];
    return [
      keycloak,
      ...names,
      rabbit,
      kafka,
      postgres,
      redisPool,
      redisCache,
      prometheus,
      ...(usable ? [arango] : []),
    ];
  }

  named(name: string): Server {
    const server = this.all().find((candidate) => candidate.name === name);
    if (server === undefined) {
      throw new Error(
        `There is no server "${name}"; there are ${this.all()
          .map((known) => known.name)
          .join(', ')}`,
      );
    }
    return server;
  }
}
