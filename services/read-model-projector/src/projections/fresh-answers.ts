import type { Positions } from '@sociograph/contracts';
import { decodePositions, encodePositions, positionsCover, TOPICS } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import { AppliedWatch, LogEnds, ViewCache } from './ports';

/** How long a reader may be kept waiting for a position. */
export const MAX_WAIT_MS = 5000;
const RETRY_AFTER_SECONDS = 1;

export interface Freshness {
  /** Positions that the answer is known to include, as an opaque token; later ones may be in it too. */
  appliedUpTo: string;
  /** When the writer announced them, ms since the epoch. */
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

/** Answers from rows of the views, at least as fresh as the reader asks. Any instance can, the writer or not. */
export class FreshAnswers {
  constructor(
    private readonly cache: ViewCache,
    private readonly watch: AppliedWatch,
    private readonly ends: LogEnds,
  ) {}

  /** From the caches unless a position is asked for; undefined when `load` gives nothing. */
  async answer<Row>(
    view: string,
    graph: string,
    entry: string,
    minPosition: string | undefined,
    load: () => Promise<Row | undefined>,
  ): Promise<Fresh<Row> | undefined> {
    // Taken before the row is read, so that the row includes at least these positions.
    const loadFresh = async (): Promise<Fresh<Row> | undefined> => {
      const { positions, at } = this.watch.reached(view);
      const row = await load();
      return row === undefined
        ? undefined
        : { row, freshness: { appliedUpTo: encodePositions(positions), at } };
    };
    if (minPosition === undefined) return this.cache.read(graph, entry, loadFresh);
    await this.reach(view, parsed(minPosition));
    return loadFresh();
  }

  /** Read anew every time. */
  async uncached<Row>(
    view: string,
    minPosition: string | undefined,
    load: () => Promise<Row>,
  ): Promise<Fresh<Row>> {
    if (minPosition !== undefined) await this.reach(view, parsed(minPosition));
    const { positions, at } = this.watch.reached(view);
    return { row: await load(), freshness: { appliedUpTo: encodePositions(positions), at } };
  }

  private async reach(view: string, wanted: Positions): Promise<void> {
    if (positionsCover(this.watch.reached(view).positions, wanted)) return;
    if (await this.ends.beyond(wanted)) {
      throw new DomainError({
        code: 'VIEWS.POSITION_BEYOND_END',
        kind: 'unprocessable',
        message: 'This position is beyond the end of the log',
        fields: [{ field: 'min-position', message: 'is beyond the end of the log' }],
      });
    }
    if (await this.watch.waitFor(view, wanted, MAX_WAIT_MS)) return;
    throw new DomainError({
      code: 'VIEWS.POSITION_NOT_REACHED',
      kind: 'unavailable',
      message: 'The view has not reached this position yet',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
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
