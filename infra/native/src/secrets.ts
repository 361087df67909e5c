import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Generated at first use, one file of mode 0600 each; never a default, never in git. */
export class Secrets {
  constructor(private readonly dir: string) {}

  /** A password of 32 url-safe characters: it needs no escaping in a connection string or a config file. */
  password(name: string): string {
    return readFileSync(
      this.file(name, () => randomBytes(24).toString('base64url')),
      'utf8',
    ).trim();
  }

  /** Path of 32 random bytes in base64: a key-encryption key for the local KMS. */
  masterKeyFile(name: string): string {
    return this.file(name, () => `${randomBytes(32).toString('base64')}\n`);
  }

  /** An Ed25519 identity: path of the private key (PKCS8 PEM) and the public key (SPKI PEM). */
  identity(name: string): { privateFile: string; publicPem: string } {
    const privateFile = join(this.dir, `${name}.pem`);
    const publicFile = join(this.dir, `${name}.pub.pem`);
    if (!existsSync(privateFile) || !existsSync(publicFile)) {
      const pair = generateKeyPairSync('ed25519', {
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      });
      this.write(privateFile, pair.privateKey);
      this.write(publicFile, pair.publicKey);
    }
    return { privateFile, publicPem: readFileSync(publicFile, 'utf8') };
  }

  /** Writes a file that is derived from secrets (configuration with passwords in it). */
  derived(name: string, content: string): string {
    const file = join(this.dir, name);
    this.write(file, content);
    return file;
  }

  private file(name: string, create: () => string): string {
    const file = join(this.dir, name);
    if (!existsSync(file)) this.write(file, create());
    return file;
  }

  private write(file: string, content: string): void {
    mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    writeFileSync(file, content, { mode: 0o600 });
  }
}
