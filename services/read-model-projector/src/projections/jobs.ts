/** Something that is kept and what counting anew found instead. Figures of people and rows are counted, not listed. */
export interface Difference {
  what: string;
  kept: number | string;
  counted: number | string;
  /** Up to ten of the people concerned, for whoever may see the graph; never for a log. */
  ids?: string[];
}

/** A full recount of one graph: no differences when all is as it should be. */
export interface RecountOutcome {
  workspaceId: string;
  network: string;
  users: number;
  friendships: number;
  differences: Difference[];
  tookMs: number;
}

/** A rebuild of everything from the log's first record. */
export interface RebuildOutcome {
  graphs: number;
  users: number;
  friendships: number;
  records: number;
  /** The hash of the new state, by partition. */
  hashes: string[];
  /** Partitions in which what was kept until then hashed to something else at the same position. */
  differing: number[];
  /** Until the new state was taken up, and until all its rows were written. */
  swappedMs: number;
  tookMs: number;
}

/** Long work for the one writer, asked for by anybody through the store. */
export interface Job {
  id: string;
  kind: 'recount' | 'rebuild';
  /** The graph to be recounted; all of them when absent. */
  workspaceId?: string;
  network?: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** ms since the epoch. */
  requestedAt: number;
  /** How often it was begun; a writer that ends in the middle leaves it to the next one. */
  attempts?: number;
  finishedAt?: number;
  recounts?: RecountOutcome[];
  rebuild?: RebuildOutcome;
  /** The code of the error that it failed with. */
  fault?: string;
}

export function isOpen({ state }: Pick<Job, 'state'>): boolean {
  return state === 'waiting' || state === 'running';
}
