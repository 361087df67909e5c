import type { PayloadOf, Positions, vertexChanged, viewApplied } from '@sociograph/contracts';
import type { CheckpointHead } from './checkpoint';
import type { GraphSummary } from './graph-summary';
import type { Job } from './jobs';
import type { Ranked, RankedBy } from './rankings';
import type { OwnListName } from './subscriptions';

export type VertexChange = PayloadOf<typeof vertexChanged>;
export type PersonDocument = NonNullable<VertexChange['document']>;
export type GroupDocument = NonNullable<VertexChange['group']>;
export type PostDocument = NonNullable<VertexChange['post']>;
export type AppliedMark = PayloadOf<typeof viewApplied>;

/** One record of graph.changes; neither `change` nor `erased` is set for a marker. */
export interface ChangeRecord {
  partition: number;
  offset: number;
  change?: VertexChange;
  /** A tombstone: the record key of a vertex that is gone. */
  erased?: string;
  /** Input positions that are done once this record is applied. */
  source?: Positions;
  /** `traceparent` that it carries, where its trace is kept. */
  trace?: string;
}

/** Who wrote a row and when; a row of a lower fence is what a former writer left. */
interface Written {
  writer: number;
  writtenAt: number;
}

/** A row of `user_profile_read`. */
export interface ProfileRow extends Written {
  key: string;
  workspaceId: string;
  network: string;
  id: string;
  state: PersonDocument['state'];
  profile: PersonDocument['profile'];
  /** When the network showed this profile, pool clock, ms. */
  observedAt: number;
  degree: number;
  triangles: number;
  localClustering: number;
  /** What the person shows: the first hundred names of each list that is not empty, and how many it has. */
  lists: Partial<Record<OwnListName, { ids: string[]; total: number }>>;
  /** Ids of the newest posts on the person's wall, newest first. */
  lastPosts: string[];
}

/** A row of `group_read`: what profiles name groups and pages by. */
export interface GroupRow extends Written {
  key: string;
  workspaceId: string;
  network: string;
  id: string;
  state: GroupDocument['state'];
  profile: GroupDocument['profile'];
  observedAt: number;
}

/** A row of `post_read`; long texts are cut. */
export interface PostRow extends Written {
  key: string;
  workspaceId: string;
  network: string;
  id: string;
  content: PostDocument['content'];
  observedAt: number;
}

/** What one person or post is found by. */
export interface SearchRow extends Written {
  /** `workspace.network.kind.id`. */
  key: string;
  graph: string;
  kind: 'user' | 'post';
  id: string;
  /** Newest first among what is found: when a post was published; 0 for people. */
  at: number;
  /** Words with spaces around them. */
  text: string;
  /** Beginnings of the words, as the index has them. */
  tokens: string[];
}

/** The first people of a graph by one figure. Its key is `workspace.network.by`. */
export interface RankingRow extends Written {
  key: string;
  workspaceId: string;
  network: string;
  by: RankedBy;
  people: Ranked[];
}

/** The kinds of rows beside profiles and summaries. */
export interface RowsBeside {
  groups: GroupRow;
  posts: PostRow;
  search: SearchRow;
  rankings: RankingRow;
}

export interface SearchQuestion {
  graph: string;
  kind: SearchRow['kind'];
  /** One of the tokens that are looked for. */
  token: string;
  /** What the text must contain, each of them. */
  parts: readonly string[];
  /** Where the page before ended. */
  after?: { at: number; key: string } | undefined;
  limit: number;
}

/** A row of `graph_summary`. */
export interface SummaryRow extends Written, GraphSummary {
  key: string;
  workspaceId: string;
  network: string;
}

/** People of each workspace: one who is in two networks counts twice. */
export function peopleOf(rows: readonly Pick<SummaryRow, 'workspaceId' | 'users'>[]): Map<string, number> {
  const people = new Map<string, number>();
  for (const { workspaceId, users } of rows) people.set(workspaceId, (people.get(workspaceId) ?? 0) + users);
  return people;
}

/** Where the views' rows are kept. Writes are whole rows, idempotent, and throw kind `unavailable` when the store is away. */
export abstract class ViewStore {
  /** The highest fence that a writer ever claimed; 0 before the first. */
  abstract highestFence(): Promise<number>;
  /** Notes the fence of a new writer; throws kind `conflict` when an equal or higher one was claimed before. */
  abstract claim(fence: number): Promise<void>;
  abstract writeProfiles(rows: readonly ProfileRow[]): Promise<void>;
  abstract removeProfiles(keys: readonly string[]): Promise<void>;
  abstract writeSummaries(rows: readonly SummaryRow[]): Promise<void>;
  /** Removes what writers below this fence left and nobody wrote since. */
  abstract removeOlderThan(fence: number): Promise<void>;
  abstract profile(key: string): Promise<ProfileRow | undefined>;
  /** Those of the keys that have a row. */
  abstract profilesOf(keys: readonly string[]): Promise<Map<string, ProfileRow>>;
  abstract summary(key: string): Promise<SummaryRow | undefined>;
  /** How many people each workspace has stored, over its networks. */
  abstract people(): Promise<Map<string, number>>;
  abstract writeRows<K extends keyof RowsBeside>(kind: K, rows: readonly RowsBeside[K][]): Promise<void>;
  abstract removeRows(kind: keyof RowsBeside, keys: readonly string[]): Promise<void>;
  /** Those of the keys that have a row. */
  abstract rowsOf<K extends keyof RowsBeside>(
    kind: K,
    keys: readonly string[],
  ): Promise<Map<string, RowsBeside[K]>>;
  /** What is found, newest first, then by key. Throws VIEWS.SEARCH_TOO_COSTLY when it takes too long. */
  abstract search(question: SearchQuestion): Promise<Pick<SearchRow, 'id' | 'at' | 'key'>[]>;
}

/** Answers near the readers. `graph` is the key of a summary row: what is invalidated together. */
export abstract class ViewCache {
  /** The cached answer, or what `load` gives, which is cached unless the graph was forgotten meanwhile. */
  abstract read<T>(graph: string, entry: string, load: () => Promise<T | undefined>): Promise<T | undefined>;
  /**
   * After this resolves no answer of before is read from the shared cache; what instances hold in their own
   * memory goes as soon as the notice reaches them (milliseconds). Throws kind `unavailable`.
   */
  abstract forget(graphs: readonly string[]): Promise<void>;
}

/** Tells everybody how far the views are. */
export abstract class AppliedLog {
  abstract announce(marks: readonly AppliedMark[]): Promise<void>;
}

export interface Reached {
  positions: Positions;
  /** When the writer announced the newest of them, ms since the epoch; 0 before the first. */
  at: number;
}

/** What the announcements say, in every instance. */
export abstract class AppliedWatch {
  abstract reached(view: string): Reached;
  /** The highest fence that anything was announced under; undefined while not all announcements are known. */
  abstract highestFence(): number | undefined;
  /** True once the view covers the positions, false when `timeoutMs` passed before. */
  abstract waitFor(view: string, wanted: Positions, timeoutMs: number): Promise<boolean>;
}

/** Ends of the logs that a position may name. */
export abstract class LogEnds {
  /** True when the log has not come to these positions yet, or has no such topic or partition. */
  abstract beyond(positions: Positions): Promise<boolean>;
}

/** The right to write, for one instance at a time. */
export abstract class WriterLock {
  /** The fence under which this instance writes from now on, higher than `above`; undefined while another holds it. */
  abstract acquire(above: number): Promise<number | undefined>;
  /** Keeps the lock; false when it is lost for good. Throws kind `unavailable` when that cannot be known now. */
  abstract renew(): Promise<boolean>;
  /** Whether a write that begins now still falls into the time that the lock was granted for. */
  abstract held(): boolean;
  abstract release(): Promise<void>;
}

/** The newest checkpoint of the state; the one before it goes when a new one is whole. */
export abstract class CheckpointStore {
  /** Undefined before the first one. Throws VIEWS.CHECKPOINT_BROKEN when it is not as it was written. */
  abstract head(): Promise<CheckpointHead | undefined>;
  /** The chunks of a head, in order. Throws VIEWS.CHECKPOINT_BROKEN for what is not as it was written. */
  abstract chunks(head: CheckpointHead): AsyncIterable<string>;
  abstract writeChunk(id: string, number: number, chunk: string): Promise<void>;
  /** Makes these chunks the checkpoint, in one write, and removes all others. */
  abstract commit(head: CheckpointHead): Promise<void>;
}

/** Recounts and rebuilds that were asked for, and what came of them. Throws kind `unavailable`. */
export abstract class JobStore {
  /** Keeps a new job; changes nothing when there is one of that id. */
  abstract create(job: Job): Promise<void>;
  abstract find(id: string): Promise<Job | undefined>;
  abstract put(job: Job): Promise<void>;
  /** Those that wait or run, oldest first. */
  abstract open(): Promise<Job[]>;
  abstract removeRequestedBefore(ms: number): Promise<void>;
}

export interface Following {
  stop(): Promise<void>;
}

/** graph.changes in order per partition. */
export abstract class ChangeLog {
  /**
   * Gives every record from these offsets on (partition -> next offset; its first record where none is named) to
   * `take`; calls `caughtUp` once, after the last record that the log had at the call. Rejects when the log cannot
   * be read at all.
   */
  abstract follow(
    take: (record: ChangeRecord) => void,
    caughtUp: () => void,
    from?: ReadonlyMap<number, number>,
  ): Promise<Following>;
}
