import { isDomainError } from '@sociograph/kernel';
import type { KeyKeeper } from './change-key-state';
import type { KeyRing } from './key-ring';

/**
 * Keys that answers made invalid and whose row does not know it yet. The ledger refuses them already; the row follows
 * as soon as PostgreSQL takes it, and what is lost with the process is found again by comparing with the ledger.
 */
export class InvalidKeys {
  readonly #unwritten = new Map<string, { reason: string; service: string }>();

  constructor(
    private readonly ring: Pick<KeyRing, 'key'>,
    private readonly keeper: Pick<KeyKeeper, 'invalidate'>,
  ) {}

  /** The first note of a key holds until it is written: it has the reason, and who saw it. */
  note(keyId: string, reason: string, service: string): void {
    if (!this.#unwritten.has(keyId)) this.#unwritten.set(keyId, { reason, service });
  }

  /** Throws what kept a row from being written; that key and those after it stay noted. */
  async write(): Promise<void> {
    for (const [keyId, { reason, service }] of this.#unwritten) {
      const key = this.ring.key(keyId);
      if (key !== undefined) {
        await this.keeper
          .invalidate(key.details.workspaceId, keyId, reason, service)
          .catch((error: unknown) => {
            // Deleted meanwhile: there is nothing left to write.
            if (!(isDomainError(error) && error.kind === 'not-found')) throw error;
          });
      }
      this.#unwritten.delete(keyId);
    }
  }
}
