import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Sealing } from '../domain/audit-chain';
import type { HashedPassword } from '../domain/ports';

const derive = promisify(pbkdf2);
/** What Keycloak takes for pbkdf2-sha512 itself; at the first sign-in it hashes anew as its realm says. */
const ITERATIONS = 210_000;

/** 0.2 s of another thread. The password itself is not kept anywhere. */
export async function hashPassword(password: string): Promise<HashedPassword> {
  const salt = randomBytes(16);
  const value = await derive(password, salt, ITERATIONS, 64, 'sha512');
  return {
    algorithm: 'pbkdf2-sha512',
    iterations: ITERATIONS,
    salt: salt.toString('base64'),
    value: value.toString('base64'),
  };
}

/** 256 bits: guessing one is hopeless, so a plain digest of it may be stored. */
export function newInvitationToken(): string {
  return randomBytes(32).toString('base64url');
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** 32 bytes in base64. Throws a sentence that does not show them. */
export function readKey(file: string): Buffer {
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32) throw new Error(`${file} must hold 32 bytes in base64`);
  return key;
}

export class KeyedSealing extends Sealing {
  constructor(private readonly key: Buffer) {
    super();
  }

  override digest(text: string): string {
    return createHash('sha256').update(text).digest('hex');
  }

  override sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('hex');
  }
}
