import type { Change, Forge } from '@sociograph/testing';

export interface Attack {
  name: string;
  /** Headers of the request. */
  headers: (forge: Forge) => Record<string, string | string[]>;
  /** Appended to the path. */
  query?: (forge: Forge) => string;
  /** 401 where nothing else is said. */
  statuses?: readonly number[];
  /** Refused by the gateway alone: the token is one that the realm gave, and a service need not mind. */
  gatewayOnly?: boolean;
}

const past = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds;
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const changed = (name: string, change: Change | ((forge: Forge) => Change), statuses?: number[]): Attack => ({
  name,
  headers: (forge) => bearer(forge.token(typeof change === 'function' ? change(forge) : change)),
  ...(statuses === undefined ? {} : { statuses }),
});
const claim = (name: string, value: unknown, statuses?: number[]): Attack =>
  changed(`claim ${name} = ${JSON.stringify(value)?.slice(0, 40)}`, { claims: { [name]: value } }, statuses);
const header = (name: string, value: unknown): Attack =>
  changed(`header ${name} = ${JSON.stringify(value)?.slice(0, 40)}`, { header: { [name]: value } });
const forgedHeader = (name: string, value: (forge: Forge) => object): Attack =>
  changed(name, (forge) => ({ foreign: true, header: { ...value(forge) } }));
/** The parts of a good token, put together in another way. */
const parts = (
  name: string,
  made: (header: string, claims: string, signature: string) => string,
): Attack => ({
  name,
  headers: (forge) => {
    const [first = '', second = '', third = ''] = forge.token().split('.');
    return bearer(made(first, second, third));
  },
});
const scheme = (name: string, value: (token: string) => string, rest: Partial<Attack> = {}): Attack => ({
  name,
  headers: (forge) => ({ authorization: value(forge.token()) }),
  ...rest,
});
const instead = (text: string): string => Buffer.from(text).toString('base64url');
const FORBIDDEN = [403];

const algorithms: Attack[] = [
  ...['none', 'None', 'NONE', 'nOnE'].map((alg) => header('alg', alg)),
  parts('alg none without a signature', (_, claims) => `${instead('{"alg":"none","typ":"JWT"}')}.${claims}.`),
  parts('alg none of two parts', (_, claims) => `${instead('{"alg":"none"}')}.${claims}`),
  ...(['256', '384', '512'] as const).map((bits) =>
    changed(`HS${bits} with the public key as secret`, (forge) => ({
      header: { alg: `HS${bits}` },
      hmac: [`sha${bits}`, forge.key.publicPem],
    })),
  ),
  changed('an HMAC under the public key that says RS256', (forge) => ({
    hmac: ['sha256', forge.key.publicPem],
  })),
  changed('an HMAC under the empty secret', { header: { alg: 'HS256' }, hmac: ['sha256', ''] }),
  changed('RS384, well signed', { header: { alg: 'RS384' }, hash: 'sha384' }),
  changed('RS512, well signed', { header: { alg: 'RS512' }, hash: 'sha512' }),
  changed('PS256, well signed', { header: { alg: 'PS256' }, padding: 'pss' }),
  changed('a PSS signature that says RS256', { padding: 'pss' }),
  ...['ES256', 'EdDSA', 'RS256 ', 'rs256', ''].map((alg) => header('alg', alg)),
  header('alg', undefined),
  header('alg', ['RS256']),
  header('alg', null),
];

const signatures: Attack[] = [
  changed('signed by a foreign key', { foreign: true }),
  parts('no signature', (first, second) => `${first}.${second}.`),
  parts('two parts', (first, second) => `${first}.${second}`),
  parts('four parts', (first, second, third) => `${first}.${second}.${third}.${third}`),
  parts(
    'five parts, as an encrypted token has',
    (first, second, third) => `${first}.${second}.${third}.AA.AA`,
  ),
  parts('half a signature', (first, second, third) => `${first}.${second}.${third.slice(0, 100)}`),
  parts(
    'a changed bit',
    (first, second, third) => `${first}.${second}.${third.startsWith('A') ? 'B' : 'A'}${third.slice(1)}`,
  ),
  parts('zeroes for a signature', (first, second, third) => `${first}.${second}.${'A'.repeat(third.length)}`),
  parts(
    'edited roles',
    (first, _, third) => `${first}.${instead('{"realm_access":{"roles":["platform-operator"]}}')}.${third}`,
  ),
  {
    name: 'edited workspace under the old signature',
    headers: (forge) => {
      const [first = '', , third = ''] = forge.token().split('.');
      return bearer(`${first}.${instead(JSON.stringify(forge.claims({ workspace_id: 'other' })))}.${third}`);
    },
  },
  {
    name: 'the signature of another token',
    headers: (forge) => {
      const [first = '', second = ''] = forge.token().split('.');
      return bearer(`${first}.${second}.${forge.token({ claims: { sub: 'x' } }).split('.')[2]}`);
    },
  },
  parts('empty parts', () => '..'),
  parts('an empty header', (_, second, third) => `.${second}.${third}`),
  parts('no JSON', (first, _, third) => `${first}.${instead('hello')}.${third}`),
];

const keyIds: Attack[] = [
  ...[
    'unknown',
    '',
    '../../../../dev/null',
    '/etc/passwd',
    "' OR '1'='1",
    '; DROP TABLE keys; --',
    'x'.repeat(200),
  ].map((kid) => header('kid', kid)),
  ...[undefined, null, 7, ['a'], { a: 1 }, true].map((kid) => header('kid', kid)),
  ...['__proto__', 'constructor', 'toString', 'http://127.0.0.1/keys', '\u0000'].map((kid) =>
    header('kid', kid),
  ),
  forgedHeader('a key set of the sender (jku)', () => ({ jku: 'http://127.0.0.1:1/keys' })),
  forgedHeader('a certificate of the sender (x5u)', () => ({ x5u: 'http://127.0.0.1:1/cert' })),
  forgedHeader('a key of the sender (jwk)', (forge) => ({ jwk: forge.foreignJwk })),
  forgedHeader('a certificate chain of the sender (x5c)', () => ({ x5c: ['MIIB'] })),
  forgedHeader('a key of the sender without a key id', (forge) => ({
    jwk: forge.foreignJwk,
    kid: undefined,
  })),
  changed('a key id in the claims', (forge) => ({
    header: { kid: 'unknown' },
    claims: { kid: forge.key.kid },
  })),
  header('crit', ['exp']),
  header('crit', []),
  changed('an unencoded payload', { header: { b64: false, crit: ['b64'] } }),
  ...['at+jwt', 'JOSE', 'JWE', 'dpop+jwt', 7].map((typ) => header('typ', typ)),
];

const claims: Attack[] = [
  ...['http://127.0.0.1/realms/other', '', undefined, ['a'], null].map((iss) => claim('iss', iss)),
  changed('an issuer with a slash more', (forge) => ({
    claims: { iss: `${String(forge.claims()['iss'])}/` },
  })),
  ...['account', '', undefined, [], ['account', 'other'], 'SOCIOGRAPH-API', null].map((aud) =>
    claim('aud', aud),
  ),
  ...['admin-cli', '', undefined, ['sociograph-demo'], 'sociograph-demo '].map((azp) => claim('azp', azp)),
  ...['ID', 'Refresh', 'Offline', 'Logout', 'Action', undefined, '', 'bearer '].map((typ) =>
    claim('typ', typ),
  ),
  ...[undefined, null, '9999999999', -1, 0, true, [9_999_999_999]].map((exp) => claim('exp', exp)),
  claim('exp', past(1)),
  claim('exp', past(86_400)),
  // Reckoned when they are sent: on a slow machine that is minutes after this list was made.
  changed('claim nbf in two minutes', () => ({ claims: { nbf: past(-120) } })),
  claim('nbf', 'x'),
  changed('claim iat in two minutes', () => ({ claims: { iat: past(-120) } })),
  claim('iat', undefined),
  claim('iat', 'x'),
  ...[undefined, '', 7, null, 'x'.repeat(300), ['a']].map((sub) => claim('sub', sub)),
  ...[['demo'], { id: 'demo' }, 7, '', '../demo', 'a b', 'demo\n', null, "x' OR '1'='1"].map((workspace) =>
    claim('workspace_id', workspace),
  ),
  claim('workspace_id', undefined, FORBIDDEN),
  ...[
    undefined,
    {},
    'admin',
    { roles: 'admin' },
    { roles: [] },
    { roles: ['Admin', 'ADMIN', ' admin', 'root'] },
  ].map((access) => claim('realm_access', access, FORBIDDEN)),
  changed(
    'roles of a client only',
    { claims: { realm_access: undefined, resource_access: { 'sociograph-api': { roles: ['admin'] } } } },
    FORBIDDEN,
  ),
  changed('claims twice, the second wrong', (forge) => ({
    payload: JSON.stringify(forge.claims()).replace(/\}$/, ',"aud":"account"}'),
  })),
  changed('claims twice, the second right, foreign key', (forge) => ({
    foreign: true,
    payload: JSON.stringify(forge.claims({ aud: 'account' })).replace(/\}$/, ',"aud":"sociograph-api"}'),
  })),
  ...['[]', 'null', '7', '"text"', '', '{'].map((payload) => changed(`claims are ${payload}`, { payload })),
  changed('a token in a token', (forge) => ({ payload: forge.token(), header: { cty: 'JWT' } })),
  { ...claim('exp', past(-7200)), gatewayOnly: true },
];

const transport: Attack[] = [
  { name: 'no header', headers: () => ({}) },
  ...['', 'Bearer', 'Bearer ', 'Bearer null', 'Basic YTpi', 'Bearer a.b.c', 'Negotiate abc'].map((value) => ({
    name: `Authorization: ${value}`,
    headers: () => ({ authorization: value }),
  })),
  ...['Token', 'JWT', 'DPoP', 'Basic', 'Digest'].map((name) =>
    scheme(`scheme ${name}`, (token) => `${name} ${token}`),
  ),
  scheme('BEARER', (token) => `BEARER ${token}`, { gatewayOnly: true }),
  scheme('no scheme', (token) => token),
  scheme('two blanks', (token) => `Bearer  ${token}`),
  scheme('a tab', (token) => `Bearer\t${token}`),
  scheme('something behind it', (token) => `Bearer ${token} x`),
  scheme('a comma behind it', (token) => `Bearer ${token},`),
  scheme('quotes', (token) => `Bearer "${token}"`),
  scheme('padding', (token) => `Bearer ${token}==`),
  scheme('two in one header', (token) => `Bearer ${token}, Bearer ${token}`),
  {
    name: 'bearer in small letters with a forged token',
    headers: (forge) => ({ authorization: `bearer ${forge.token({ foreign: true })}` }),
  },
  {
    name: 'two headers, the second good',
    headers: (forge) => ({
      authorization: [`Bearer ${forge.token({ foreign: true })}`, `Bearer ${forge.token()}`],
    }),
    statuses: [400, 401],
  },
  {
    name: 'two headers, the first good',
    headers: (forge) => ({
      authorization: [`Bearer ${forge.token()}`, `Bearer ${forge.token({ foreign: true })}`],
    }),
    statuses: [400, 401],
  },
  changed('9 KB', { claims: { filler: 'x'.repeat(9000) } }, [400, 401, 431]),
  changed('40 KB', { claims: { filler: 'x'.repeat(40_000) } }, [400, 401, 431]),
  ...['access_token', 'jwt', 'token', 'authorization'].map((name) => ({
    name: `the token in the query (${name})`,
    headers: () => ({}),
    query: (forge: Forge) => `${name}=${forge.token()}`,
  })),
  ...['jwt', 'access_token', 'KEYCLOAK_IDENTITY'].map((name) => ({
    name: `the token in a cookie (${name})`,
    headers: (forge: Forge) => ({ cookie: `${name}=${forge.token()}` }),
  })),
  ...['x-authorization', 'proxy-authorization', 'x-access-token', 'x-forwarded-authorization'].map(
    (name) => ({
      name: `the token in ${name}`,
      headers: (forge: Forge) => ({ [name]: `Bearer ${forge.token()}` }),
    }),
  ),
  {
    name: 'identity headers in place of a token',
    headers: () => ({
      'x-consumer-id': '1',
      'x-consumer-username': 'keycloak',
      'x-credential-identifier': 'k',
      'x-authenticated-userid': 'admin',
      'x-forwarded-user': 'admin',
      'x-workspace-id': 'demo',
      'x-roles': 'admin',
    }),
  },
];

/** Forged and abused tokens. None may reach a use case, at the gateway or at a service itself. */
export const attacks: readonly Attack[] = [...algorithms, ...signatures, ...keyIds, ...claims, ...transport];
