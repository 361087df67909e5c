import { generateKeyPairSync } from 'node:crypto';
import {
  deriveKeys,
  frameMac,
  helloIsGenuine,
  macIsRight,
  newKeyShare,
  openToken,
  sealToken,
  signHello,
  tokenAad,
} from './session-crypto';

const identity = generateKeyPairSync('ed25519', {
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const hello = {
  service: 'parser-service',
  instance: '0',
  publicKey: 'A'.repeat(43),
  nonce: 'B'.repeat(22),
  issuedAt: 1000,
};

function session() {
  const worker = newKeyShare();
  const pool = newKeyShare();
  const agreement = {
    service: 'parser-service',
    instance: '0',
    worker: { publicKey: worker.publicKey, nonce: worker.nonce },
    pool: { publicKey: pool.publicKey, nonce: pool.nonce },
  };
  return { worker, pool, agreement };
}

describe("a lease session's cryptography", () => {
  it('tells a hello that was signed from one of which anything was changed', () => {
    const signed = signHello(hello, identity.privateKey);
    expect(helloIsGenuine(signed, identity.publicKey)).toBe(true);
    for (const changed of [
      { service: 'other-service' },
      { instance: '1' },
      { publicKey: 'C'.repeat(43) },
      { nonce: 'C'.repeat(22) },
      { issuedAt: 1001 },
    ]) {
      expect(helloIsGenuine({ ...signed, ...changed }, identity.publicKey)).toBe(false);
    }
    const other = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(helloIsGenuine(signed, other)).toBe(false);
  });

  it('makes shares in the form that the protocol has', () => {
    const { publicKey, nonce } = newKeyShare();
    expect(publicKey).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(newKeyShare().publicKey).not.toBe(publicKey);
  });

  it('gives both sides the same three keys, all different', () => {
    const { worker, pool, agreement } = session();
    const ours = deriveKeys(worker.privateKey, pool.publicKey, agreement);
    const theirs = deriveKeys(pool.privateKey, worker.publicKey, agreement);
    expect(ours).toEqual(theirs);
    const keys = [ours.request, ours.reply, ours.seal].map((key) => key.toString('hex'));
    expect(new Set(keys).size).toBe(3);
    expect(keys.every((key) => key.length === 64)).toBe(true);
  });

  it('gives other keys to whoever is somebody else', () => {
    const { worker, pool, agreement } = session();
    const ours = deriveKeys(worker.privateKey, pool.publicKey, agreement);
    for (const changed of [
      { service: 'x' },
      { instance: '1' },
      { pool: { ...agreement.pool, nonce: 'x' } },
    ]) {
      const theirs = deriveKeys(pool.privateKey, worker.publicKey, { ...agreement, ...changed });
      expect(theirs.request).not.toEqual(ours.request);
    }
  });

  it('covers kind, session and body by the MAC', () => {
    const key = Buffer.alloc(32, 1);
    const mac = frameMac(key, 'lease', 's1', '{}');
    expect(mac).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(macIsRight(key, 'lease', 's1', '{}', mac)).toBe(true);
    expect(macIsRight(key, 'settle', 's1', '{}', mac)).toBe(false);
    expect(macIsRight(key, 'lease', 's2', '{}', mac)).toBe(false);
    expect(macIsRight(key, 'lease', 's1', '{ }', mac)).toBe(false);
    expect(macIsRight(Buffer.alloc(32, 2), 'lease', 's1', '{}', mac)).toBe(false);
    expect(macIsRight(key, 'lease', 's1', '{}', 'short')).toBe(false);
  });

  it('opens a token only for the lease that it was sealed for', () => {
    const key = Buffer.alloc(32, 1);
    const lease = { leaseId: 'l1', fence: 7, keyId: 'k1' };
    const sealed = sealToken(key, 'vk1.a.token', tokenAad(lease));
    expect(sealed).not.toBe(sealToken(key, 'vk1.a.token', tokenAad(lease)));
    expect(Buffer.from(sealed, 'base64url')).toHaveLength(12 + 16 + 'vk1.a.token'.length);
    expect(openToken(key, sealed, tokenAad(lease))).toBe('vk1.a.token');
    for (const other of [{ leaseId: 'l2' }, { fence: 8 }, { keyId: 'k2' }]) {
      expect(() => openToken(key, sealed, tokenAad({ ...lease, ...other }))).toThrow();
    }
    expect(() => openToken(Buffer.alloc(32, 2), sealed, tokenAad(lease))).toThrow();
  });
});
