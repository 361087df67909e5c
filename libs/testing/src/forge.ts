import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { RealmKey } from './realm-key';

type Fields = Record<string, unknown>;

/** What of a token is other than in one that Keycloak would give. `undefined` as a value leaves a field out. */
export interface Change {
  header?: Fields;
  claims?: Fields;
  /** Node's name of the hash, for signatures of the realm's own key. */
  hash?: string;
  padding?: 'pss';
  /** Signed by a key that the realm does not have. */
  foreign?: boolean;
  /** HMAC (sha256, sha384, sha512) under this secret. */
  hmac?: [string, string];
  /** The second part as it is, in place of the claims. */
  payload?: string;
}

const encode = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Makes tokens that the realm could have made, and others. */
export class Forge {
  private readonly foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });

  constructor(
    readonly key: RealmKey,
    private readonly issuer: string,
    readonly workspace: string,
  ) {}

  get foreignJwk(): Fields {
    return {
      ...this.foreign.publicKey.export({ format: 'jwk' }),
      kid: this.key.kid,
      use: 'sig',
      alg: 'RS256',
    };
  }

  claims(changes: Fields = {}): Fields {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      aud: 'sociograph-api',
      azp: 'sociograph-demo',
      typ: 'Bearer',
      sub: '6f0c1c1e-0000-4000-8000-000000000001',
      iat: now - 1,
      exp: now + 300,
      workspace_id: this.workspace,
      realm_access: { roles: ['viewer', 'analyst', 'operator', 'admin'] },
      ...changes,
    };
  }

  token(change: Change = {}): string {
    const header = { alg: 'RS256', typ: 'JWT', kid: this.key.kid, ...change.header };
    const signed = `${encode(header)}.${encode(change.payload ?? this.claims(change.claims))}`;
    return `${signed}.${this.signature(signed, change)}`;
  }

  private signature(signed: string, { hash = 'sha256', padding, foreign, hmac }: Change): string {
    if (hmac !== undefined) return createHmac(hmac[0], hmac[1]).update(signed).digest('base64url');
    const key: KeyObject = foreign === true ? this.foreign.privateKey : this.key.privateKey;
    const options = padding === 'pss' ? { key, padding: 6, saltLength: 32 } : key;
    return sign(hash, Buffer.from(signed), options).toString('base64url');
  }
}
