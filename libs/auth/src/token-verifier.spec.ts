import { createHmac } from 'node:crypto';
import { isDomainError, SystemClock } from '@sociograph/kernel';
import { aSigningKey, claims, encode, ISSUER, sign } from '../test/realm';
import { bearerToken, keyIdOf } from './bearer-token';
import { TokenVerifier } from './token-verifier';

const key = aSigningKey('k1');
const stranger = aSigningKey('k1');
const rules = { issuer: ISSUER, audience: 'sociograph-api', clients: ['sociograph-demo', 'sociograph-web'] };
const find = (kid: string): Promise<typeof key.publicKey | undefined> =>
  Promise.resolve(kid === 'k1' ? key.publicKey : undefined);
const verifier = new TokenVerifier(rules, { find }, new SystemClock());
const nowS = (): number => Math.floor(Date.now() / 1000);

async function refusalOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    if (!isDomainError(error)) throw error;
    expect(error.kind).toBe('unauthenticated');
    return error.facts['refusal'];
  }
  return 'accepted';
}

describe('verification of a token', () => {
  it('tells who calls', async () => {
    const payload = claims();
    const token = await verifier.verify(sign(key, payload));
    expect(token).toMatchObject({ hasWorkspace: true, issuedAt: payload['iat'], expiresAt: payload['exp'] });
    expect({ ...token.principal }).toEqual({
      subject: payload['sub'],
      client: 'sociograph-demo',
      roles: ['analyst', 'viewer'],
      workspaceId: 'demo',
    });
  });

  it('accepts an audience among several and the second client', async () => {
    const payload = claims({ aud: ['account', 'sociograph-api'], azp: 'sociograph-web' });
    expect((await verifier.verify(sign(key, payload))).principal.client).toBe('sociograph-web');
  });

  it('gives no role to a token that has none, whatever shape that takes', async () => {
    for (const realm_access of [undefined, null, {}, { roles: 'admin' }, { roles: [1, 'root', null] }]) {
      expect((await verifier.verify(sign(key, claims({ realm_access })))).principal.roles).toEqual([]);
    }
  });

  it('takes a token without workspace, whose workspace then cannot be read', async () => {
    const token = await verifier.verify(sign(key, claims({ workspace_id: undefined })));
    expect(token.hasWorkspace).toBe(false);
    expect(() => token.principal.workspaceId).toThrow(
      expect.objectContaining({
        code: 'AUTH.NO_WORKSPACE',
        kind: 'forbidden',
        message: 'This account belongs to no workspace.',
      }),
    );
  });

  it.each([
    ['another issuer', { iss: `${ISSUER}/` }, 'issuer'],
    ['no issuer', { iss: undefined }, 'issuer'],
    ['another audience', { aud: 'account' }, 'audience'],
    ['no audience', { aud: undefined }, 'audience'],
    ['an audience that only contains ours', { aud: 'sociograph-api-2' }, 'audience'],
    ['another client', { azp: 'evil' }, 'client'],
    ['no client', { azp: undefined }, 'client'],
    ['an ID token', { typ: 'ID' }, 'type'],
    ['a refresh token', { typ: 'Refresh' }, 'type'],
    ['no type', { typ: undefined }, 'type'],
    ['an expiry in the past', { exp: nowS() - 1 }, 'expired'],
    ['no expiry', { exp: undefined }, 'claims'],
    ['an expiry as text', { exp: '9999999999' }, 'claims'],
    ['no time of issue', { iat: undefined }, 'claims'],
    ['a beginning as text', { nbf: 'soon' }, 'claims'],
    ['a beginning in the future', { nbf: nowS() + 60 }, 'not-yet'],
    ['an issue in the future', { iat: nowS() + 60 }, 'not-yet'],
    ['no subject', { sub: undefined }, 'claims'],
    ['an empty subject', { sub: '' }, 'claims'],
    ['a subject of 256 characters', { sub: 's'.repeat(256) }, 'claims'],
    ['a workspace of another shape', { workspace_id: 'Demo' }, 'claims'],
    ['a workspace that is a list', { workspace_id: ['demo'] }, 'claims'],
    ['an empty workspace', { workspace_id: '' }, 'claims'],
    ['a null workspace', { workspace_id: null }, 'claims'],
  ])('refuses %s', async (_what, change, refusal) => {
    expect(await refusalOf(() => verifier.verify(sign(key, claims(change))))).toBe(refusal);
  });

  it('accepts a subject of 255 characters', async () => {
    const token = await verifier.verify(sign(key, claims({ sub: 's'.repeat(255) })));
    expect(token.principal.subject).toHaveLength(255);
  });

  it.each([
    ['exp', 0, 'expired'],
    ['exp', 1, 'accepted'],
    ['nbf', 5, 'accepted'],
    ['nbf', 6, 'not-yet'],
    ['iat', 5, 'accepted'],
    ['iat', 6, 'not-yet'],
  ])('draws the line of %s at the clock %d', async (claim, offsetS, outcome) => {
    // Ahead of the machine's clock, so that only our own comparison decides.
    const atS = nowS() + 3600;
    const clock = { nowMs: () => atS * 1000, monotonicMs: () => 0 };
    const fixed = new TokenVerifier(rules, { find }, clock);
    const payload = claims({ iat: atS, exp: atS + 100, [claim]: atS + offsetS });
    expect(await refusalOf(() => fixed.verify(sign(key, payload)))).toBe(outcome);
  });

  it('refuses a token signed by another key of the same id', async () => {
    expect(await refusalOf(() => verifier.verify(sign(stranger)))).toBe('signature');
  });

  it('refuses a payload edited after the signature', async () => {
    const [header, , signature] = sign(key).split('.');
    const edited = encode(claims({ realm_access: { roles: ['admin'] } }));
    expect(await refusalOf(() => verifier.verify(`${header}.${edited}.${signature}`))).toBe('signature');
  });

  it('refuses an id of no key', async () => {
    expect(await refusalOf(() => verifier.verify(sign(key, claims(), { kid: 'k2' })))).toBe('unknown-key');
  });

  it.each([
    ['alg none', { alg: 'none' }, 'algorithm'],
    ['RS512', { alg: 'RS512' }, 'algorithm'],
    ['rs256 in lower case', { alg: 'rs256' }, 'algorithm'],
    ['no algorithm', { alg: undefined }, 'algorithm'],
    ['no type', { typ: undefined }, 'malformed'],
    ['another type', { typ: 'at+jwt' }, 'malformed'],
    ['critical extensions', { crit: ['exp'] }, 'malformed'],
    ['no key id', { kid: undefined }, 'no-key-id'],
    ['an empty key id', { kid: '' }, 'no-key-id'],
    ['a numeric key id', { kid: 1 }, 'no-key-id'],
    ['a key id of 129 characters', { kid: 'k'.repeat(129) }, 'no-key-id'],
  ])('refuses a header with %s', async (_what, header, refusal) => {
    expect(await refusalOf(() => verifier.verify(sign(key, claims(), header)))).toBe(refusal);
  });

  it('looks a key id of 128 characters up', () => {
    expect(keyIdOf(sign(key, claims(), { kid: 'k'.repeat(128) }))).toBe('k'.repeat(128));
  });

  it('refuses HS256 with the public key as secret', async () => {
    const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
    const signed = `${encode({ alg: 'HS256', typ: 'JWT', kid: 'k1' })}.${encode(claims())}`;
    const forged = `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
    expect(await refusalOf(() => verifier.verify(forged))).toBe('algorithm');
  });

  it.each([
    ['a list as header', `${encode([])}.${encode(claims())}.AA`],
    ['null as header', `${encode('null')}.${encode(claims())}.AA`],
    ['a header that is no JSON', `${encode('{')}.${encode(claims())}.AA`],
    ['a payload that is no JSON', `${encode({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${encode('x')}.AA`],
  ])('refuses %s', async (_what, token) => {
    expect(await refusalOf(() => verifier.verify(token))).toBe('malformed');
  });
});

describe('the Authorization header', () => {
  const token = 'aaa.bbb.ccc';

  it('gives its token, whatever the case of name and scheme', () => {
    expect(bearerToken(['Host', 'x', 'AUTHORIZATION', `bearer ${token}`])).toBe(token);
  });

  it.each([
    ['no such header', ['Host', 'x'], 'missing'],
    ['a header whose value is our name', ['X', 'authorization'], 'missing'],
    ['two of them', ['authorization', `Bearer ${token}`, 'Authorization', `Bearer ${token}`], 'duplicate'],
    ['another scheme', ['authorization', `Basic ${token}`], 'malformed'],
    ['two parts', ['authorization', 'Bearer aaa.bbb'], 'malformed'],
    ['four parts', ['authorization', `Bearer ${token}.ddd`], 'malformed'],
    ['an empty signature', ['authorization', 'Bearer aaa.bbb.'], 'malformed'],
    ['two tokens', ['authorization', `Bearer ${token} ${token}`], 'malformed'],
    ['a leading text', ['authorization', `x Bearer ${token}`], 'malformed'],
    ['characters outside base64url', ['authorization', 'Bearer a+a.bbb.ccc'], 'malformed'],
    ['8193 bytes', ['authorization', `Bearer ${'a'.repeat(8193 - 8)}.bbb.ccc`], 'too-large'],
  ])('is refused with %s', async (_what, rawHeaders, refusal) => {
    expect(await refusalOf(() => bearerToken(rawHeaders))).toBe(refusal);
  });

  it('may hold 8192 bytes', () => {
    expect(bearerToken(['authorization', `Bearer ${'a'.repeat(8192 - 8)}.bbb.ccc`])).toHaveLength(8192);
  });

  it('says what is missing, and nothing about a forged token', () => {
    expect(() => bearerToken([])).toThrow(
      expect.objectContaining({
        code: 'AUTH.TOKEN_MISSING',
        message: 'This needs an Authorization header with a bearer token.',
      }),
    );
    expect(() => keyIdOf(`${encode({ alg: 'none' })}.e30.AA`)).toThrow(
      expect.objectContaining({ code: 'AUTH.TOKEN_REFUSED', message: 'The token is not accepted.' }),
    );
  });
});
