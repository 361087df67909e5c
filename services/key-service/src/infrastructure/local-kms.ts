import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { sealBroken } from '../domain/errors';
import { Kms } from '../domain/sealing';

interface Master {
  id: Buffer;
  key: Buffer;
}

const ID_BYTES = 8;
const PLAIN = 1;
const NAMED = 2;

/**
 * Data keys under a master key that lies in a file (32 bytes in base64, mode 0600). Meant for one machine: whoever
 * reads the file reads all tokens of the database. A file may hold several keys, one a line, and there may be several
 * files: the first key of the first file wraps, all of them unwrap. A wrapped key names its master key; a name that is
 * not known makes the files be read again, so that a master key is changed without a restart.
 * Layout: 2(1) | id of the master key(8) | iv(12) | tag(16) | key(32); without the id (1) in older rows.
 */
export class LocalKms extends Kms {
  readonly #files: readonly string[];
  #masters: readonly Master[];
  #changedAt: number;

  constructor(masterKeyFile: string, olderFiles: readonly string[] = []) {
    super();
    this.#files = [masterKeyFile, ...olderFiles];
    this.#masters = this.#read();
    this.#changedAt = changeOf(masterKeyFile);
  }

  async generateDataKey(context: Record<string, string>): Promise<{ plain: Buffer; wrapped: Buffer }> {
    const plain = randomBytes(32);
    return { plain, wrapped: await this.wrap(plain, context) };
  }

  async wrap(plain: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    const { id, key } = this.#newest();
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad(context));
    const text = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(NAMED), id, iv, cipher.getAuthTag(), text]);
  }

  async unwrap(wrapped: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    const bytes = Buffer.from(wrapped);
    if (bytes[0] === PLAIN) return this.#unwrapUnnamed(bytes.subarray(1), context);
    if (bytes[0] !== NAMED) throw sealBroken();
    const id = bytes.subarray(1, 1 + ID_BYTES);
    const master = this.#find(id);
    if (master === undefined) throw sealBroken();
    return decrypt(master.key, bytes.subarray(1 + ID_BYTES), context);
  }

  async isNewest(wrapped: Uint8Array): Promise<boolean> {
    const bytes = Buffer.from(wrapped);
    return bytes[0] === NAMED && bytes.subarray(1, 1 + ID_BYTES).equals(this.#newest().id);
  }

  /** The key that wraps; another process may have put a new one in front. */
  #newest(): Master {
    const changedAt = changeOf(this.#files[0] as string);
    if (changedAt !== this.#changedAt) {
      this.#masters = this.#read();
      this.#changedAt = changedAt;
    }
    return this.#masters[0] as Master;
  }

  #find(id: Buffer): Master | undefined {
    const known = this.#masters.find((master) => master.id.equals(id));
    if (known !== undefined) return known;
    this.#masters = this.#read();
    return this.#masters.find((master) => master.id.equals(id));
  }

  #unwrapUnnamed(bytes: Buffer, context: Record<string, string>): Buffer {
    for (const { key } of this.#masters) {
      try {
        return decrypt(key, bytes, context);
      } catch {
        // It may be another one's.
      }
    }
    throw sealBroken();
  }

  #read(): Master[] {
    return this.#files.flatMap(mastersOf);
  }
}

/** Id of a master key: it tells nothing of the key and is alike everywhere. */
export function masterKeyId(key: Buffer): Buffer {
  return createHash('sha256').update('sociograph master key').update(key).digest().subarray(0, ID_BYTES);
}

function mastersOf(file: string): Master[] {
  // The mode is checked because a copied file usually loses it, and nothing else would notice.
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new Error('KMS_MASTER_KEY_FILE can be read by others than its owner: make it mode 0600.');
  }
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const keys = lines.map((line) => Buffer.from(line.trim(), 'base64'));
  if (keys.length === 0 || keys.some((key) => key.length !== 32)) {
    throw new Error('KMS_MASTER_KEY_FILE must hold 32 bytes in base64.');
  }
  return keys.map((key) => ({ id: masterKeyId(key), key }));
}

function changeOf(file: string): number {
  const { mtimeMs, ino } = statSync(file);
  return mtimeMs + ino;
}

function decrypt(key: Buffer, bytes: Buffer, context: Record<string, string>): Buffer {
  if (bytes.length !== 60) throw sealBroken();
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
  decipher.setAAD(aad(context)).setAuthTag(bytes.subarray(12, 28));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  } catch (cause) {
    throw sealBroken(cause);
  }
}

function aad(context: Record<string, string>): Buffer {
  const fields = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify(fields));
}
