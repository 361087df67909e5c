import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Secret } from '@sociograph/kernel';

const KEY_BYTES = 32;

/**
 * The platform's suppression key from its file: 32 bytes in base64. Throws a sentence that names the file and never
 * shows what is in it. Every service must have the same key, and it must be kept as long as the marks are: with
 * another one nobody who was erased is recognised any more.
 */
export function readSuppressionKey(file: string): Secret {
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || Buffer.from(text, 'base64').length !== KEY_BYTES) {
    throw new Error(`The suppression key in ${file} must be 32 bytes in base64`);
  }
  return new Secret(text);
}

/** HMAC-SHA-256, in hex, of the person's place in the platform: says nothing to whoever lacks the key. */
export function markOf(key: Secret, workspaceId: string, network: string, id: string): string {
  return markWith(keyObject(key), workspaceId, network, id);
}

/** The key in the form that signs without being parsed again. */
export function keyObject(key: Secret): KeyObject {
  return createSecretKey(Buffer.from(key.reveal(), 'base64'));
}

/** A line break can stand in none of the three parts, so that no two people share a text. */
export function markWith(key: KeyObject, workspaceId: string, network: string, id: string): string {
  return createHmac('sha256', key).update(`${workspaceId}\n${network}\n${id}`).digest('hex');
}
