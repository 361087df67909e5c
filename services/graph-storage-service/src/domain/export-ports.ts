import type { Export, ExportFormat } from './export';

/** A friendship as it is exported; times in milliseconds since the Unix epoch. */
export interface ExportedFriendship {
  lowId: string;
  highId: string;
  since: number;
  disputed: boolean;
  lowSeenAt: number | null;
  highSeenAt: number | null;
  lowImport: string | null;
  highImport: string | null;
}

export interface ExportedPerson {
  id: string;
  /** True when the person belongs into the file by itself, not only as an end of a friendship. */
  member: boolean;
  state: string | null;
  profile: Readonly<Record<string, unknown>>;
  observedAt: number | null;
}

/** Whom an import looked at, as far as the logs of observations still know. */
export interface ImportSightings {
  /** Whose profiles it saw. */
  people: ReadonlySet<string>;
  /** Whose lists of friends it saw. */
  lists: ReadonlySet<string>;
}

export type SeenByImport = ImportSightings & { importId: string };

/** What to read: all of a graph, what one import saw, or these people and what is among them. */
export interface ExportScope {
  workspaceId: string;
  network: string;
  import?: SeenByImport | undefined;
  people?: ReadonlySet<string> | undefined;
}

/** True when the import showed this friendship first, or saw a list that has it today. */
export function isSeenBy(
  { importId, lists }: SeenByImport,
  { lowId, highId, lowSeenAt, highSeenAt, lowImport, highImport }: ExportedFriendship,
): boolean {
  if (lowImport === importId || highImport === importId) return true;
  return (lowSeenAt !== null && lists.has(lowId)) || (highSeenAt !== null && lists.has(highId));
}

/** Where it is looked up what an import saw: an unchanged list leaves no trace in the graph. */
export abstract class ImportLog {
  /** Memory grows with the people of the import. Throws the signal's reason when aborted. */
  abstract sightings(
    of: { workspaceId: string; network: string; importId: string },
    signal: AbortSignal,
  ): Promise<ImportSightings>;
}

/**
 * The graph read page by page while it goes on changing: no snapshot. What is there all the time is read once; what
 * comes or goes meanwhile may or may not be read.
 */
export abstract class ExportSource {
  abstract friendships(scope: ExportScope): AsyncIterable<ExportedFriendship[]>;
  abstract people(scope: ExportScope): AsyncIterable<ExportedPerson[]>;
  /** Ids of the friends of these people, in any order, some more than once. */
  abstract friendsOf(
    graph: Pick<ExportScope, 'workspaceId' | 'network'>,
    people: readonly string[],
  ): AsyncIterable<string[]>;
}

/** Where one export is put together on disk. */
export abstract class ExportDraft {
  abstract addFriendships(friendships: readonly ExportedFriendship[]): void;
  abstract addPeople(people: readonly ExportedPerson[]): void;
  /** Every end of a friendship becomes a person of the file; counts what it will hold. */
  abstract complete(): Promise<{ people: number; friendships: number }>;
  /** The file's bytes, made while they are read. */
  abstract contents(format: ExportFormat, about: { name: string; madeAt: number }): AsyncIterable<Uint8Array>;
  abstract discard(): Promise<void>;
}

export abstract class ExportDrafts {
  /** Aborting the signal ends what the draft is doing. */
  abstract open(id: string, signal: AbortSignal): Promise<ExportDraft>;
  /** Removes what processes that died have left. */
  abstract sweep(before: number): Promise<void>;
}

export interface ExportLink {
  expiresAt: number;
  signature: string;
}

/** Where finished files are kept. */
export abstract class ExportFiles {
  /** Streams; an aborted or failed write leaves no file. Answers the bytes written. */
  abstract write(
    file: string,
    contents: AsyncIterable<Uint8Array>,
    options: { mediaType: string; signal: AbortSignal },
  ): Promise<number>;
  /** Harmless when there is none. */
  abstract remove(file: string): Promise<void>;
  /** A URL, relative to the API's address when this service hands the file out itself. */
  abstract link(
    file: string,
    options: { exportId: string; name: string; mediaType: string; now: number },
  ): Promise<string>;
  /** Whether we made that link and its time is not over; false where the service hands out no files. */
  abstract accepts(file: string, link: ExportLink, now: number): Promise<boolean>;
  /** Undefined where the service hands out no files, or the file is gone. */
  abstract open(file: string): Promise<{ bytes: number; contents: AsyncIterable<Uint8Array> } | undefined>;
  /** Removes what no export can need any more. */
  abstract sweep(before: number): Promise<void>;
}

/** How long a link lives. */
export const EXPORT_LINK_MS = 5 * 60 * 1000;

export abstract class ExportRecords {
  abstract add(one: Export): Promise<void>;
  abstract find(id: string): Promise<Export | undefined>;
  /** Newest first, behind the id `after`; those whose time is over are left out. */
  abstract page(
    workspaceId: string,
    page: { limit: number; after: string | undefined; now: number },
  ): Promise<Export[]>;
  /** Those that wait or are being made, oldest first. */
  abstract unfinished(): Promise<Export[]>;
  abstract expired(now: number): Promise<Export[]>;
  abstract ofGraph(workspaceId: string, network: string): Promise<Export[]>;
  /** How many each workspace has whose time is not over, and the bytes of their finished files. */
  abstract use(now: number): Promise<Map<string, { exports: number; bytes: number }>>;
  /**
   * Applies `change` to what is stored and saves it under its revision; it may be called again when another writer
   * was faster. Answers what was saved; undefined when there is no such export or `change` answers undefined.
   */
  abstract change(id: string, change: (stored: Export) => Export | undefined): Promise<Export | undefined>;
  /** Removes it when `when` holds, checked as for `change`; answers what was removed. */
  abstract remove(id: string, when?: (stored: Export) => boolean): Promise<Export | undefined>;
}

/** What a workspace may have (docs/adr/0009-quotas-through-redis.md). Never fails: the usual limit holds then. */
export abstract class ExportLimits {
  /** Exports in any state: each costs disk until it expires. */
  abstract exports(workspaceId: string): Promise<number>;
  /** Bytes of finished files. */
  abstract bytes(workspaceId: string): Promise<number>;
}

/** Bytes of the finished files among them. */
export function bytesOf(all: readonly Export[]): number {
  return all.reduce((sum, { state }) => sum + (state.kind === 'ready' ? state.bytes : 0), 0);
}

export type ExportEnd = 'ready' | 'failed' | 'postponed' | 'given-back' | 'lost';

/** Counts what happens; labels are bounded. */
export abstract class ExportMeter {
  abstract requested(format: ExportFormat): void;
  abstract ended(format: ExportFormat, end: ExportEnd, seconds: number, bytes: number): void;
}
