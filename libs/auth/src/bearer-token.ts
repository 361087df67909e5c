import { DomainError } from '@sociograph/kernel';

/** Keycloak's tokens are 1-2 KB; more than this is not parsed. */
export const MAX_TOKEN_BYTES = 8192;

const BEARER = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
const MAX_KEY_ID = 128;

/** Why a token is not accepted: bounded, for metrics and logs. */
export type Refusal =
  | 'missing'
  | 'duplicate'
  | 'malformed'
  | 'too-large'
  | 'algorithm'
  | 'no-key-id'
  | 'unknown-key'
  | 'signature'
  | 'expired'
  | 'not-yet'
  | 'issuer'
  | 'audience'
  | 'client'
  | 'type'
  | 'claims'
  | 'revoked';

const sentences: Partial<Record<Refusal, string>> = {
  duplicate: 'There is more than one Authorization header.',
  'too-large': 'The token is too large.',
  expired: 'The token has expired.',
  revoked: 'The token was revoked.',
};

/** A 401; the caller learns no more of a forged token than that it is not accepted. */
export function refuse(refusal: Refusal, cause?: unknown): DomainError {
  if (refusal === 'missing')
    return new DomainError({
      code: 'AUTH.TOKEN_MISSING',
      kind: 'unauthenticated',
      message: 'This needs an Authorization header with a bearer token.',
      facts: { refusal },
    });
  return new DomainError({
    code: 'AUTH.TOKEN_REFUSED',
    kind: 'unauthenticated',
    message: sentences[refusal] ?? 'The token is not accepted.',
    facts: { refusal },
    cause,
  });
}

/**
 * The token of a request. Node keeps only the first of several Authorization headers, and a proxy in front may have
 * looked at the last: hence the raw list (name, value, name, value, ...).
 */
export function bearerToken(rawHeaders: readonly string[]): string {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  const [value] = values;
  if (value === undefined) throw refuse('missing');
  if (values.length > 1) throw refuse('duplicate');
  const token = BEARER.exec(value)?.[1];
  if (token === undefined) throw refuse('malformed');
  if (token.length > MAX_TOKEN_BYTES) throw refuse('too-large');
  return token;
}

/** The key id of a token whose header is one that Keycloak writes: RS256, JWT, a key id, no critical extensions. */
export function keyIdOf(token: string): string {
  const { alg, typ, kid, crit } = parsePart(token, 0);
  if (alg !== 'RS256') throw refuse('algorithm');
  if (typ !== 'JWT' || crit !== undefined) throw refuse('malformed');
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KEY_ID) throw refuse('no-key-id');
  return kid;
}

/** The claims of a token; nothing of them is true before the signature was checked. */
export function claimsOf(token: string): Record<string, unknown> {
  return parsePart(token, 1);
}

function parsePart(token: string, index: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(
      Buffer.from(token.split('.')[index] ?? '', 'base64url').toString('utf8'),
    );
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch (cause) {
    throw refuse('malformed', cause);
  }
  throw refuse('malformed');
}
