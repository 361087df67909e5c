import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { preFunctionText } from '../render/pre-function-text';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();

export interface TokenOptions {
  header?: object;
  /** Signed with a key that nobody has installed. */
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
  const key = options.forged === true ? other.privateKey : pair.privateKey;
  const signature =
    options.hmac === true
      ? createHmac('sha256', publicPem).update(signed).digest('base64url')
      : sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url');
  return `${signed}.${signature}`;
}

export const bearer = (claims?: object, options?: TokenOptions) => ({
  authorization: `Bearer ${token(claims, options)}`,
});

const ALL = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const size = { name: 'request-size-limiting', config: { allowed_payload_size: 1, size_unit: 'megabytes' } };
const jwt = {
  name: 'jwt',
  config: {
    key_claim_name: 'kid',
    claims_to_verify: ['exp', 'nbf'],
    maximum_expiration: 3600,
    uri_param_names: [],
    cookie_names: [],
    run_on_preflight: true,
  },
};
const limit = (config: object) => ({
  name: 'rate-limiting',
  config: { minute: 3, policy: 'local', fault_tolerant: true, ...config },
});
const route = (name: string, path: string, rest: object = {}) => ({
  name,
  paths: [path],
  methods: ALL,
  strip_path: false,
  plugins: [] as object[],
  ...rest,
});

/** The configuration that the cases are about: every plugin and every kind of route that kong.yml uses. */
export function conformanceDocument(upstream: string, deadUpstream: string): object {
  const times = {
    protocol: 'http',
    retries: 2,
    connect_timeout: 300,
    write_timeout: 5000,
    read_timeout: 400,
  };
  return {
    _format_version: '3.0',
    consumers: [
      {
        username: 'keycloak',
        custom_id: 'realm:test',
        jwt_secrets: [{ key: 'k1', algorithm: 'RS256', rsa_public_key: publicPem }],
      },
    ],
    services: [
      {
        name: 'svc',
        host: 'svc.upstream',
        ...times,
        routes: [
          route('pub', '/pub'),
          route('me', '~/me$', { plugins: [jwt, size] }),
          route('stream', '~/stream/[^/]+$', { response_buffering: false }),
          route('upload', '~/upload$', { request_buffering: false, plugins: [size] }),
          route('item', '~/v1/items/[^/]+$', { methods: ['GET', 'OPTIONS'], regex_priority: 1 }),
          route('items-new', '~/v1/items/new$', { methods: ['GET'], regex_priority: 2 }),
          route('by-address', '~/by-address$', { plugins: [limit({ limit_by: 'ip' })] }),
          route('by-user', '~/by-user$', {
            plugins: [jwt, limit({ limit_by: 'header', header_name: 'x-rate-key' })],
          }),
        ],
      },
      { name: 'dead', host: 'dead.upstream', ...times, routes: [route('dead', '/dead')] },
    ],
    upstreams: [
      { name: 'svc.upstream', targets: [{ target: upstream }] },
      { name: 'dead.upstream', targets: [{ target: deadUpstream }] },
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
    ],
  };
}
