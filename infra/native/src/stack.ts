import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Secrets } from './secrets';

/** Services in the order of their port blocks; the order is part of the layout and never changes. */
export const SERVICES = [
  'key-service',
  'parser-service',
  'graph-storage-service',
  'read-model-projector',
  'identity-service',
] as const;

export type ServiceName = (typeof SERVICES)[number];

/** Below 32768: from there on the kernel hands out ports to outgoing connections, and one of ours could be taken. */
const DEFAULT_BASES: Readonly<Record<string, number>> = { dev: 27_000, test: 28_000 };

/** Offsets from the base port; a stack takes the 300 ports from its base on. */
const OFFSETS = {
  postgres: 1,
  redisPool: 2,
  redisCache: 3,
  rabbit: 4,
  rabbitManagement: 5,
  rabbitPrometheus: 6,
  rabbitEpmd: 7,
  rabbitDistribution: 8,
  kafka: 9,
  kafkaController: 10,
  keycloak: 11,
  keycloakManagement: 12,
  prometheus: 13,
  arango: 14,
  gatewayProxy: 20,
  gatewayAdmin: 21,
  gatewayStatus: 22,
  vkSimulator: 23,
  reconcilerManagement: 24,
  traceReceiver: 25,
  storeMetrics: 26,
} as const;

export type PortName = keyof typeof OFFSETS;

/** Instances of one service that fit into its block of ports. */
export const MAX_SCALE = 10;

export class Ports {
  constructor(readonly base: number) {
    if (!Number.isInteger(base) || base < 1024 || base > 65_235) {
      throw new Error(`The port base must be a number from 1024 to 65235, not ${base}`);
    }
  }

  of(name: PortName): number {
    return this.base + OFFSETS[name];
  }

  http(service: ServiceName, instance: number): number {
    return this.base + 100 + block(service, instance);
  }

  management(service: ServiceName, instance: number): number {
    return this.base + 200 + block(service, instance);
  }
}

function block(service: ServiceName, instance: number): number {
  if (!Number.isInteger(instance) || instance < 0 || instance >= MAX_SCALE) {
    throw new Error(`Instances are numbered 0 to ${MAX_SCALE - 1}, not ${instance}`);
  }
  return 10 * SERVICES.indexOf(service) + instance;
}

export interface Stack {
  readonly name: string;
  /** The repository's root; every path of the fleet is relative to it. */
  readonly root: string;
  /** `.sociograph/<name>`: data, logs, secrets and run files of this stack. */
  readonly dir: string;
  /** Downloads shared by all clones of this user. */
  readonly cache: string;
  readonly ports: Ports;
  readonly secrets: Secrets;
  /** Servers that the user brings, by the names in GIVEN. */
  readonly given: Readonly<Record<string, string>>;
}

/** Variables by which a server of the user's own is used instead of one that we start. */
export const GIVEN = [
  'ADMIN_DATABASE_URL',
  'ADMIN_REDIS_POOL_URL',
  'ADMIN_REDIS_CACHE_URL',
  'ADMIN_RABBITMQ_URL',
  'RABBITMQ_MANAGEMENT_URL',
  'KAFKA_BROKERS',
  'ADMIN_KAFKA_USERNAME',
  'ADMIN_KAFKA_PASSWORD',
  'KEYCLOAK_URL',
  'DEMO_CLIENT_SECRET',
  'PROMETHEUS_URL',
  'ARANGO_URL',
  'ARANGO_USERNAME',
  'ARANGO_PASSWORD',
  /** `true`: the servers given are for us alone, so each service gets an account of its own on them. */
  'SOCIOGRAPH_DEDICATED_SERVERS',
] as const;

export interface StackOptions {
  readonly root: string;
  readonly name?: string | undefined;
  readonly portBase?: number | undefined;
  /** Where `up` looks for servers of the user's own; other commands go by what `up` found. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
}

/**
 * Opens a stack, making its folder. The port base is remembered in `stack.json`, so that `status` and `down` find a
 * stack that was started with `--port-base`.
 */
export function openStack(options: StackOptions): Stack {
  const name = options.name ?? 'dev';
  if (!/^[a-z][a-z0-9-]{0,20}$/.test(name)) {
    throw new Error(`A stack's name is lower-case letters, digits and dashes, not "${name}"`);
  }
  const dir = join(options.root, '.sociograph', name);
  const file = join(dir, 'stack.json');
  const remembered = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { portBase: number }).portBase
    : undefined;
  const base = options.portBase ?? remembered ?? DEFAULT_BASES[name];
  if (base === undefined) throw new Error(`Stack "${name}" is new: give it its ports with --port-base N`);
  const ports = new Ports(base);
  for (const folder of ['', 'run', 'logs', 'data']) mkdirSync(join(dir, folder), { recursive: true });
  if (remembered !== base) writeFileSync(file, `${JSON.stringify({ name, portBase: base }, null, 2)}\n`);
  return {
    name,
    root: options.root,
    dir,
    cache: process.env['SOCIOGRAPH_CACHE'] ?? join(homedir(), '.cache', 'sociograph'),
    ports,
    secrets: new Secrets(join(dir, 'secrets')),
    given: givenServers(join(dir, 'given.json'), options.environment),
  };
}

/**
 * SOCIOGRAPH_STACK says that the variables were read from the env.json of a stack, as specs do: then they name servers
 * that we started, and bring none.
 */
function givenServers(file: string, environment: NodeJS.ProcessEnv | undefined): Record<string, string> {
  if (environment === undefined || environment['SOCIOGRAPH_STACK'] !== undefined) {
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
  }
  const given = Object.fromEntries(
    GIVEN.flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === '' ? [] : [[name, value] as const];
    }),
  );
  writeFileSync(file, `${JSON.stringify(given, null, 2)}\n`, { mode: 0o600 });
  return given;
}
