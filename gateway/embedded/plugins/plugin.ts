import type { Credential, Exchange, Exit } from '../exchange';
import type { Rule } from '../field-rules';

/** What plugins reach beyond their own configuration. */
export interface Surroundings {
  credential(key: string): Credential | undefined;
  /** Counts a call in a fixed window in Redis; rejects when Redis does not answer in time. */
  countInRedis(redis: RedisAddress, key: string, ttlSeconds: number): Promise<number>;
  /** The same in this process. */
  countLocally(key: string, windowStartMs: number, windowMs: number): number;
  /** A request was let through because its limit could not be counted. */
  uncounted(): void;
  /** Wall clock, milliseconds. */
  now(): number;
}

export interface RedisAddress {
  host: string;
  port: number;
  timeout: number;
  username: string | undefined;
  password: string | undefined;
  database: number;
}

/** A plugin of Kong as far as kong.yml uses it. Higher priorities run first (Kong's own numbers). */
export interface Plugin<C> {
  name: string;
  priority: number;
  config: Rule<C>;
  access?(
    exchange: Exchange,
    config: C,
    surroundings: Surroundings,
  ): Exit | undefined | Promise<Exit | undefined>;
  /** Adds headers to any answer, the gateway's own included. */
  answer?(exchange: Exchange, config: C, headers: Record<string, string>): void;
}

/** A plugin with its configuration, as a route holds it. */
export interface BoundPlugin {
  name: string;
  priority: number;
  access(exchange: Exchange, surroundings: Surroundings): Exit | undefined | Promise<Exit | undefined>;
  answer(exchange: Exchange, headers: Record<string, string>): void;
}

export function bind<C>(plugin: Plugin<C>, value: unknown, where: string): BoundPlugin {
  const config = plugin.config(value ?? {}, where);
  return {
    name: plugin.name,
    priority: plugin.priority,
    access: (exchange, surroundings) => plugin.access?.(exchange, config, surroundings),
    answer: (exchange, headers) => plugin.answer?.(exchange, config, headers),
  };
}
