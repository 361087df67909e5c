import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomFillSync,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import type { LeaseHello } from '@sociograph/contracts';

/**
 * Both halves of the lease session's cryptography, in one place so that worker and pool cannot drift apart:
 * Ed25519 signs the hello, X25519 agrees on a secret, HKDF-SHA-256 makes three keys of it.
 */
export interface SessionKeys {
  /** HMAC key of what the worker sends. */
  request: Buffer;
  /** HMAC key of what the pool answers. */
  reply: Buffer;
  /** AES-256-GCM key of the tokens in leases. */
  seal: Buffer;
}

export interface KeyShare {
  privateKey: KeyObject;
  /** Raw public key, base64url. */
  publicKey: string;
  nonce: string;
}

const INFO = 'sociograph lease session v1';

export function newKeyShare(): KeyShare {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const { x } = publicKey.export({ format: 'jwk' });
  return { privateKey, publicKey: x as string, nonce: randomBytes(16).toString('base64url') };
}

function helloText(hello: Omit<LeaseHello, 'signature'>): Buffer {
  return Buffer.from(
    [
      'sociograph lease hello v1',
      hello.service,
      hello.instance,
      hello.publicKey,
      hello.nonce,
      hello.issuedAt,
    ].join('|'),
  );
}

/** Signs a hello with the identity key of the service (PEM, Ed25519). */
export function signHello(hello: Omit<LeaseHello, 'signature'>, identityKeyPem: string): LeaseHello {
  const signature = sign(null, helloText(hello), createPrivateKey(identityKeyPem)).toString('base64url');
  return { ...hello, signature };
}

export function helloIsGenuine(hello: LeaseHello, trustedPublicPem: string): boolean {
  return verify(
    null,
    helloText(hello),
    createPublicKey(trustedPublicPem),
    Buffer.from(hello.signature, 'base64url'),
  );
}

export interface Agreement {
  service: string;
  instance: string;
  worker: { publicKey: string; nonce: string };
  pool: { publicKey: string; nonce: string };
}

/** The keys that both sides derive; throws on a public key that is no point of the curve. */
export function deriveKeys(own: KeyObject, peerPublicKey: string, agreement: Agreement): SessionKeys {
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'X25519', x: peerPublicKey },
    format: 'jwk',
  });
  const secret = diffieHellman({ privateKey: own, publicKey });
  const salt = Buffer.from(`${agreement.worker.nonce}.${agreement.pool.nonce}`);
  const info = [
    INFO,
    agreement.service,
    agreement.instance,
    agreement.worker.publicKey,
    agreement.pool.publicKey,
  ].join('|');
  const bytes = Buffer.from(hkdfSync('sha256', secret, salt, info, 96));
  return { request: bytes.subarray(0, 32), reply: bytes.subarray(32, 64), seal: bytes.subarray(64, 96) };
}

/** MAC of a frame: its kind and session are covered, so that no body passes as another kind's. */
export function frameMac(key: Buffer, kind: string, session: string, body: string): string {
  return createHmac('sha256', key).update(`${kind}.${session}.${body}`).digest('base64url');
}

export function macIsRight(key: Buffer, kind: string, session: string, body: string, mac: string): boolean {
  const expected = Buffer.from(frameMac(key, kind, session, body), 'base64url');
  const given = Buffer.from(mac, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** iv(12) | tag(16) | ciphertext, base64url. */
export function sealToken(key: Buffer, token: string, aad: string): string {
  const iv = freshIv();
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(aad));
  const ciphertext = cipher.update(token, 'utf8');
  // A stream cipher holds nothing back: `final` only makes the tag.
  cipher.final();
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url');
}

const IV_BYTES = 12;
const ivs = Buffer.alloc(256 * IV_BYTES);
let ivsUsed = ivs.length;

/** Twelve random bytes that nobody gets again, drawn 256 at a time: one by one they are a third of the sealing. */
function freshIv(): Buffer {
  if (ivsUsed === ivs.length) {
    randomFillSync(ivs);
    ivsUsed = 0;
  }
  ivsUsed += IV_BYTES;
  return Buffer.from(ivs.subarray(ivsUsed - IV_BYTES, ivsUsed));
}

/** Throws when the sealed token, its key or what it is bound to do not fit together. */
export function openToken(key: Buffer, sealed: string, aad: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
}

/** What a token in a lease is bound to. */
export function tokenAad(lease: { leaseId: string; fence: number; keyId: string }): string {
  return `${lease.leaseId}|${lease.fence}|${lease.keyId}`;
}
