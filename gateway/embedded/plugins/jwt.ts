import { createHash, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Exit } from '../exchange';
import { ConfigurationFault, integer, list, object, oneOf, otherwise } from '../field-rules';
import type { Plugin } from './plugin';

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
    const parsed = parse(token);
    if (typeof parsed === 'string') return refused({ message: `Bad token; ${parsed}` });
    const { header, claims, signed, signature } = parsed;
    const name = config.key_claim_name;
    const key = claims[name] ?? header[name];
    if (key === undefined || key === null) return refused({ message: `No mandatory '${name}' in claims` });
    if (key === '') return refused({ message: `Invalid '${name}' in claims` });
    const credential = surroundings.credential(String(key));
    if (credential === undefined) return refused({ message: `No credentials found for given '${name}'` });
    if (header['alg'] !== credential.algorithm) return refused({ message: 'Invalid algorithm' });
    if (!isSigned(token, signed, signature, credential.publicKey)) {
      return refused({ message: 'Invalid signature' });
    }
    const faults = timeFaults(claims, config, Math.floor(surroundings.now() / 1000));
    if (faults !== undefined) return refused(faults);
    const { consumer } = credential;
    exchange.consumer = consumer;
    exchange.setHeader('X-Consumer-ID', consumer.id);
    exchange.setHeader('X-Consumer-Username', consumer.username);
    if (consumer.customId === undefined) exchange.clearHeader('X-Consumer-Custom-ID');
    else exchange.setHeader('X-Consumer-Custom-ID', consumer.customId);
    exchange.setHeader('X-Credential-Identifier', consumer.credential);
    exchange.clearHeader('X-Anonymous-Consumer');
    return undefined;
  },
};

/** Tokens whose signature was good, by their SHA-256, under the key that they were checked with. */
const verified = new Map<string, KeyObject>();
const MOST_VERIFIED = 10_000;

/**
 * A signature is checked once (0.1 ms) and remembered for as long as its key is installed: a changed configuration
 * brings new key objects. Times are checked every time.
 */
function isSigned(token: string, signed: string, signature: Buffer, key: KeyObject): boolean {
  const name = createHash('sha256').update(token).digest('base64');
  if (verified.get(name) === key) return true;
  if (!verify('RSA-SHA256', Buffer.from(signed), key, signature)) return false;
  const oldest = verified.keys().next();
  if (verified.size >= MOST_VERIFIED && oldest.done !== true) verified.delete(oldest.value);
  verified.delete(name);
  verified.set(name, key);
  return true;
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

function timeFaults(claims: Fields, config: JwtConfig, now: number): Fields | undefined {
  const faults: Fields = {};
  for (const name of config.claims_to_verify) {
    const value = claims[name];
    if (typeof value !== 'number') faults[name] = 'must be a number';
    else if (name === 'exp' && value <= now) faults[name] = 'token expired';
    else if (name === 'nbf' && value > now) faults[name] = 'token not valid yet';
  }
  if (Object.keys(faults).length > 0) return faults;
  if (config.maximum_expiration > 0 && Number(claims['exp']) - now > config.maximum_expiration) {
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
