import {
  decodePositions,
  encodePositions,
  positionsCover,
  TOPICS,
  CONSUMER_GROUPS,
} from '@sociograph/contracts';
import { positionBeyondEnd, positionMalformed, positionNotReached } from '../domain/errors';
import type { SourcePositions } from '../domain/ports';
import { InputProgress } from '../domain/query-ports';

/** How long a reader may be kept waiting for a position. */
export const POSITION_WAIT_MS = 5_000;

export interface Freshness {
  /** Positions that the answer is known to include, as an opaque token; later ones may be in it too. */
  appliedUpTo: string;
  /** When they were seen to be stored, ms since the epoch. */
  at: number;
}

const OWN = TOPICS.graphChanges.name;
const OBSERVED: ReadonlySet<string> = new Set(CONSUMER_GROUPS.graphStorage.topics.map(({ name }) => name));

/** Lets a reader go on once the graph includes the position asked for, and tells what it includes. */
export class AwaitPosition {
  constructor(private readonly progress: InputProgress) {}

  /** To be called before the graph is read, so that what is read includes at least these positions. */
  async execute(token: string | undefined): Promise<Freshness> {
    if (token !== undefined) await this.#reach(parsed(token));
    const { positions, at } = this.progress.reached();
    return { appliedUpTo: encodePositions(positions), at };
  }

  async #reach({ observed, own }: { observed: SourcePositions; own: SourcePositions }): Promise<void> {
    const asksForOwn = Object.keys(own).length > 0;
    if (!asksForOwn && positionsCover(this.progress.reached().positions, observed)) return;
    if (await this.progress.beyond({ ...observed, ...own })) throw positionBeyondEnd();
    if (!(await this.progress.waitFor(observed, POSITION_WAIT_MS))) throw positionNotReached();
  }
}

/** What is written to the change log was stored before it: it needs no waiting, it only has to be there. */
function parsed(token: string): { observed: SourcePositions; own: SourcePositions } {
  const positions = decodePositions(token);
  if (positions === undefined) throw positionMalformed();
  const { [OWN]: own, ...observed } = positions;
  if (Object.keys(observed).some((topic) => !OBSERVED.has(topic))) throw positionMalformed();
  return { observed, own: own === undefined ? {} : { [OWN]: own } };
}
