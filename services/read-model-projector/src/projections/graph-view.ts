import { partitionOf, recordKey, vertexKey } from '@sociograph/contracts';
import type { GraphFigures } from './full-recount';
import { localClustering, summaryOf } from './graph-summary';
import type { PersonDocument, ProfileRow, SummaryRow, VertexChange } from './ports';
import { SocialGraph } from './social-graph';
import { hashesOf, StateHash } from './state-hash';

/** What is known of one vertex; friends by number, as the graph counts its people. */
export interface VertexState {
  person: number;
  version: number;
  document: PersonDocument | undefined;
  friends: number[];
}

/** A graph as it stood at one moment; reading it is not disturbed by what happens after. */
export interface GraphSnapshot {
  workspaceId: string;
  network: string;
  /** By number. */
  ids: string[];
  vertices(): Generator<VertexState>;
}

/** `workspace.network`: key of a summary row, and the unit in which caches are invalidated. */
export function graphKey(workspaceId: string, network: string): string {
  return `${workspaceId}.${network}`;
}

/** One workspace's graph of one network with the documents and versions of its people, and the hash of all that. */
export class GraphView {
  readonly hash: StateHash;
  readonly graph: SocialGraph;
  /** By number of the person. */
  private readonly documents = new Map<number, PersonDocument>();
  private readonly versions = new Map<number, number>();

  constructor(
    readonly workspaceId: string,
    readonly network: string,
    readonly partitionCount: number,
  ) {
    this.hash = new StateHash(partitionCount);
    this.graph = new SocialGraph({
      interned: (person, id) => {
        const key = recordKey(workspaceId, network, 'user', id);
        this.hash.introduce(person, key, partitionOf(key, this.partitionCount));
      },
      named: (person, friend) => this.hash.name(person, friend, 1),
      unnamed: (person, friend) => this.hash.name(person, friend, -1),
    });
  }

  get key(): string {
    return graphKey(this.workspaceId, this.network);
  }

  /** Undefined when the change is a duplicate or late; else how many friendships began or ended to count. */
  apply(change: VertexChange): number | undefined {
    const person = this.graph.intern(change.id);
    if ((this.versions.get(person) ?? 0) >= change.version) return undefined;
    this.versions.set(person, change.version);
    return this.place(person, change.document) + this.graph.setFriends(person, change.friends?.ids ?? []);
  }

  /** Forgets a vertex with all that it asserted; undefined when nobody knows it. */
  erase(id: string): number | undefined {
    const person = this.graph.numberOf(id);
    if (person === undefined) return undefined;
    this.versions.delete(person);
    return this.graph.setFriends(person, []) + this.place(person, undefined);
  }

  /** Takes up what a snapshot holds; the graph must be new. */
  restore(ids: readonly string[]): void {
    for (const id of ids) this.graph.intern(id);
  }

  restoreVertex({ person, version, document, friends }: VertexState): void {
    if (version > 0) this.versions.set(person, version);
    this.place(person, document);
    this.graph.setFriendNumbers(person, friends);
  }

  snapshot(): GraphSnapshot {
    const { workspaceId, network } = this;
    const ids = this.graph.names();
    const documents = new Map(this.documents);
    const versions = new Map(this.versions);
    const ownLists = this.graph.ownLists();
    function* vertices(): Generator<VertexState> {
      for (let person = 0; person < ids.length; person++) {
        const friends = ownLists(person);
        const version = versions.get(person) ?? 0;
        const document = documents.get(person);
        if (version > 0 || document !== undefined || friends.length > 0)
          yield { person, version, document, friends };
      }
    }
    return { workspaceId, network, ids, vertices };
  }

  /** A copy of what is kept, to be compared with a full recount. */
  figures(): GraphFigures {
    const { graph, hash, partitionCount } = this;
    const people = graph.size;
    return {
      summary: summaryOf(graph),
      hashes: hashesOf([hash], partitionCount),
      degrees: Uint32Array.from({ length: people }, (_, person) => graph.counts.degreeOf(person)),
      triangles: Float64Array.from({ length: people }, (_, person) => graph.counts.trianglesOf(person)),
    };
  }

  /** Numbers of everybody whose document is stored. */
  people(): number[] {
    return [...this.documents.keys()];
  }

  rowKey(person: number): string {
    return vertexKey(this.workspaceId, this.network, this.graph.nameOf(person));
  }

  /** The row, or only its key when the person is gone. */
  profileRow(person: number, writer: number, writtenAt: number): ProfileRow | string {
    const id = this.graph.nameOf(person);
    const key = this.rowKey(person);
    const document = this.documents.get(person);
    if (document === undefined) return key;
    const degree = this.graph.counts.degreeOf(person);
    const triangles = this.graph.counts.trianglesOf(person);
    return {
      key,
      workspaceId: this.workspaceId,
      network: this.network,
      id,
      state: document.state,
      profile: document.profile,
      observedAt: document.observedAt,
      degree,
      triangles,
      localClustering: localClustering(degree, triangles),
      writer,
      writtenAt,
    };
  }

  summaryRow(writer: number, writtenAt: number): SummaryRow {
    const { key, workspaceId, network } = this;
    return { key, workspaceId, network, ...summaryOf(this.graph), writer, writtenAt };
  }

  private place(person: number, document: PersonDocument | undefined): number {
    const before = this.documents.get(person);
    this.hashDocument(person, before, document);
    if (document === undefined) {
      this.documents.delete(person);
      return this.graph.removePerson(person);
    }
    this.documents.set(person, document);
    if (before?.observedAt !== document.observedAt || before.fence !== document.fence)
      this.graph.touch(person);
    return this.graph.addPerson(person);
  }

  /** Most observations bring the document that is there already: its hash stays as it is. */
  private hashDocument(person: number, before?: PersonDocument, after?: PersonDocument): void {
    const old = before === undefined ? undefined : contentOf(before);
    const fresh = after === undefined ? undefined : contentOf(after);
    if (old === fresh) return;
    if (old !== undefined) this.hash.document(person, old, -1);
    if (fresh !== undefined) this.hash.document(person, fresh, 1);
  }
}

/** What a document says, without when it was seen: the same text for the same content, whatever the order of fields. */
export function contentOf({ state, profile }: PersonDocument): string {
  const fields = Object.entries(profile)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([state, fields]);
}
