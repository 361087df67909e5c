import type { Mark, Suppressions } from '@sociograph/suppression';
import type { OneAtATime } from './one-at-a-time';
import type { Scope, Warehouse } from './warehouse';

/** The warehouse is looked through at once, and again when what others had in hand is written. */
const LOOKS = 2;

/**
 * Takes erased people out of the warehouse. A mark names nobody, so all ids of its workspace and network are asked
 * whether they bear one (2 microseconds each).
 */
export class ForgetErased {
  readonly #open = new Map<string, { scope: Scope; looks: number }>();

  constructor(
    private readonly warehouse: Warehouse,
    private readonly suppressions: Suppressions,
    private readonly turns: OneAtATime,
  ) {
    suppressions.onMark((mark) => this.note(mark));
  }

  /** Somebody was erased there: it is looked through at the next calls of `look`. */
  note({ workspaceId, network }: Pick<Mark, 'workspaceId' | 'network'>): void {
    const scope = { workspaceId, network };
    this.#open.set(`${workspaceId}:${network}`, { scope, looks: LOOKS });
  }

  /** Looks through what is open; answers how many people it took out. What fails stays open. */
  async look(): Promise<number> {
    let erased = 0;
    for (const entry of [...this.#open.values()]) {
      const { scope } = entry;
      const { workspaceId, network } = scope;
      const looksBefore = entry.looks;
      const ids = await this.turns.run(async () => {
        const people = await this.warehouse.peopleIn(scope);
        const gone = people.filter((id) => this.suppressions.isSuppressed(workspaceId, network, id));
        if (gone.length > 0) await this.warehouse.erase(scope, gone);
        return gone;
      });
      erased += ids.length;
      entry.looks = looksBefore - 1;
      const key = `${workspaceId}:${network}`;
      // A mark that came meanwhile made a new entry, which stays.
      if (entry.looks === 0 && this.#open.get(key) === entry) this.#open.delete(key);
    }
    return erased;
  }
}
