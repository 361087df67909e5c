import { partitionOf, recordKey, vertexKey } from '@sociograph/contracts';
import { Contents, type ContentState } from './contents';
import type { GraphFigures } from './full-recount';
import { localClustering, summaryOf } from './graph-summary';
import { textInOrder } from './ordered-text';
import type { PersonDocument, ProfileRow, RankingRow, SummaryRow, VertexChange } from './ports';
import { type RankedBy, Rankings } from './rankings';
import { SocialGraph } from './social-graph';
import { hashesOf, StateHash } from './state-hash';
import { listText, OWN_LISTS, type OwnListName, type OwnLists, Subscriptions } from './subscriptions';

/** What is known of one vertex; friends by number, as the graph counts its people. */
export interface VertexState {
  person: number;
  version: number;
  document: PersonDocument | undefined;
  friends: number[];
  lists: OwnLists;
}

/** What of a graph has rows that are out of date. */
export interface TouchedRows {
  /** Numbers of people. */
  people: number[];
  /** Numbers of people who are found by other words. */
  found: number[];
  /** Names of groups and posts. */
  contents: string[];
}

/** Names of each list that a profile shows. */
const SHOWN_NAMES = 100;

/** A graph as it stood at one moment; reading it is not disturbed by what happens after. */
export interface GraphSnapshot {
  workspaceId: string;
  network: string;
  /** By number; empty where nothing is known of somebody any more. */
  ids: string[];
  vertices(): Generator<VertexState>;
  contents: ContentState[];
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
  private readonly subscriptions = new Subscriptions();
  readonly contents: Contents;
  private readonly rankings: Rankings;
  private found = new Set<number>();

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
    this.rankings = new Rankings(this.graph);
    this.contents = new Contents(workspaceId, network, partitionCount, (id) => {
      const person = this.graph.numberOf(id);
      if (person !== undefined && this.graph.isPerson(person)) this.graph.touch(person);
    });
  }

  get key(): string {
    return graphKey(this.workspaceId, this.network);
  }

  /** Undefined when the change is a duplicate or late; else how many friendships began or ended to count. */
  apply(change: VertexChange): number | undefined {
    if (change.kind !== 'user') return this.contents.apply(change) ? 0 : undefined;
    const person = this.graph.intern(change.id);
    if ((this.versions.get(person) ?? 0) >= change.version) return undefined;
    this.versions.set(person, change.version);
    for (const name of OWN_LISTS) this.setList(person, name, change[name]?.ids ?? []);
    return this.place(person, change.document) + this.graph.setFriends(person, change.friends?.ids ?? []);
  }

  /** Forgets a vertex with all that it asserted; undefined when nobody knows it. */
  erase(kind: VertexChange['kind'], id: string): number | undefined {
    if (kind !== 'user') return this.contents.erase(kind, id) ? 0 : undefined;
    const person = this.graph.numberOf(id);
    if (person === undefined) return undefined;
    this.versions.delete(person);
    for (const name of OWN_LISTS) this.setList(person, name, []);
    return this.graph.setFriends(person, []) + this.place(person, undefined);
  }

  /** Takes up what a snapshot holds; the graph must be new. */
  restore(ids: readonly string[]): void {
    for (const id of ids) {
      if (id === '') this.graph.skip();
      else this.graph.intern(id);
    }
  }

  restoreVertex({ person, version, document, friends, lists }: VertexState): void {
    if (version > 0) this.versions.set(person, version);
    for (const name of OWN_LISTS) this.setList(person, name, lists[name] ?? []);
    this.place(person, document);
    this.graph.setFriendNumbers(person, friends);
  }

  snapshot(): GraphSnapshot {
    const { workspaceId, network } = this;
    const ids = this.graph.names().map((id, person) => (this.isKnown(person) ? id : ''));
    const documents = new Map(this.documents);
    const versions = new Map(this.versions);
    const ownLists = this.graph.ownLists();
    const subscriptions = this.subscriptions.frozen();
    function* vertices(): Generator<VertexState> {
      for (let person = 0; person < ids.length; person++) {
        const friends = ownLists(person);
        const version = versions.get(person) ?? 0;
        const document = documents.get(person);
        const lists = subscriptions(person);
        if (version > 0 || document !== undefined || friends.length > 0)
          yield { person, version, document, friends, lists };
      }
    }
    return { workspaceId, network, ids, vertices, contents: this.contents.snapshot() };
  }

  /** A copy of what is kept, to be compared with a full recount. */
  figures(): GraphFigures {
    const { graph, hash, partitionCount } = this;
    const people = graph.size;
    return {
      summary: summaryOf(graph),
      hashes: hashesOf([hash, this.contents.hash], partitionCount),
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
      lists: this.shownLists(person),
      lastPosts: this.contents.lastPostsOf(id),
      writer,
      writtenAt,
    };
  }

  summaryRow(writer: number, writtenAt: number): SummaryRow {
    const { key, workspaceId, network } = this;
    return { key, workspaceId, network, ...summaryOf(this.graph), writer, writtenAt };
  }

  documentOf(person: number): PersonDocument | undefined {
    return this.documents.get(person);
  }

  /** Rankings that are others since the last call, because of these people or altogether. */
  rankingRows(touched: readonly number[], writer: number, writtenAt: number): () => RankingRow[] {
    const changed = this.rankings.refresh(touched);
    return () => changed.map((by) => this.rankingRow(by, writer, writtenAt));
  }

  rankingRow(by: RankedBy, writer: number, writtenAt: number): RankingRow {
    const { workspaceId, network } = this;
    const key = `${this.key}.${by}`;
    return { key, workspaceId, network, by, people: this.rankings.top(by), writer, writtenAt };
  }

  /** All rankings are rows to be written. */
  forgetRankings(): void {
    this.rankings.forget();
  }

  /** Takes over what changed since the last call. */
  takeTouched(): TouchedRows {
    const touched = {
      people: this.graph.takeTouched(),
      found: [...this.found],
      contents: this.contents.takeTouched(),
    };
    this.found = new Set();
    return touched;
  }

  /** Makes rows out of date: those of people, and what they are found by. */
  touch({ people, found, contents }: TouchedRows): void {
    for (const person of people) this.graph.touch(person);
    for (const person of found) this.found.add(person);
    this.contents.touch(contents);
  }

  get hasTouched(): boolean {
    return this.graph.hasTouched || this.found.size > 0 || this.contents.hasTouched;
  }

  /** Whether the row that this person is found by is out of date. */
  isFoundTouched(person: number): boolean {
    return this.found.has(person);
  }

  private isKnown(person: number): boolean {
    return this.versions.has(person) || this.documents.has(person) || this.graph.isNamed(person);
  }

  private setList(person: number, name: OwnListName, ids: readonly string[]): void {
    if (ids.length === 0 && !this.subscriptions.has(person)) return;
    const before = this.subscriptions.of(person, name);
    if (!this.subscriptions.set(person, name, ids)) return;
    const after = this.subscriptions.of(person, name);
    if (before.length > 0) this.hash.document(person, listText(name, before), -1);
    if (after.length > 0) this.hash.document(person, listText(name, after), 1);
    if (this.graph.isPerson(person)) this.graph.touch(person);
  }

  private shownLists(person: number): ProfileRow['lists'] {
    const lists: ProfileRow['lists'] = {};
    for (const name of OWN_LISTS) {
      const head = this.subscriptions.head(person, name, SHOWN_NAMES);
      if (head.total > 0) lists[name] = head;
    }
    return lists;
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
    this.found.add(person);
    if (old !== undefined) this.hash.document(person, old, -1);
    if (fresh !== undefined) this.hash.document(person, fresh, 1);
  }
}

/** What a document says, without when it was seen: the same text for the same content, whatever the order of fields. */
export function contentOf({ state, profile }: PersonDocument): string {
  return `["${state}",${textInOrder(profile)}]`;
}
