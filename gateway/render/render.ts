import { stringify } from 'yaml';
import type { Endpoint } from './endpoints';
import { preFunctionText } from './pre-function-text';

/** Services that the gateway may route to, in the order of the file, and where they listen. */
export const TARGETS: Readonly<Record<string, string>> = {
  'key-service': 'key-service:3000',
  'parser-service': 'parser-service:3000',
  'graph-storage-service': 'graph-storage-service:3000',
  'read-model-projector': 'read-model-projector:3000',
  'identity-service': 'identity-service:3000',
};

export class RenderFault extends Error {}

/** Requests a minute: of one person or service account (X-Rate-Key), and of one address on public routes. */
export interface RateLimits {
  authenticated: number;
  public: number;
}

const USUAL_LIMITS: RateLimits = { authenticated: 6000, public: 600 };
/** Of a fleet that is fuzzed from one address by a handful of accounts. */
export const FUZZ_LIMITS: RateLimits = { authenticated: 600_000, public: 60_000 };
/** Of traces that begin at the gateway, or come sampled. */
const TRACED_SHARE = 0.01;
/** Of those that begin work which goes on for minutes: they are few, and each is asked about. */
const TRACED_SHARE_OF_WORK = 1;

/**
 * Seconds. A process that was restarted gets requests again within a second of its return. A service's own 5xx are no
 * reason to leave it out (a server behind it is away, the others could not answer either): passive checks look at
 * connections that are refused or break, which Kong counts as 502 where no attempt follows. One probe that is answered
 * 503 takes a target out: it stops, and goes on answering for half a second longer than the probes' interval. Nothing
 * but a probe takes it in again, since answers of requests that were under way come after that.
 */
const HEALTH_CHECKS = {
  active: {
    type: 'http',
    http_path: '/health/live',
    timeout: 3,
    healthy: { interval: 1, successes: 1, http_statuses: [200] },
    unhealthy: { interval: 1, http_failures: 1, tcp_failures: 2, timeouts: 3 },
  },
  passive: {
    type: 'http',
    healthy: { successes: 0 },
    unhealthy: { http_failures: 3, tcp_failures: 2, timeouts: 5, http_statuses: [502] },
  },
};

const HEADING = `# Rendered from services/*/openapi.json by "node gateway/dist/render/main.js"; do not edit.
# The keys of Keycloak are added by gateway/reconciler; without them every route but the public ones answers 401.
`;

interface Group {
  path: string;
  endpoints: Endpoint[];
}

/** The declarative configuration (format 3.0) for these endpoints: the same text for the same endpoints. */
export function renderKong(endpoints: readonly Endpoint[], limits: RateLimits = USUAL_LIMITS): string {
  const unknown = endpoints.find(({ service }) => TARGETS[service] === undefined);
  if (unknown !== undefined) {
    throw new RenderFault(
      `${unknown.method} ${unknown.path} has no route: no upstream is declared for ${unknown.service}.`,
    );
  }
  refuseTwins(endpoints);
  const present = Object.keys(TARGETS).filter((service) =>
    endpoints.some((endpoint) => endpoint.service === service),
  );
  const document = {
    _format_version: '3.0',
    _transform: true,
    consumers: [{ username: 'keycloak', custom_id: 'realm:sociograph' }],
    services: present.flatMap((service) => {
      const own = endpoints.filter((endpoint) => endpoint.service === service);
      return [
        kongService(
          service,
          own.filter((endpoint) => !endpoint.isStream),
          false,
          limits,
        ),
        kongService(
          service,
          own.filter((endpoint) => endpoint.isStream),
          true,
          limits,
        ),
      ].filter((entry) => entry.routes.length > 0);
    }),
    upstreams: present.map((service) => ({
      name: upstreamOf(service),
      healthchecks: HEALTH_CHECKS,
      targets: [{ target: TARGETS[service] }],
    })),
    plugins: [
      { name: 'pre-function', config: { access: [preFunctionText] } },
      {
        name: 'correlation-id',
        config: { header_name: 'X-Correlation-Id', generator: 'uuid', echo_downstream: true },
      },
      {
        name: 'cors',
        config: {
          origins: ['http://localhost:5173', 'http://127.0.0.1:5173'],
          exposed_headers: ['ETag', 'Location', 'Retry-After', 'X-Correlation-Id'],
          credentials: false,
          max_age: 600,
        },
      },
      openTelemetryPlugin(TRACED_SHARE),
      {
        name: 'prometheus',
        config: {
          status_code_metrics: true,
          latency_metrics: true,
          bandwidth_metrics: true,
          upstream_health_metrics: true,
        },
      },
    ],
  };
  return HEADING + stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function upstreamOf(service: string): string {
  return `${service}.upstream`;
}

function kongService(service: string, endpoints: Endpoint[], streams: boolean, limits: RateLimits) {
  return {
    name: streams ? `${service}-streams` : service,
    host: upstreamOf(service),
    protocol: 'http',
    // A retry reaches another instance where the first refused; requests that may have had an effect are not repeated.
    retries: streams ? 1 : 3,
    connect_timeout: 1000,
    write_timeout: 15_000,
    // Streams carry a comment every 15 s; other answers wait for at most a position that a reader asked for.
    read_timeout: streams ? 60_000 : 20_000,
    routes: groups(endpoints).map((group, position, all) =>
      route(service, group, all.slice(0, position), limits),
    ),
  };
}

/** Endpoints of one path that are treated alike share a route. */
function groups(endpoints: Endpoint[]): Group[] {
  const byTreatment = new Map<string, Group>();
  for (const endpoint of endpoints) {
    const { path, isPublic, bodyMegabytes, beginsWork } = endpoint;
    const key = JSON.stringify([path, isPublic, bodyMegabytes, beginsWork]);
    const group = byTreatment.get(key);
    if (group === undefined) byTreatment.set(key, { path, endpoints: [endpoint] });
    else group.endpoints.push(endpoint);
  }
  return [...byTreatment.values()];
}

function route(service: string, { path, endpoints }: Group, earlier: Group[], limits: RateLimits) {
  const [first] = endpoints as [Endpoint];
  const methods = endpoints.map((endpoint) => endpoint.method);
  // Without OPTIONS on a route a CORS preflight is a 404; the first route of a path answers for all.
  if (!earlier.some((group) => group.path === path)) methods.push('OPTIONS');
  const parameters = path.match(/\{[^}]+\}/g)?.length ?? 0;
  const name = path
    .replace(/[{}]/g, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-/, '');
  return {
    name: `${service}.${name}.${methods[0]?.toLowerCase()}`,
    paths: [`~${pattern(path)}$`],
    methods,
    strip_path: false,
    // `/v1/keys/search` before `/v1/keys/{id}`.
    regex_priority: Math.max(0, 10 - parameters),
    ...(first.bodyMegabytes > 1 ? { request_buffering: false } : {}),
    ...(first.isStream ? { response_buffering: false } : {}),
    plugins: [
      ...(first.isPublic ? [] : [jwtPlugin()]),
      {
        name: 'request-size-limiting',
        config: { allowed_payload_size: first.bodyMegabytes, size_unit: 'megabytes' },
      },
      rateLimitingPlugin(first.isPublic, limits),
      ...(first.beginsWork && !first.isPublic ? [openTelemetryPlugin(TRACED_SHARE_OF_WORK)] : []),
    ],
  };
}

/** Whole segments only: `/v1/keysx` and `/v1/keys/a/b` match nothing. */
function pattern(path: string): string {
  return path
    .split('/')
    .map((segment) => segment.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+'))
    .join('/');
}

function jwtPlugin() {
  return {
    name: 'jwt',
    config: {
      key_claim_name: 'kid',
      // Not nbf: Kong wants every claim named here to be there, and Keycloak's tokens have none. Services check it.
      claims_to_verify: ['exp'],
      maximum_expiration: 3600,
      uri_param_names: [],
      cookie_names: [],
      run_on_preflight: true,
    },
  };
}

/** One of a route stands in for the global one. */
function openTelemetryPlugin(share: number) {
  return {
    name: 'opentelemetry',
    config: {
      traces_endpoint: 'http://otel-collector:4318/v1/traces',
      sampling_rate: share,
      resource_attributes: { 'service.name': 'gateway' },
      propagation: { extract: ['w3c'], inject: ['w3c'], default_format: 'w3c' },
    },
  };
}

function rateLimitingPlugin(isPublic: boolean, limits: RateLimits) {
  if (isPublic) {
    return {
      name: 'rate-limiting',
      config: { minute: limits.public, limit_by: 'ip', policy: 'local', fault_tolerant: true },
    };
  }
  return {
    name: 'rate-limiting',
    config: {
      minute: limits.authenticated,
      limit_by: 'header',
      header_name: 'x-rate-key',
      policy: 'redis',
      fault_tolerant: true,
      redis: {
        host: 'redis-cache',
        port: 6379,
        timeout: 200,
        username: '{vault://env/gateway-redis-username}',
        password: '{vault://env/gateway-redis-password}',
      },
    },
  };
}

function refuseTwins(endpoints: readonly Endpoint[]): void {
  const owners = new Map<string, string>();
  for (const { service, path, method } of endpoints) {
    const shape = `${method} ${path.replace(/\{[^}]+\}/g, '{}')}`;
    const owner = owners.get(shape);
    if (owner !== undefined)
      throw new RenderFault(`${method} ${path} is offered twice: by ${owner} and by ${service}.`);
    owners.set(shape, service);
  }
}
