import { randomBytes } from 'node:crypto';
import { Kms } from '../src/domain/sealing';

/** Wraps by writing the context in front; can be switched off. */
export class PlainKms extends Kms {
  away = false;
  made = 0;
  unwrapped = 0;

  async generateDataKey(context: Record<string, string>): Promise<{ plain: Buffer; wrapped: Buffer }> {
    if (this.away) throw new Error('kms is away');
    this.made += 1;
    const plain = randomBytes(32);
    return { plain, wrapped: Buffer.concat([Buffer.from(JSON.stringify(context)), plain]) };
  }

  async wrap(plain: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    if (this.away) throw new Error('kms is away');
    return Buffer.concat([Buffer.from(JSON.stringify(context)), plain]);
  }

  async isNewest(): Promise<boolean> {
    return true;
  }

  async unwrap(wrapped: Uint8Array, context: Record<string, string>): Promise<Buffer> {
    if (this.away) throw new Error('kms is away');
    this.unwrapped += 1;
    const bytes = Buffer.from(wrapped);
    const head = JSON.stringify(context);
    if (bytes.subarray(0, head.length).toString() !== head) throw new Error('wrong context');
    return Buffer.from(bytes.subarray(head.length));
  }
}
