import type { Erasure, Findings } from './erasure';
import type { PersonRef } from './observation';
import type { Person } from './person';
import type { SourcePositions, Versioned } from './ports';
import type { Vertex } from './vertex';

/** The receipts, and what an erasure does to the graph. Deleting is safe to repeat. */
export abstract class Erasures {
  /** Stores the erasure; the one that is there already when this person was asked for before. */
  abstract begin(erasure: Erasure): Promise<Erasure>;
  abstract find(workspaceId: string, id: string): Promise<Erasure | undefined>;
  /** Of one workspace, in the order of their ids, behind `after`. */
  abstract page(workspaceId: string, limit: number, after: string | undefined): Promise<Erasure[]>;
  /** Of all workspaces, those that are `erasing`, oldest first. */
  abstract erasing(limit: number): Promise<Versioned<Erasure>[]>;
  /** Those that are `waiting` and still say whom for, the one that was checked longest ago first. */
  abstract waiting(limit: number): Promise<Versioned<Erasure>[]>;
  /** Those that are `waiting` and name nobody any more: only files are left. */
  abstract nameless(limit: number): Promise<Versioned<Erasure>[]>;
  /** How many are not complete. */
  abstract open(): Promise<number>;
  /** The new revision; undefined when another process was faster: then it goes on with it. */
  abstract save(erasure: Erasure, rev: string): Promise<string | undefined>;

  /** People of the graph whose lists hold the person, of those behind the key `after`; some hundreds are looked at. */
  abstract holders(
    person: PersonRef,
    after: string | undefined,
  ): Promise<{ people: Versioned<Person>[]; next: string | undefined }>;
  abstract people(keys: readonly string[]): Promise<Map<string, Versioned<Person>>>;
  abstract removeEdges(person: PersonRef): Promise<number>;
  abstract removeHistory(person: PersonRef): Promise<number>;
  /** Of the posts behind the key `after`, some hundreds: the person's own, and others' that repeat one of those. */
  abstract posts(
    person: PersonRef,
    after: string | undefined,
  ): Promise<{ own: string[]; repeating: Versioned<Vertex>[]; next: string | undefined }>;
  /** Posts of these ids with their edges. */
  abstract removePosts(person: PersonRef, ids: readonly string[]): Promise<number>;
  abstract removeVertex(person: PersonRef): Promise<number>;
  /** Asks the store to take deleted bytes out of its files. */
  abstract compact(): Promise<void>;
}

/** The logs as an erasure needs them. */
export abstract class ErasureLog {
  /** Everybody who filters knows the mark soon after this resolves. */
  abstract suppress(erasure: Erasure): Promise<void>;
  /** States as they are stored now, each in the partition of its key. */
  abstract publish(people: readonly Person[], posts?: readonly Vertex[]): Promise<void>;
  /** Ends the keys of the person and of these posts. */
  abstract bury(person: PersonRef, posts: readonly string[]): Promise<void>;
  /** Where the logs end that may hold people. */
  abstract ends(): Promise<SourcePositions>;
  /** What is left of these people before the ends that each erasure noted, by erasure id. */
  abstract look(erasures: readonly Erasure[]): Promise<Map<string, Findings>>;
  /** Lets idle partitions of the change log move, so that they are compacted. */
  abstract nudge(erasures: readonly Erasure[]): Promise<void>;
}

/** Files that were made of the graph. */
export abstract class ExportPurge {
  /** After the person has left the graph: what is ready of it goes, what is being made is begun anew. Safe to repeat. */
  abstract ofGraph(workspaceId: string, network: string): Promise<unknown>;
}
