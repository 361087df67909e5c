import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Environment, serverEnvironment } from './environment';
import { tracesFolder } from './commands/trace';
import type { Servers } from './servers/catalogue';
import { type ServiceName, SERVICES, type Stack } from './stack';
import type { ProcessSpec } from './supervisor/process-spec';

/** Services that lease keys: each signs with an identity of its own that key-service trusts. */
const WORKERS: readonly ServiceName[] = ['parser-service'];
/** Services that must recognise erased people, all with the same key. */
const FILTERING: readonly ServiceName[] = ['parser-service', 'graph-storage-service', 'read-model-projector'];

/** Variables of the caller that reach every process of the fleet. */
const PASSED_ON =
  /^(PATH|HOME|LANG|TZ|LOG_LEVEL|OTEL_.*|AWS_.*|KMS_.*|EXPORTS_.*|ERASURE_.*|PARSER_FORGET_FILES_MS|PROJECTOR_CHECKPOINT_MS|DRILL_.*|TRACE_SAMPLE_RATIO|VK_API_URL|GATEWAY_CONFIG)$/;

/** Old-generation limits in MB; resident memory is what counts, but a leak shall not take the machine along. */
const HEAP_MB: Readonly<Record<string, number>> = { 'read-model-projector': 640 };
const USUAL_HEAP_MB = 256;
/**
 * V8's young generation in MB: with the usual growth from 1 MB graph-storage spends a third of its time collecting, the
 * parser with 4 MB an eighth.
 */
const NURSERY_MB: Readonly<Record<string, number>> = { 'graph-storage-service': 16, 'parser-service': 16 };
const USUAL_NURSERY_MB = 4;
/**
 * Of calls, which begin traces of their own, as many are kept as of the requests that the gateway passes on
 * (gateway/kong.yml). What begins long work is always traced there, and the first calls of an import with it.
 */
const TRACE_SAMPLE_RATIO = '0.01';
/** For processes without much garbage: V8's young generation would else take 16 MB and more per half. */
const SMALL_NURSERY = '--max-semi-space-size=2';

export interface FleetOptions {
  readonly scale: number;
  /** Options of the VK simulator by name (`graph`, `keys`, `delay` ...), or undefined: no simulator. */
  readonly simulator: Readonly<Record<string, string>> | undefined;
}

export interface Fleet {
  readonly processes: ProcessSpec[];
  /** Programs that are not built; the fleet runs without them. */
  readonly missing: string[];
}

/** Every process that runs beside the servers, in the order in which they are started. */
export function fleetOf(
  servers: Servers,
  options: FleetOptions,
  caller: NodeJS.ProcessEnv = process.env,
): Fleet {
  const { stack } = servers;
  const elsewhere = (caller['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '') !== '';
  const base = elsewhere
    ? passedOn(caller)
    : { TRACE_SAMPLE_RATIO, ...passedOn(caller), ...tracedHere(stack) };
  const wanted: ProcessSpec[] = [...(elsewhere ? [] : [traceReceiver(stack)]), storeMetrics(stack)];
  if (options.simulator !== undefined) wanted.push(simulator(stack, options.simulator, base));
  for (const service of SERVICES) {
    if (!existsSync(join(stack.root, 'services', service))) continue; // Planned, not in the repository yet.
    for (let instance = 0; instance < options.scale; instance += 1) {
      wanted.push(serviceProcess(servers, service, instance, options, base));
    }
  }
  wanted.push(gateway(servers, options.scale, base), reconciler(servers, base));
  const preload = caller['SOCIOGRAPH_PRELOAD'];
  const there = (spec: ProcessSpec): boolean => existsSync(join(stack.root, programOf(spec)));
  return {
    processes: wanted
      .filter(there)
      .map((spec) => (preload === undefined ? spec : withPreload(spec, preload))),
    missing: [...new Set(wanted.filter((spec) => !there(spec)).map(programOf))],
  };
}

/** Environment of one service, also that of its migrations. */
export function serviceEnvironment(
  servers: Servers,
  service: ServiceName,
  instance: number,
  options: Pick<FleetOptions, 'simulator'>,
): Environment {
  const { stack } = servers;
  return {
    SERVICE_NAME: service,
    INSTANCE_ID: String(instance),
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(stack.ports.http(service, instance)),
    MANAGEMENT_PORT: String(stack.ports.management(service, instance)),
    NODE_OPTIONS: `--max-old-space-size=${HEAP_MB[service] ?? USUAL_HEAP_MB} --max-semi-space-size=${NURSERY_MB[service] ?? USUAL_NURSERY_MB}`,
    // glibc keeps an arena for each thread, which Node fills and never gives back.
    MALLOC_ARENA_MAX: '2',
    ...serverEnvironment(servers, service),
    ...(service === 'key-service' ? keyServiceSecrets(stack) : {}),
    ...(service === 'identity-service' ? identitySecrets(stack) : {}),
    ...(service === 'graph-storage-service' ? { EXPORTS_FOLDER: join(stack.dir, 'exports') } : {}),
    ...(WORKERS.includes(service)
      ? { LEASE_IDENTITY_FILE: stack.secrets.identity(`lease.${service}`).privateFile }
      : {}),
    ...(FILTERING.includes(service)
      ? { SUPPRESSION_KEY_FILE: stack.secrets.masterKeyFile('suppression-key') }
      : {}),
    // Specs take times beside it.
    ...(service === 'parser-service' && stack.name === 'test' ? { PARSER_FORGET_FILES_MS: '1800000' } : {}),
    ...(service === 'parser-service' && options.simulator !== undefined
      ? { VK_API_URL: simulatorUrl(stack) }
      : {}),
  };
}

export function simulatorUrl(stack: Stack): string {
  return `http://127.0.0.1:${stack.ports.of('vkSimulator')}/method`;
}

/** `key-service:3000=127.0.0.1:47100|127.0.0.1:47101,...`: where the gateway finds the names in kong.yml. */
export function gatewayHosts(servers: Servers, scale: number): string {
  const { stack } = servers;
  const services = SERVICES.map((service) => {
    const targets = Array.from(
      { length: scale },
      (_, instance) => `127.0.0.1:${stack.ports.http(service, instance)}`,
    );
    return `${service}:3000=${targets.join('|')}`;
  });
  const cache = new URL(servers.redisCache.url('gateway'));
  return [...services, `redis-cache:6379=${cache.host}`].join(',');
}

/** Spans go to the stack's own receiver. */
function tracedHere(stack: Stack): Environment {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${stack.ports.of('traceReceiver')}` };
}

function traceReceiver(stack: Stack): ProcessSpec {
  const port = stack.ports.of('traceReceiver');
  return node(stack, 'trace-receiver', 'infra/native/dist/traces/main.js', {
    env: {
      NODE_OPTIONS: `--max-old-space-size=96 ${SMALL_NURSERY}`,
      TRACES_FOLDER: tracesFolder(stack),
      TRACES_PORT: String(port),
    },
    ports: { http: port },
  });
}

/** Name of the process that shows figures of the servers which they do not show themselves. */
export const STORE_METRICS = 'store-metrics';

function storeMetrics(stack: Stack): ProcessSpec {
  const port = stack.ports.of('storeMetrics');
  return node(stack, STORE_METRICS, 'infra/native/dist/store-metrics/main.js', {
    env: {
      NODE_OPTIONS: `--max-old-space-size=64 ${SMALL_NURSERY}`,
      STORES_STACK: stack.name,
      STORES_PORT: String(port),
    },
    ports: { http: port },
  });
}

function serviceProcess(
  servers: Servers,
  service: ServiceName,
  instance: number,
  options: FleetOptions,
  base: Environment,
): ProcessSpec {
  const { ports } = servers.stack;
  return node(servers.stack, `${service}-${instance}`, `services/${service}/dist/main.js`, {
    env: { ...serviceEnvironment(servers, service, instance, options), ...base },
    ports: { http: ports.http(service, instance), management: ports.management(service, instance) },
  });
}

function gateway(servers: Servers, scale: number, base: Environment): ProcessSpec {
  const { stack } = servers;
  const ports = {
    proxy: stack.ports.of('gatewayProxy'),
    admin: stack.ports.of('gatewayAdmin'),
    status: stack.ports.of('gatewayStatus'),
  };
  return node(stack, 'gateway', 'gateway/dist/embedded/main.js', {
    env: {
      SERVICE_NAME: 'gateway',
      INSTANCE_ID: '0',
      NODE_ENV: 'development',
      LOG_LEVEL: 'info',
      NODE_OPTIONS: `--max-old-space-size=${USUAL_HEAP_MB} ${SMALL_NURSERY}`,
      GATEWAY_CONFIG: 'gateway/kong.yml',
      GATEWAY_HOSTS: gatewayHosts(servers, scale),
      GATEWAY_HOST: '127.0.0.1',
      GATEWAY_PROXY_PORT: String(ports.proxy),
      GATEWAY_ADMIN_PORT: String(ports.admin),
      GATEWAY_STATUS_PORT: String(ports.status),
      REDIS_CACHE_URL: servers.redisCache.url('gateway'),
      ...base,
    },
    ports,
  });
}

function reconciler(servers: Servers, base: Environment): ProcessSpec {
  const { stack, keycloak } = servers;
  const management = stack.ports.of('reconcilerManagement');
  return node(stack, 'jwks-reconciler', 'gateway/dist/reconciler/main.js', {
    env: {
      SERVICE_NAME: 'jwks-reconciler',
      INSTANCE_ID: '0',
      NODE_ENV: 'development',
      LOG_LEVEL: 'info',
      NODE_OPTIONS: `--max-old-space-size=96 ${SMALL_NURSERY}`,
      GATEWAY_CONFIG: 'gateway/kong.yml',
      GATEWAY_ADMIN_URL: `http://127.0.0.1:${stack.ports.of('gatewayAdmin')}`,
      OIDC_ISSUER: keycloak.issuer(),
      OIDC_JWKS_URL: `${keycloak.issuer()}/protocol/openid-connect/certs`,
      MANAGEMENT_PORT: String(management),
      ...base,
    },
    ports: { management },
  });
}

function simulator(stack: Stack, options: Readonly<Record<string, string>>, base: Environment): ProcessSpec {
  const port = stack.ports.of('vkSimulator');
  const settings = Object.entries({ ...options, host: '127.0.0.1', port: String(port) }).map(
    ([name, value]) => [`VK_SIMULATOR_${name.toUpperCase().replaceAll('-', '_')}`, value] as const,
  );
  return node(stack, 'vk-simulator', 'infra/vk-simulator/dist/main.js', {
    env: {
      NODE_OPTIONS: `--max-old-space-size=384 ${SMALL_NURSERY}`,
      ...Object.fromEntries(settings),
      ...base,
    },
    ports: { http: port },
  });
}

function node(
  stack: Stack,
  name: string,
  program: string,
  rest: Pick<ProcessSpec, 'env' | 'ports'>,
): ProcessSpec {
  return {
    name,
    command: process.execPath,
    // The condition has no effect on a program without conditional imports: it marks the process as this stack's.
    args: [marker(stack.name), '--enable-source-maps', program],
    cwd: stack.root,
    revision: revision(join(stack.root, program), join(stack.root, '.sociograph', 'build.stamp')),
    ...rest,
  };
}

/** A file that Node loads first: a drill's hands in the process, so that the programs have none of their own. */
function withPreload(spec: ProcessSpec, file: string): ProcessSpec {
  return { ...spec, args: [...spec.args.slice(0, -1), '--require', file, programOf(spec)] };
}

/** Part of the command line of every process of a stack's fleet. */
export function marker(stackName: string): string {
  return `--conditions=sociograph-${stackName}`;
}

function programOf(spec: ProcessSpec): string {
  return spec.args.at(-1) as string;
}

function keyServiceSecrets(stack: Stack): Environment {
  const trusted = Object.fromEntries(
    WORKERS.map((worker) => [worker, stack.secrets.identity(`lease.${worker}`).publicPem]),
  );
  return {
    KMS_PROVIDER: 'local',
    KMS_MASTER_KEY_FILE: stack.secrets.masterKeyFile('kms-master-key'),
    LEASE_TRUSTED_FILE: stack.secrets.derived('lease-trusted.json', `${JSON.stringify(trusted, null, 2)}\n`),
  };
}

/** No mail server belongs to a stack: accounts are usable without a mail. */
function identitySecrets(stack: Stack): Environment {
  return {
    AUDIT_KEY_FILE: stack.secrets.masterKeyFile('audit-key'),
    AUDIT_HEADS_FILE: join(stack.dir, 'audit-heads.jsonl'),
    IDENTITY_VERIFY_EMAIL: 'false',
  };
}

function passedOn(caller: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(
    Object.entries(caller).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && PASSED_ON.test(entry[0]),
    ),
  );
}

function revision(program: string, stamp: string): string {
  const built = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : '';
  return existsSync(program) ? `${built}:${statSync(program).mtimeMs}` : 'not built';
}
