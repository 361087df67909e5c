import { hash, verify } from 'node:crypto';
import type { Credential, Exit } from '../exchange';
import { ConfigurationFault, integer, list, object, oneOf, otherwise } from '../field-rules';
import type { Plugin, Surroundings } from './plugin';

interface JwtConfig {
  key_claim_name: 'kid';
  claims_to_verify: Array<'exp' | 'nbf'>;
  maximum_expiration: number;
  uri_param_names: string[];
  cookie_names: string[];
  run_on_preflight: true;
}
type Fields = Record<string, unknown>;

/** Algorithms that Kong's parser knows; credentials here are RS256, the others fail with "Invalid algorithm". */
const KNOWN_ALGORITHMS = new Set(
  'HS256 HS384 HS512 RS256 RS384 RS512 ES256 ES384 ES512 PS256 PS384 PS512 EdDSA'.split(' '),
);

const empty = (value: unknown, where: string): string[] => {
  if (!Array.isArray(value) || value.length > 0)
    throw new ConfigurationFault(`${where} must be an empty list.`);
  return [];
};

/**
 * Form, key id, algorithm, signature and times of a Bearer token. Issuer, audience and type are the services' to
 * check. `run_on_preflight` must be true: false would let EVERY OPTIONS through without a token.
 */
export const jwt: Plugin<JwtConfig> = {
  name: 'jwt',
  priority: 1450,
  config: object<JwtConfig>({
    key_claim_name: oneOf('kid'),
    claims_to_verify: list(oneOf('exp', 'nbf')),
    maximum_expiration: otherwise(integer(0, 31_536_000), 0),
    uri_param_names: empty,
    cookie_names: empty,
    run_on_preflight: oneOf(true),
  }),
  access(exchange, config, surroundings) {
    const token = /\s*[Bb]earer\s+(.+)/.exec(exchange.received('authorization') ?? '')?.[1];
    if (token === undefined) return unauthorized({ message: 'Unauthorized' }, 'Bearer');
    const name = hash('sha256', token, 'base64');
    const known = remembered(name, surroundings) ?? verified(token, config, surroundings);
    if (typeof known === 'string') return refused({ message: known });
    remember(name, known);
    const faults = timeFaults(known.times, config, Math.floor(surroundings.now() / 1000));
    if (faults !== undefined) return refused(faults);
    const { consumer, key } = known.credential;
    exchange.consumer = consumer;
    exchange.setHeader('X-Consumer-ID', consumer.id);
    exchange.setHeader('X-Consumer-Username', consumer.username);
    if (consumer.customId === undefined) exchange.clearHeader('X-Consumer-Custom-ID');
    else exchange.setHeader('X-Consumer-Custom-ID', consumer.customId);
    exchange.setHeader('X-Credential-Identifier', key);
    exchange.clearHeader('X-Anonymous-Consumer');
    return undefined;
  },
};

/** A token whose signature is good. */
interface Verified {
  credential: Credential;
  times: { exp: unknown; nbf: unknown };
}

/** By the SHA-256 of the token. */
const verifiedBefore = new Map<string, Verified>();
const MOST_REMEMBERED = 10_000;

/**
 * A signature is checked once (0.1 ms) and remembered for as long as its credential is installed: a changed
 * configuration brings new ones. Times are checked every time.
 */
function remembered(name: string, surroundings: Surroundings): Verified | undefined {
  const known = verifiedBefore.get(name);
  return known !== undefined && surroundings.credential(known.credential.key) === known.credential
    ? known
    : undefined;
}

function remember(name: string, known: Verified): void {
  if (verifiedBefore.get(name) === known) return;
  const oldest = verifiedBefore.keys().next();
  if (verifiedBefore.size >= MOST_REMEMBERED && oldest.done !== true) verifiedBefore.delete(oldest.value);
  verifiedBefore.delete(name);
  verifiedBefore.set(name, known);
}

/** Form, key id, algorithm and signature; what Kong says where one of them is wrong. */
function verified(token: string, config: JwtConfig, surroundings: Surroundings): Verified | string {
  const parsed = parse(token);
  if (typeof parsed === 'string') return `Bad token; ${parsed}`;
  const { header, claims, signed, signature } = parsed;
  const name = config.key_claim_name;
  const key = claims[name] ?? header[name];
  if (key === undefined || key === null) return `No mandatory '${name}' in claims`;
  if (key === '') return `Invalid '${name}' in claims`;
  const credential = surroundings.credential(String(key));
  if (credential === undefined) return `No credentials found for given '${name}'`;
  if (header['alg'] !== credential.algorithm) return 'Invalid algorithm';
  if (!verify('RSA-SHA256', Buffer.from(signed), credential.publicKey, signature)) return 'Invalid signature';
  return { credential, times: { exp: claims['exp'], nbf: claims['nbf'] } };
}

interface Parsed {
  header: Fields;
  claims: Fields;
  signed: string;
  signature: Buffer;
}

/** The parts of a token, or what Kong says is wrong with it. */
function parse(token: string): Parsed | string {
  const [header64, claims64, ...rest] = token.split('.');
  const signature64 = rest.join('.');
  if (header64 === undefined || claims64 === undefined || rest.length === 0) return 'invalid JSON';
  const header = fieldsOf(header64);
  const claims = fieldsOf(claims64);
  if (header === undefined || claims === undefined) return 'invalid JSON';
  const { typ, alg } = header;
  if (typ !== undefined && typ !== null && typ !== false && String(typ).toUpperCase() !== 'JWT')
    return 'invalid typ';
  if (typeof alg !== 'string' || !KNOWN_ALGORITHMS.has(alg)) return 'invalid alg';
  if (!/^[A-Za-z0-9_=-]+$/.test(signature64)) return 'invalid signature';
  return {
    header,
    claims,
    signed: `${header64}.${claims64}`,
    signature: Buffer.from(signature64, 'base64url'),
  };
}

function fieldsOf(part: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined;
  }
}

function timeFaults(claims: Verified['times'], config: JwtConfig, now: number): Fields | undefined {
  const faults: Fields = {};
  for (const name of config.claims_to_verify) {
    const value = claims[name];
    if (typeof value !== 'number') faults[name] = 'must be a number';
    else if (name === 'exp' && value <= now) faults[name] = 'token expired';
    else if (name === 'nbf' && value > now) faults[name] = 'token not valid yet';
  }
  if (Object.keys(faults).length > 0) return faults;
  if (config.maximum_expiration > 0 && Number(claims.exp) - now > config.maximum_expiration) {
    return { exp: 'exceeds maximum allowed expiration' };
  }
  return undefined;
}

function refused(json: object): Exit {
  return unauthorized(json, 'Bearer error="invalid_token"');
}

function unauthorized(json: object, challenge: string): Exit {
  return { status: 401, json, headers: { 'WWW-Authenticate': challenge } };
}
