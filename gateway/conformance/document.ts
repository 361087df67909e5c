import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { preFunctionText } from '../render/pre-function-text';
import type { ConformanceDocument } from './run-case';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const second = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const secondPem = second.publicKey.export({ type: 'spki', format: 'pem' }).toString();

export interface TokenOptions {
  header?: object;
  /** Signed with the second key, which nobody has installed unless a case does. */
  forged?: boolean;
  /** HS256 with the public key as secret. */
  hmac?: boolean;
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
export const goodClaims = (sub = 'alice') => ({ sub, exp: inSeconds(300), nbf: inSeconds(-5) });

export function token(claims: object = goodClaims(), options: TokenOptions = {}): string {
  const alg = options.hmac === true ? 'HS256' : 'RS256';
  const signed = `${part({ alg, typ: 'JWT', kid: 'k1', ...options.header })}.${part(claims)}`;
  const key = options.forged === true ? second.privateKey : pair.privateKey;
  const signature =
    options.hmac === true
      ? createHmac('sha256', publicPem).update(signed).digest('base64url')
      : sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url');
  return `${signed}.${signature}`;
}

export const bearer = (claims?: object, options?: TokenOptions) => ({
  authorization: `Bearer ${token(claims, options)}`,
});

/** Installed keys: `k1` signs by default, `k2` is the one of forged tokens. */
export const credential = (key: 'k1' | 'k2', pem = key === 'k1' ? publicPem : secondPem) => ({
  key,
  algorithm: 'RS256',
  rsa_public_key: pem,
});
export const consumer = (...credentials: object[]) => ({
  username: 'keycloak',
  custom_id: 'realm:test',
  jwt_secrets: credentials,
});

export interface Surroundings {
  upstream: string;
  /** Refuses connections. */
  dead: string;
  redis: { host: string; port: number; username?: string; password?: string };
  silentRedis: { host: string; port: number };
}

const ALL = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const size = { name: 'request-size-limiting', config: { allowed_payload_size: 1, size_unit: 'megabytes' } };
const jwt = (config: object = {}) => ({
  name: 'jwt',
  config: {
    key_claim_name: 'kid',
    claims_to_verify: ['exp', 'nbf'],
    maximum_expiration: 3600,
    uri_param_names: [],
    cookie_names: [],
    run_on_preflight: true,
    ...config,
  },
});
const limit = (config: object) => ({
  name: 'rate-limiting',
  config: { minute: 3, policy: 'local', fault_tolerant: true, ...config },
});
const byUser = (config: object = {}) => limit({ limit_by: 'header', header_name: 'x-rate-key', ...config });
const inRedis = (redis: object) => byUser({ policy: 'redis', redis: { timeout: 200, ...redis } });
const route = (name: string, path: string, rest: object = {}) => ({
  name,
  paths: [path],
  methods: ALL,
  strip_path: false,
  plugins: [] as object[],
  ...rest,
});
const service = (name: string, upstream: string, times: object, routes: Record<string, unknown>[]) => ({
  name,
  host: `${upstream}.upstream`,
  protocol: 'http',
  retries: 2,
  connect_timeout: 5000,
  write_timeout: 20_000,
  read_timeout: 20_000,
  ...times,
  routes,
});
const upstreamOf = (name: string, targets: string[], rest: object = {}) => ({
  name: `${name}.upstream`,
  targets: targets.map((target) => ({ target })),
  ...rest,
});
const breaksAtOnce = { healthchecks: { passive: { unhealthy: { tcp_failures: 1 } } } };

/** The configuration that the cases are about: every plugin and every kind of route that kong.yml uses. */
export function conformanceDocument({
  upstream,
  dead,
  redis,
  silentRedis,
}: Surroundings): ConformanceDocument {
  return {
    _format_version: '3.0',
    consumers: [consumer(credential('k1'))],
    services: [
      service('svc', 'svc', {}, [
        route('pub', '/pub'),
        route('slash', '/t/'),
        route('me', '~/me$', { plugins: [jwt(), size] }),
        route('expiry', '~/expiry$', { plugins: [jwt({ claims_to_verify: ['exp'] })] }),
        route('stream', '~/stream/[^/]+$', { response_buffering: false }),
        route('upload', '~/upload$', { request_buffering: false, plugins: [size] }),
        route('open-end', '~/open-end'),
        route('item', '~/v1/items/[^/]+$', { methods: ['GET', 'OPTIONS'], regex_priority: 1 }),
        route('items-new', '~/v1/items/new$', { methods: ['GET'], regex_priority: 2 }),
        route('one-origin', '~/one-origin$', {
          plugins: [{ name: 'cors', config: { origins: ['https://one.example'] } }],
        }),
        route('by-address', '~/by-address$', { plugins: [limit({ limit_by: 'ip' })] }),
        route('by-other-address', '~/by-other-address$', { plugins: [limit({ limit_by: 'ip' })] }),
        route('by-nothing', '~/by-nothing$', {
          plugins: [limit({ limit_by: 'header', header_name: 'x-never' })],
        }),
        route('reloaded', '~/reloaded$', { plugins: [limit({ limit_by: 'ip' })] }),
        route('sized-first', '~/sized-first$', { plugins: [size, limit({ limit_by: 'ip' })] }),
        route('by-user', '~/by-user$', { plugins: [jwt(), byUser()] }),
        route('in-redis', '~/in-redis$', { plugins: [jwt(), inRedis(redis)] }),
        route('redis-away', '~/redis-away$', { plugins: [inRedis({ host: '127.0.0.1', port: 1 })] }),
        route('redis-silent', '~/redis-silent$', { plugins: [inRedis(silentRedis)] }),
      ]),
      service('quick', 'svc', { read_timeout: 400 }, [
        route('quick', '/quick'),
        route('quick-stream', '~/quick-stream/[^/]+$', { response_buffering: false }),
      ]),
      service('patient', 'svc', { read_timeout: 3000 }, [
        route('patient', '~/patient/[^/]+$', { response_buffering: false }),
      ]),
      service('once', 'svc', { retries: 0 }, [route('once', '/once')]),
      service('dead', 'dead', {}, [route('dead', '/dead')]),
      service('two', 'two', { retries: 5 }, [route('two', '~/two$')]),
      service('either', 'either', { retries: 0 }, [route('either', '~/either$')]),
      service('hole', 'hole', { retries: 1, connect_timeout: 300 }, [route('hole', '~/hole$')]),
      service('nameless', 'nameless', { retries: 0 }, [route('nameless', '~/nameless$')]),
      service('sick', 'sick', { retries: 1 }, [route('sick', '~/sick$')]),
      service('sicker', 'sicker', { retries: 1 }, [route('sicker', '~/sicker$')]),
    ],
    upstreams: [
      upstreamOf('svc', [upstream]),
      upstreamOf('dead', [dead]),
      upstreamOf('two', [dead, upstream]),
      upstreamOf('either', [dead, upstream]),
      // TEST-NET-1: nobody answers there.
      upstreamOf('hole', ['192.0.2.1:9', upstream]),
      upstreamOf('nameless', ['nowhere.invalid:80']),
      upstreamOf('sick', [dead], breaksAtOnce),
      upstreamOf('sicker', [dead], breaksAtOnce),
    ],
    plugins: [
      { name: 'pre-function', config: { access: [preFunctionText] } },
      {
        name: 'correlation-id',
        config: { header_name: 'X-Correlation-Id', generator: 'uuid', echo_downstream: true },
      },
      { name: 'cors', config: { origins: ['https://a.example', 'https://b.example'], max_age: 600 } },
      {
        name: 'opentelemetry',
        config: {
          traces_endpoint: 'http://otel-collector:4318/v1/traces',
          sampling_rate: 0.01,
          resource_attributes: { 'service.name': 'gateway' },
          propagation: { extract: ['w3c'], inject: ['w3c'], default_format: 'w3c' },
        },
      },
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
}
