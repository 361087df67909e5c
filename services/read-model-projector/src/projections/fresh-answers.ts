import type { Positions } from '@sociograph/contracts';
import { decodePositions, encodePositions, positionsCover, TOPICS } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type { LiveViews } from './live-views';
import { AppliedWatch, LogEnds, type Reached, ViewCache } from './ports';

/** How long a reader may be kept waiting for a position. */
export const MAX_WAIT_MS = 5000;
const RETRY_AFTER_SECONDS = 1;

export interface Freshness {
  /** Positions that the answer is known to include, as an opaque token; later ones may be in it too. */
  appliedUpTo: string;
  /** When the writer announced them, or took in the last record where its memory answers; ms since the epoch. */
  at: number;
}

export interface Fresh<Row> {
  row: Row;
  freshness: Freshness;
}

const FOLLOWED: ReadonlySet<string> = new Set([
  TOPICS.users.name,
  TOPICS.friendLists.name,
  TOPICS.groups.name,
  TOPICS.posts.name,
  TOPICS.memberships.name,
  TOPICS.subscriptions.name,
  TOPICS.graphChanges.name,
]);

/**
 * Answers at least as fresh as the reader asks: in the instance that writes from its memory where there is a way to, else
 * from rows. Any instance can, the writer or not.
 */
export class FreshAnswers {
  constructor(
    private readonly cache: ViewCache,
    private readonly watch: AppliedWatch,
    private readonly ends: LogEnds,
    private readonly live: LiveViews,
  ) {}

  /**
   * From memory where `inMemory` says how and this instance writes, else from the caches unless a position is asked for;
   * undefined when that gives nothing.
   */
  async answer<Row>(
    view: string,
    graph: string,
    entry: string,
    minPosition: string | undefined,
    load: () => Promise<Row | undefined>,
    inMemory?: (live: LiveViews) => Row | undefined,
  ): Promise<Fresh<Row> | undefined> {
    const wanted = minPosition === undefined ? undefined : parsed(minPosition);
    if (inMemory !== undefined && (await this.isLiveAt(wanted))) {
      // Nothing is awaited between the positions and the row.
      const reached = this.live.reached();
      if (reached !== undefined) {
        const row = inMemory(this.live);
        return row === undefined ? undefined : { row, freshness: freshnessOf(reached) };
      }
    }
    // Taken before the row is read, so that the row includes at least these positions.
    const loadFresh = async (): Promise<Fresh<Row> | undefined> => {
      const reached = this.watch.reached(view);
      const row = await load();
      return row === undefined ? undefined : { row, freshness: freshnessOf(reached) };
    };
    if (wanted === undefined) return this.cache.read(graph, entry, loadFresh);
    await this.reach(view, wanted);
    return loadFresh();
  }

  /** Read anew every time. */
  async uncached<Row>(
    view: string,
    minPosition: string | undefined,
    load: () => Promise<Row>,
  ): Promise<Fresh<Row>> {
    if (minPosition !== undefined) await this.reach(view, parsed(minPosition));
    const reached = this.watch.reached(view);
    return { row: await load(), freshness: freshnessOf(reached) };
  }

  /** Whether the memory can answer at this position; waits for it. False where this instance does not write. */
  private async isLiveAt(wanted: Positions | undefined): Promise<boolean> {
    const reached = this.live.reached();
    if (reached === undefined) return false;
    if (wanted === undefined || positionsCover(reached.positions, wanted)) return true;
    await this.insistOnEnd(wanted);
    const end = await this.live.waitFor(wanted, MAX_WAIT_MS);
    if (end === 'late') throw notReached();
    return end === 'reached';
  }

  private async reach(view: string, wanted: Positions): Promise<void> {
    if (positionsCover(this.watch.reached(view).positions, wanted)) return;
    await this.insistOnEnd(wanted);
    if (!(await this.watch.waitFor(view, wanted, MAX_WAIT_MS))) throw notReached();
  }

  private async insistOnEnd(wanted: Positions): Promise<void> {
    if (!(await this.ends.beyond(wanted))) return;
    throw new DomainError({
      code: 'VIEWS.POSITION_BEYOND_END',
      kind: 'unprocessable',
      message: 'This position is beyond the end of the log',
      fields: [{ field: 'min-position', message: 'is beyond the end of the log' }],
    });
  }
}

function freshnessOf({ positions, at }: Reached): Freshness {
  return { appliedUpTo: encodePositions(positions), at };
}

function notReached(): DomainError {
  return new DomainError({
    code: 'VIEWS.POSITION_NOT_REACHED',
    kind: 'unavailable',
    message: 'The view has not reached this position yet',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

function parsed(token: string): Positions {
  const positions = decodePositions(token);
  if (positions !== undefined && Object.keys(positions).every((topic) => FOLLOWED.has(topic)))
    return positions;
  throw new DomainError({
    code: 'VIEWS.POSITION_MALFORMED',
    kind: 'invalid-input',
    message: 'The position is not one that this service gave',
    fields: [{ field: 'min-position', message: 'is not a position token' }],
  });
}
