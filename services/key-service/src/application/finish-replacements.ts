import { isDomainError } from '@sociograph/kernel';
import type { KeyKeeper } from './change-key-state';
import type { KeyRing } from './key-ring';

/** Ends keys that have a successor as soon as none of their leases is open; their tokens are destroyed then. */
export class FinishReplacements {
  constructor(
    private readonly ring: Pick<KeyRing, 'retiring'>,
    private readonly ledger: { leasesOf(keyId: string): Promise<readonly unknown[]> },
    private readonly keeper: Pick<KeyKeeper, 'finishReplacement'>,
  ) {}

  /** Throws what kept a key from being ended: it is tried again with the next round. */
  async run(): Promise<void> {
    for (const { id, details } of this.ring.retiring()) {
      const leases = await this.ledger.leasesOf(id);
      if (leases.length > 0) continue;
      await this.keeper.finishReplacement(details.workspaceId, id).catch((error: unknown) => {
        // Deleted meanwhile: it is over already.
        if (!(isDomainError(error) && error.kind === 'not-found')) throw error;
      });
    }
  }
}
