import type { Findings } from './analyse';
import type { GraphCopy } from './whole-graph';

export const ANALYSIS_KINDS = ['communities', 'k-core', 'page-rank'] as const;
export type AnalysisKind = (typeof ANALYSIS_KINDS)[number];

/** Long work on one graph, asked for by a workspace, done by the writer in another thread. */
export interface Analysis {
  id: string;
  kind: AnalysisKind;
  workspaceId: string;
  network: string;
  /** Chance that the work needs comes from it. */
  seed: number;
  state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  /** 0 to 1; never falls while one writer works on it. */
  progress: number;
  /** ms since the epoch. */
  requestedAt: number;
  /** How often it was begun; each attempt has results of its own. */
  attempts: number;
  finishedAt?: number;
  /** When done: what was in the graph that was looked at, as a position token, and what was found. */
  appliedUpTo?: string;
  people?: number;
  friendships?: number;
  figures?: Record<string, number>;
  /** The code of the error that it failed with. */
  fault?: string;
}

export function isOpenAnalysis({ state }: Pick<Analysis, 'state'>): boolean {
  return state === 'waiting' || state === 'running';
}

/** One entry of a result: a person and the value, or where a community's members begin and how many it has. */
export type PersonEntry = [id: string, value: number];
export type CommunityEntry = [from: number, size: number];
export interface ResultParts {
  people: PersonEntry;
  communities: CommunityEntry;
}

/** Analyses and their results. Throws kind `unavailable`. */
export abstract class AnalysisStore {
  /** Keeps a new one; false, and nothing kept, while another of that workspace waits or runs. */
  abstract create(analysis: Analysis): Promise<boolean>;
  abstract find(id: string): Promise<Analysis | undefined>;
  /**
   * Replaces what is kept by what `change` makes of it, which may be called again when another change came between;
   * unchanged when it gives undefined. Returns what is kept afterwards, undefined for an unknown id.
   */
  abstract change(
    id: string,
    change: (analysis: Analysis) => Analysis | undefined,
  ): Promise<Analysis | undefined>;
  /** Those that wait or run, oldest first. */
  abstract open(): Promise<Analysis[]>;
  /** Writes entries of one part, from the first on, a thousand in each chunk but the last. */
  abstract writeChunk<P extends keyof ResultParts>(
    analysis: Analysis,
    part: P,
    chunk: number,
    entries: readonly ResultParts[P][],
  ): Promise<void>;
  abstract entries<P extends keyof ResultParts>(
    analysis: Analysis,
    part: P,
    from: number,
    count: number,
  ): Promise<ResultParts[P][]>;
  /** Removes those that ended, with their results: of one graph, or those asked for before that moment. */
  abstract removeEnded(which: { graph: string } | { requestedBefore: number }): Promise<void>;
}

/** Entries in one chunk of a result. */
export const CHUNK = 1000;

/** Does the work in another thread. */
export abstract class AnalysisRunner {
  /** Throws VIEWS.ANALYSIS_BROKEN_OFF when `signal` aborts or the thread ends. */
  abstract run(
    work: { copy: GraphCopy; kind: AnalysisKind; seed: number },
    progress: (share: number) => void,
    signal: AbortSignal,
  ): Promise<Findings>;
}
