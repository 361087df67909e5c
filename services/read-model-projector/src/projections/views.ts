import { vertexKey } from '@sociograph/contracts';
import { localClustering, summaryOf } from './graph-summary';
import type { PersonDocument, ProfileRow, SummaryRow, VertexChange } from './ports';
import { SocialGraph } from './social-graph';

interface GraphView {
  workspaceId: string;
  network: string;
  graph: SocialGraph;
  /** By number of the person. */
  documents: Map<number, PersonDocument>;
  versions: Map<number, number>;
}

/** Rows to write for the changes since the last call; computed as they are asked for. */
export interface PendingRows {
  /** Keys of the graphs concerned. */
  graphs: string[];
  profiles(chunk: number): Generator<{ written: ProfileRow[]; removed: string[] }>;
  summaries(): SummaryRow[];
  /** Makes them pending again, when writing failed. */
  restore(): void;
}

/** `workspace.network`: key of a summary row, and the unit in which caches are invalidated. */
export function graphKey(workspaceId: string, network: string): string {
  return `${workspaceId}.${network}`;
}

/** All graphs of all workspaces in memory, and which of their rows are out of date in the store. */
export class Views {
  private readonly graphs = new Map<string, GraphView>();
  private readonly changed = new Set<GraphView>();

  constructor(private readonly writer: number) {}

  /**
   * Applies what is now stored of one vertex. A change whose version is not above the newest one seen is a
   * duplicate or late, and changes nothing. Returns how many friendships began or ended to count.
   */
  apply(change: VertexChange): number {
    if (change.kind !== 'user') return 0;
    const view = this.viewOf(change.workspaceId, change.network);
    const person = view.graph.intern(change.id);
    if ((view.versions.get(person) ?? 0) >= change.version) return 0;
    view.versions.set(person, change.version);
    this.changed.add(view);
    return (
      this.place(view, person, change.document) + view.graph.setFriends(person, change.friends?.ids ?? [])
    );
  }

  /** Forgets a vertex by its record key (`workspace:network:user:id`), with all that it asserted. */
  erase(recordKey: string): number {
    const [workspaceId, network, kind, id] = recordKey.split(':');
    const view = this.graphs.get(graphKey(workspaceId!, network ?? ''));
    const person = kind === 'user' && id !== undefined ? view?.graph.numberOf(id) : undefined;
    if (view === undefined || person === undefined) return 0;
    view.versions.delete(person);
    this.changed.add(view);
    return view.graph.setFriends(person, []) + this.place(view, person, undefined);
  }

  get hasPending(): boolean {
    return this.changed.size > 0;
  }

  /** Takes over all changes since the last call, or undefined when there are none. */
  takePending(writtenAt: number): PendingRows | undefined {
    if (this.changed.size === 0) return undefined;
    const taken = [...this.changed].map((view) => ({ view, people: view.graph.takeTouched() }));
    this.changed.clear();
    return {
      graphs: taken.map(({ view }) => graphKey(view.workspaceId, view.network)),
      profiles: (chunk) => this.profileRows(taken, chunk, writtenAt),
      summaries: () => taken.map(({ view }) => this.summaryRow(view, writtenAt)),
      restore: () => {
        for (const { view, people } of taken) {
          this.changed.add(view);
          for (const person of people) view.graph.touch(person);
        }
      },
    };
  }

  /** People and friendships over all graphs. */
  sizes(): { people: number; friendships: number } {
    let people = 0;
    let friendships = 0;
    for (const { graph } of this.graphs.values()) {
      people += graph.counts.people;
      friendships += graph.counts.friendships;
    }
    return { people, friendships };
  }

  private place(view: GraphView, person: number, document: PersonDocument | undefined): number {
    const before = view.documents.get(person);
    if (document === undefined) {
      view.documents.delete(person);
      return view.graph.removePerson(person);
    }
    view.documents.set(person, document);
    if (before?.observedAt !== document.observedAt || before.fence !== document.fence)
      view.graph.touch(person);
    return view.graph.addPerson(person);
  }

  private *profileRows(
    taken: readonly { view: GraphView; people: readonly number[] }[],
    chunk: number,
    writtenAt: number,
  ): Generator<{ written: ProfileRow[]; removed: string[] }> {
    for (const { view, people } of taken) {
      for (let from = 0; from < people.length; from += chunk) {
        const rows = { written: [] as ProfileRow[], removed: [] as string[] };
        for (const person of people.slice(from, from + chunk)) {
          const row = this.profileRow(view, person, writtenAt);
          if (typeof row === 'string') rows.removed.push(row);
          else rows.written.push(row);
        }
        yield rows;
      }
    }
  }

  /** The row, or only its key when the person is gone. */
  private profileRow(view: GraphView, person: number, writtenAt: number): ProfileRow | string {
    const id = view.graph.nameOf(person);
    const key = vertexKey(view.workspaceId, view.network, id);
    const document = view.documents.get(person);
    if (document === undefined) return key;
    const degree = view.graph.counts.degreeOf(person);
    const triangles = view.graph.counts.trianglesOf(person);
    return {
      key,
      workspaceId: view.workspaceId,
      network: view.network,
      id,
      state: document.state,
      profile: document.profile,
      observedAt: document.observedAt,
      degree,
      triangles,
      localClustering: localClustering(degree, triangles),
      writer: this.writer,
      writtenAt,
    };
  }

  private summaryRow(view: GraphView, writtenAt: number): SummaryRow {
    const { workspaceId, network } = view;
    return {
      key: graphKey(workspaceId, network),
      workspaceId,
      network,
      ...summaryOf(view.graph),
      writer: this.writer,
      writtenAt,
    };
  }

  private viewOf(workspaceId: string, network: string): GraphView {
    const key = graphKey(workspaceId, network);
    let view = this.graphs.get(key);
    if (view === undefined) {
      view = { workspaceId, network, graph: new SocialGraph(), documents: new Map(), versions: new Map() };
      this.graphs.set(key, view);
    }
    return view;
  }
}
