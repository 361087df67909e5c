import type { LeaseDesk } from './acquire-lease';
import type { Differing, KeyRing } from './key-ring';
import type { KeyEventDesk } from './take-key-events';
import type { InvalidKeys } from './write-invalid-keys';

/** Of a pool of a thousand every key is compared three times a minute, at 2 ms of the ledger's time every two seconds. */
const COMPARED_AT_ONCE = 100;

/** Keeps the ledger's keys like the rows, and the rows like what the ledger learned of its keys. */
export class CatalogueFollower {
  constructor(
    private readonly ring: Pick<KeyRing, 'refresh' | 'defineAll' | 'compareNext'>,
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

  /** Looks whether the ledger knows better of some keys; goes through all of them, call by call. */
  async compare(): Promise<void> {
    this.#take(await this.ring.compareNext(COMPARED_AT_ONCE));
  }

  /** The ledger knows better than the row: its answer was lost, or a process ended before it wrote the row. */
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
