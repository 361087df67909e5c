import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Account } from '../config';
import { ArangoFault } from '../faults';

const SESSION_SECONDS = 3600;

/** Checks Basic credentials and session tokens; tokens die with the process. */
export class AccessControl {
  readonly #secret = randomBytes(32);

  constructor(private readonly accounts: readonly Account[] | undefined) {}

  /** The account behind an authorization header; undefined when authentication is off. */
  authenticate(header: string | undefined): Account | undefined {
    if (!this.accounts) return undefined;
    const [scheme = '', credentials = ''] = (header ?? '').split(' ');
    if (scheme.toLowerCase() === 'basic') {
      const plain = Buffer.from(credentials, 'base64').toString('utf8');
      const colon = plain.indexOf(':');
      return this.#login(plain.slice(0, colon), plain.slice(colon + 1));
    }
    if (scheme.toLowerCase() === 'bearer') return this.#session(credentials);
    throw unauthorized();
  }

  /** 11 (403) when the account has no right to the database. */
  authorize(account: Account | undefined, database: string): void {
    if (account && !account.databases.includes('*') && !account.databases.includes(database)) {
      throw new ArangoFault(11, 'forbidden');
    }
  }

  /** A session token for `POST /_open/auth`. */
  token(username: unknown, password: unknown): string {
    if (typeof username !== 'string' || typeof password !== 'string')
      throw new ArangoFault(400, 'username and password are needed');
    if (this.accounts) this.#login(username, password);
    const now = Math.floor(Date.now() / 1000);
    const head = encode({ alg: 'HS256', typ: 'JWT' });
    const claims = encode({
      iss: 'arangodb',
      preferred_username: username,
      iat: now,
      exp: now + SESSION_SECONDS,
    });
    return `${head}.${claims}.${this.#sign(`${head}.${claims}`)}`;
  }

  #login(username: string, password: string): Account {
    const account = this.accounts?.find((candidate) => candidate.username === username);
    if (!account || !same(account.password, password)) throw unauthorized();
    return account;
  }

  #session(token: string): Account {
    const [head = '', claims = '', signature = ''] = token.split('.');
    if (!same(this.#sign(`${head}.${claims}`), signature)) throw unauthorized();
    const { preferred_username: username, exp } = JSON.parse(
      Buffer.from(claims, 'base64url').toString(),
    ) as Record<string, unknown>;
    const account = this.accounts?.find((candidate) => candidate.username === username);
    if (!account || typeof exp !== 'number' || exp * 1000 < Date.now()) throw unauthorized();
    return account;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('base64url');
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function same(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

function unauthorized(): ArangoFault {
  return new ArangoFault(401, 'not authorized to execute this request', 401);
}
