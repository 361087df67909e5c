import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import {
  type IdempotencyAnswer,
  type IdempotencyClaim,
  type IdempotencyRequest,
  IdempotencyStore,
} from '@sociograph/kernel';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keeps answers that hold a secret (the token of an invitation): their bodies are sealed under a key that the database
 * does not have, each for its own request. AES-256-GCM: iv(12) | tag(16) | ciphertext, in base64url.
 */
export class SealedAnswers extends IdempotencyStore {
  readonly #key: Buffer;

  /** `root`: 32 bytes, of which a key for this purpose alone is derived. */
  constructor(
    private readonly store: IdempotencyStore,
    root: Buffer,
  ) {
    super();
    this.#key = Buffer.from(hkdfSync('sha256', root, '', 'sociograph answers of idempotent requests v1', 32));
  }

  override async claim(request: IdempotencyRequest): Promise<IdempotencyClaim> {
    const claim = await this.store.claim(request);
    if (claim.kind !== 'repeat') return claim;
    return { kind: 'repeat', answer: { ...claim.answer, body: this.#open(request, claim.answer.body) } };
  }

  override complete(request: IdempotencyRequest, answer: IdempotencyAnswer): Promise<void> {
    return this.store.complete(request, { ...answer, body: this.#seal(request, answer.body) });
  }

  override release(request: IdempotencyRequest): Promise<void> {
    return this.store.release(request);
  }

  #seal(request: IdempotencyRequest, body: unknown): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(contextOf(request));
    const text = Buffer.concat([cipher.update(JSON.stringify(body ?? null)), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url');
  }

  /** Throws where it was sealed for another request, or changed. */
  #open(request: IdempotencyRequest, sealed: unknown): unknown {
    const bytes = Buffer.from(String(sealed), 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(contextOf(request)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(text.toString('utf8'));
  }
}

function contextOf({ workspaceId, operation, key }: IdempotencyRequest): Buffer {
  return Buffer.from(JSON.stringify([workspaceId, operation, key]));
}
