import { GRAPH_PARTITIONS } from '@sociograph/contracts';
import { GraphView, type GraphSnapshot, graphKey } from './graph-view';
import type { ChangeRecord, ProfileRow, SummaryRow, VertexChange } from './ports';
import { hashesOf } from './state-hash';

/** Rows to write for the changes since the last call; computed as they are asked for. */
export interface PendingRows {
  /** Keys of the graphs concerned. */
  graphs: string[];
  profiles(chunk: number): Generator<{ written: ProfileRow[]; removed: string[] }>;
  summaries(): SummaryRow[];
  /** Makes them pending again, when writing failed. */
  restore(): void;
}

/** All graphs of all workspaces in memory, and which of their rows are out of date in the store. */
export class Views {
  private readonly graphs = new Map<string, GraphView>();
  private readonly changed = new Set<GraphView>();

  constructor(
    private writer: number,
    private readonly partitionCount = GRAPH_PARTITIONS,
  ) {}

  /** Applies one record; a marker changes nothing. Returns how many friendships began or ended to count. */
  take({ change, erased }: Pick<ChangeRecord, 'change' | 'erased'>): number {
    if (change !== undefined) return this.apply(change);
    return erased === undefined ? 0 : this.erase(erased);
  }

  /** Rows carry this fence from now on. */
  writeAs(fence: number): void {
    this.writer = fence;
  }

  all(): GraphView[] {
    return [...this.graphs.values()];
  }

  /** Makes the rows of these people and their graph's summary pending. */
  rewrite(view: GraphView, people: readonly number[]): void {
    for (const person of people) view.graph.touch(person);
    this.changed.add(view);
  }

  /**
   * Makes every row pending, some people at a time. What is pending is written between two steps, changes that come
   * meanwhile included.
   */
  *rewriteAll(size: number): Generator<void> {
    for (const view of this.graphs.values()) {
      const people = view.people();
      for (let from = 0; from === 0 || from < people.length; from += size) {
        this.rewrite(view, people.slice(from, from + size));
        yield;
      }
    }
  }

  /**
   * Applies what is now stored of one vertex. A change whose version is not above the newest one seen is a
   * duplicate or late, and changes nothing. Returns how many friendships began or ended to count.
   */
  apply(change: VertexChange): number {
    if (change.kind !== 'user') return 0;
    const view = this.graph(change.workspaceId, change.network);
    return this.noted(view, view.apply(change));
  }

  /** Forgets a vertex by its record key (`workspace:network:user:id`), with all that it asserted. */
  erase(recordKey: string): number {
    const [workspaceId, network, kind, id] = recordKey.split(':');
    const view = this.graphs.get(graphKey(workspaceId!, network ?? ''));
    if (view === undefined || kind !== 'user' || id === undefined) return 0;
    return this.noted(view, view.erase(id));
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
      graphs: taken.map(({ view }) => view.key),
      profiles: (chunk) => this.profileRows(taken, chunk, writtenAt),
      summaries: () => taken.map(({ view }) => view.summaryRow(this.writer, writtenAt)),
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

  /** The hash of what is present, by partition of graph.changes: equal for equal states, however they came about. */
  hashes(): string[] {
    return hashesOf(
      [...this.graphs.values()].map(({ hash }) => hash),
      this.partitionCount,
    );
  }

  /** Everything as it stands now; costs a copy of the adjacency, not of the documents. */
  snapshot(): GraphSnapshot[] {
    return [...this.graphs.values()].map((view) => view.snapshot());
  }

  /** The graph of that name, a new one if nobody named it; a graph that is restored is pending as a whole. */
  graph(workspaceId: string, network: string): GraphView {
    const key = graphKey(workspaceId, network);
    const known = this.graphs.get(key);
    if (known !== undefined) return known;
    const view = new GraphView(workspaceId, network, this.partitionCount);
    this.graphs.set(key, view);
    this.changed.add(view);
    return view;
  }

  private noted(view: GraphView, edges: number | undefined): number {
    if (edges === undefined) return 0;
    this.changed.add(view);
    return edges;
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
          const row = view.profileRow(person, this.writer, writtenAt);
          if (typeof row === 'string') rows.removed.push(row);
          else rows.written.push(row);
        }
        yield rows;
      }
    }
  }
}
