import { createPublicKey } from 'node:crypto';
import type { JsonWebKey } from 'node:crypto';

/** A key as jwt_secrets holds it. */
export interface SigningKey {
  key: string;
  algorithm: 'RS256';
  rsa_public_key: string;
}

interface Jwk extends JsonWebKey {
  kid?: string;
  use?: string;
  alg?: string;
}

/** The keys of a JWKS that sign RS256 tokens, ordered by key id; encryption keys and other algorithms are left out. */
export function signingKeys(jwks: unknown): SigningKey[] {
  const { keys } = jwks as { keys?: Jwk[] };
  if (!Array.isArray(keys)) throw new Error('The key set has no list of keys.');
  return keys
    .filter(
      (jwk) => jwk.kty === 'RSA' && jwk.use === 'sig' && jwk.alg === 'RS256' && typeof jwk.kid === 'string',
    )
    .map((jwk) => ({
      key: jwk.kid as string,
      algorithm: 'RS256' as const,
      rsa_public_key: createPublicKey({ key: jwk, format: 'jwk' })
        .export({ type: 'spki', format: 'pem' })
        .toString(),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}
