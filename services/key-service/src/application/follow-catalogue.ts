import type { LeaseDesk } from './acquire-lease';
import type { Differing, KeyRing } from './key-ring';
import type { KeyEventDesk } from './take-key-events';
import type { InvalidKeys } from './write-invalid-keys';

/** Keeps the ledger's keys like the rows, and the rows like what the ledger learned of its keys. */
export class CatalogueFollower {
  constructor(
    private readonly ring: Pick<KeyRing, 'refresh' | 'defineAll'>,
    private readonly desk: Pick<LeaseDesk, 'slotsFreed'>,
    private readonly invalid: Pick<InvalidKeys, 'note'>,
    private readonly events: Pick<KeyEventDesk, 'refresh'>,
  ) {}

  /** Takes over what changed in the catalogue; whoever waits may now have a key. */
  async refresh(): Promise<void> {
    this.#take(await this.ring.refresh());
    await this.desk.slotsFreed();
  }

  /** Tells a new memory of the pool every key. */
  async teachAnew(): Promise<void> {
    this.#take(await this.ring.defineAll());
  }

  /** The ledger knows better than the row: a process ended before it wrote the row. */
  #take(differing: Differing[]): void {
    for (const { key, state } of differing) {
      if (state === 'invalid' && key.state === 'active') {
        this.invalid.note(key.id, 'token-refused', 'key-service');
      }
      if (state === 'refreshing' && key.state === 'active') {
        this.events.refresh(key.id, key.details.tokenVersion, 'token-refused', 'key-service');
      }
    }
  }
}
