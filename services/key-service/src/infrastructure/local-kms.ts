import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { sealBroken } from '../domain/errors';
import { Kms } from '../domain/ports';

/**
 * Data keys under a master key that lies in a file (32 bytes, base64, mode 0600). Meant for one machine: whoever
 * reads the file reads all tokens of the database. Layout of a wrapped key: version(1) | iv(12) | tag(16) | key(32).
 */
export class LocalKms extends Kms {
  readonly #master: Buffer;

  constructor(masterKeyFile: string) {
    super();
    // The mode is checked because a copied file usually loses it, and nothing else would notice.
    if ((statSync(masterKeyFile).mode & 0o077) !== 0) {
      throw new Error('KMS_MASTER_KEY_FILE can be read by others than its owner: make it mode 0600.');
    }
    this.#master = Buffer.from(readFileSync(masterKeyFile, 'utf8').trim(), 'base64');
    if (this.#master.length !== 32) throw new Error('KMS_MASTER_KEY_FILE must hold 32 bytes in base64.');
  }

  async generateDataKey(context: Record<string, string>): Promise<{ plain: Buffer; wrapped: Buffer }> {
    const plain = randomBytes(32);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#master, iv).setAAD(aad(context));
    const key = Buffer.concat([cipher.update(plain), cipher.final()]);
    return { plain, wrapped: Buffer.concat([Buffer.of(1), iv, cipher.getAuthTag(), key]) };
  }

  async unwrap(wrapped: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    const bytes = Buffer.from(wrapped);
    if (bytes[0] !== 1 || bytes.length !== 61) throw sealBroken();
    const decipher = createDecipheriv('aes-256-gcm', this.#master, bytes.subarray(1, 13), {
      authTagLength: 16,
    });
    decipher.setAAD(aad(context)).setAuthTag(bytes.subarray(13, 29));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(29)), decipher.final()]);
    } catch (cause) {
      throw sealBroken(cause);
    }
  }
}

function aad(context: Record<string, string>): Buffer {
  const fields = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(fields));
}
