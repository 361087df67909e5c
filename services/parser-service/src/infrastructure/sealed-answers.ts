import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { Secret } from '@sociograph/kernel';

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What begins otherwise was kept by an older version, in the clear. */
const PREFIX = 'sealed.1.';

/**
 * Answers of networks as they are kept in rows of calls. They show many people by name and id, also such as were erased,
 * and a database keeps the bytes of a row long after it was changed: what lies there can be read only with the platform's
 * suppression key. Packed before, because a database cannot pack what is sealed.
 */
export class SealedAnswers {
  private readonly key: Buffer;

  /** The key of every process that reads the same rows. */
  constructor(suppressionKey: Secret) {
    const given = Buffer.from(suppressionKey.reveal(), 'base64');
    this.key = Buffer.from(hkdfSync('sha256', given, '', 'answers of calls', KEY_BYTES));
  }

  /** It can be opened as the answer of this call only. */
  async seal(callId: string, answer: string): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.key, nonce).setAAD(Buffer.from(callId));
    const packed = await deflate(Buffer.from(answer, 'utf8'), { level: 1 });
    const sealed = Buffer.concat([nonce, cipher.update(packed), cipher.final(), cipher.getAuthTag()]);
    return PREFIX + sealed.toString('base64');
  }

  /** Undefined when it was sealed with another key, or for another call: it has to be asked for again. */
  async open(callId: string, kept: string): Promise<string | undefined> {
    if (!kept.startsWith(PREFIX)) return kept;
    const sealed = Buffer.from(kept.slice(PREFIX.length), 'base64');
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.key, sealed.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(callId))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    try {
      const packed = [decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
      return (await inflate(Buffer.concat(packed))).toString('utf8');
    } catch {
      return undefined;
    }
  }
}
