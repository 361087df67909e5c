import { bearer, goodClaims, inSeconds, token } from '../document';
import type { Fact } from '../facts';
import type { Ask, ConformanceCase, Expectation } from '../run-case';
import { passed, short } from './expected';

const invalid = 'Bearer error="invalid_token"';
const refused = (body: string | RegExp, challenge = invalid): Expectation => ({
  status: 401,
  body,
  attempts: 0,
  headers: { ...short, 'www-authenticate': challenge, 'content-type': 'application/json; charset=utf-8' },
});
const unauthorized = refused('{"message":"Unauthorized"}', 'Bearer');
const me = (fact: Fact, name: string, ask: () => Ask, expect: Expectation): ConformanceCase => ({
  fact,
  name,
  ask: () => ({ path: '/me', ...ask() }),
  expect,
});
const authorization = (value: string) => () => ({ headers: { authorization: value } });
const claims = (change: object) => () => ({ headers: bearer({ ...goodClaims(), ...change }) });
const header = (change: object) => () => ({ headers: bearer(goodClaims(), { header: change }) });
const forged = (method: string) => () => ({ method, headers: bearer(goodClaims(), { forged: true }) });

export const tokens: readonly ConformanceCase[] = [
  me('1.jwt.none', 'no token', () => ({}), unauthorized),
  me('1.jwt.none', 'Basic', authorization('Basic YTpi'), unauthorized),
  me('1.jwt.scheme', 'BEARER in capitals', authorization('BEARER x.y.z'), unauthorized),
  me('1.jwt.scheme', 'bearer in small letters', () => authorization(`bearer ${token()}`)(), passed),
  me(
    '1.jwt.garbage',
    'garbage',
    authorization('Bearer abc'),
    refused('{"message":"Bad token; invalid JSON"}'),
  ),
  me('1.jwt.alg', 'alg none', header({ alg: 'none' }), refused('{"message":"Bad token; invalid alg"}')),
  me('1.jwt.alg', 'alg unknown', header({ alg: 'RS1' }), refused('{"message":"Bad token; invalid alg"}')),
  me(
    '1.jwt.other-alg',
    'alg differs: HS256 with the public key',
    () => ({ headers: bearer(goodClaims(), { hmac: true }) }),
    refused('{"message":"Invalid algorithm"}'),
  ),
  me(
    '1.jwt.no-claim',
    'the claim absent',
    header({ kid: undefined }),
    refused(`{"message":"No mandatory 'kid' in claims"}`),
  ),
  me(
    '1.jwt.no-claim',
    'the claim empty',
    header({ kid: '' }),
    refused(`{"message":"Invalid 'kid' in claims"}`),
  ),
  me(
    '1.jwt.unknown-key',
    'unknown key',
    header({ kid: 'k9' }),
    refused(`{"message":"No credentials found for given 'kid'"}`),
  ),
  me(
    '1.jwt.claim',
    'a key id in the claims comes before the one in the header',
    claims({ kid: 'k9' }),
    refused(`{"message":"No credentials found for given 'kid'"}`),
  ),
  me(
    '1.jwt.claim',
    'a key id in the claims alone will do',
    () => ({ headers: bearer({ ...goodClaims(), kid: 'k1' }, { header: { kid: undefined } }) }),
    passed,
  ),
  me('1.jwt.signature', 'bad signature', forged('GET'), refused('{"message":"Invalid signature"}')),
  me('1.jwt.expired', 'expired', () => claims({ exp: inSeconds(0) })(), refused('{"exp":"token expired"}')),
  me(
    '1.jwt.times',
    'not valid yet',
    () => claims({ nbf: inSeconds(60) })(),
    refused('{"nbf":"token not valid yet"}'),
  ),
  me('1.jwt.times', 'no expiry', claims({ exp: undefined }), refused('{"exp":"must be a number"}')),
  me(
    '1.jwt.times',
    'an expiry in words',
    claims({ exp: '9999999999' }),
    refused('{"exp":"must be a number"}'),
  ),
  {
    fact: '1.jwt.times',
    name: 'nbf is not looked at where only exp is named',
    ask: () => ({ path: '/expiry', ...claims({ nbf: inSeconds(60) })() }),
    expect: passed,
  },
  me(
    '1.jwt.several',
    'two faults',
    () => claims({ exp: undefined, nbf: inSeconds(60) })(),
    // In either order: Lua's tables have none.
    refused(
      /^\{("nbf":"token not valid yet","exp":"must be a number"|"exp":"must be a number","nbf":"token not valid yet")\}$/,
    ),
  ),
  me(
    '1.jwt.too-long',
    'too long',
    () => claims({ exp: inSeconds(3700) })(),
    refused('{"exp":"exceeds maximum allowed expiration"}'),
  ),
  me('1.jwt.json', 'JSON whatever is accepted', () => ({ headers: { accept: 'text/html' } }), unauthorized),
  me('1.jwt.upstream', 'a good token', () => ({ headers: bearer() }), {
    ...passed,
    upstream: {
      headers: {
        authorization: /^Bearer [^.]+\.[^.]+\.[^.]+$/,
        'x-consumer-username': 'keycloak',
        'x-consumer-custom-id': 'realm:test',
        'x-credential-identifier': 'k1',
        'x-anonymous-consumer': null,
      },
    },
  }),
  me(
    '1.jwt.unread',
    'a foreign issuer, audience and client, an ID token, issued later',
    () => claims({ iss: 'http://other', aud: 'x', azp: 'y', typ: 'ID', iat: inSeconds(900) })(),
    passed,
  ),
  me(
    '1.jwt.place',
    'a token in the query is not looked at',
    () => ({ path: `/me?jwt=${token()}` }),
    unauthorized,
  ),
  me('1.jwt.place', 'nor one in a cookie', () => ({ headers: { cookie: `jwt=${token()}` } }), unauthorized),
  me('2.0.options', 'plain OPTIONS needs a token', () => ({ method: 'OPTIONS' }), unauthorized),
  me('2.0.options', 'forged OPTIONS', forged('OPTIONS'), refused('{"message":"Invalid signature"}')),
];
