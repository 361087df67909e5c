import { GRAPH_PARTITIONS } from '@sociograph/contracts';
import { GraphView, type GraphSnapshot, graphKey, type TouchedRows } from './graph-view';
import type { ChangeRecord, ProfileRow, RankingRow, SummaryRow, VertexChange } from './ports';
import { type RowBatch, rowsBeside } from './rows-beside';
import { hashesOf } from './state-hash';

/** Rows to write for the changes since the last call; computed as they are asked for. */
export interface PendingRows {
  /** Keys of the graphs concerned. */
  graphs: string[];
  profiles(chunk: number): Generator<{ written: ProfileRow[]; removed: string[] }>;
  /** Groups, posts, and what is found by other words; rows of several graphs share a batch. */
  beside(chunk: number): Generator<RowBatch>;
  /** Those that are others now. */
  rankings(chunk: number): Generator<RankingRow[]>;
  summaries(chunk: number): Generator<SummaryRow[]>;
  /** Makes them pending again, when writing failed. */
  restore(): void;
}

/** All graphs of all workspaces in memory, and which of their rows are out of date in the store. */
export class Views {
  private readonly graphs = new Map<string, GraphView>();
  private readonly changed = new Set<GraphView>();
  private erased = new Set<string>();

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

  /** The graph of that name; undefined when nobody named it. */
  find(workspaceId: string, network: string): GraphView | undefined {
    return this.graphs.get(graphKey(workspaceId, network));
  }

  all(): GraphView[] {
    return [...this.graphs.values()];
  }

  /** Makes the rows of these people and their graph's summary pending. */
  rewrite(view: GraphView, people: readonly number[], contents: readonly string[] = []): void {
    view.touch({ people: [...people], found: [...people], contents: [...contents] });
    this.changed.add(view);
  }

  /**
   * Makes every row pending, so many people (and contents) at a time, small graphs together: each step costs a flush. What
   * is pending is written between two steps, changes that come meanwhile included.
   */
  *rewriteAll(size: number): Generator<void> {
    let room = size;
    for (const view of this.graphs.values()) {
      const people = view.people();
      const contents = view.contents.names();
      const rows = Math.max(1, people.length, contents.length);
      view.forgetRankings();
      for (let from = 0, end = 0; from < rows; from = end) {
        end = Math.min(rows, from + room);
        this.rewrite(view, people.slice(from, end), contents.slice(from, end));
        room -= end - from;
        if (room > 0) continue;
        yield;
        room = size;
      }
    }
    if (room < size) yield;
  }

  /**
   * Applies what is now stored of one vertex. A change whose version is not above the newest one seen is a
   * duplicate or late, and changes nothing. Returns how many friendships began or ended to count.
   */
  apply(change: VertexChange): number {
    const view = this.graph(change.workspaceId, change.network);
    return this.noted(view, view.apply(change));
  }

  /** Forgets a vertex by its record key (`workspace:network:kind:id`), with all that it asserted. */
  erase(recordKey: string): number {
    const [workspaceId, network, kind, id] = recordKey.split(':');
    const view = this.graphs.get(graphKey(workspaceId!, network ?? ''));
    if (view === undefined || id === undefined) return 0;
    if (kind !== 'user' && kind !== 'group' && kind !== 'post') return 0;
    const edges = view.erase(kind, id);
    if (edges !== undefined && kind === 'user') this.erased.add(view.key);
    return this.noted(view, edges);
  }

  /** Keys of the graphs from which people were erased since the last call. */
  takeErased(): string[] {
    const graphs = [...this.erased];
    this.erased = new Set();
    return graphs;
  }

  get hasPending(): boolean {
    return this.changed.size > 0;
  }

  /** Takes over all changes since the last call, or undefined when there are none. */
  takePending(writtenAt: number): PendingRows | undefined {
    if (this.changed.size === 0) return undefined;
    const taken = [...this.changed].map((view) => {
      const touched = view.takeTouched();
      return { view, touched, rankings: view.rankingRows(touched.people, this.writer, writtenAt) };
    });
    this.changed.clear();
    return {
      graphs: taken.map(({ view }) => view.key),
      profiles: (chunk) => this.profileRows(taken, chunk, writtenAt),
      beside: (chunk) => rowsBeside(taken, chunk, this.writer, writtenAt),
      rankings: (chunk) => inChunks(taken, ({ rankings }) => rankings(), chunk),
      summaries: (chunk) => inChunks(taken, ({ view }) => [view.summaryRow(this.writer, writtenAt)], chunk),
      restore: () => {
        for (const { view, touched } of taken) {
          this.changed.add(view);
          view.touch(touched);
          view.forgetRankings();
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
      [...this.graphs.values()].flatMap(({ hash, contents }) => [hash, contents.hash]),
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
    taken: readonly { view: GraphView; touched: TouchedRows }[],
    chunk: number,
    writtenAt: number,
  ): Generator<{ written: ProfileRow[]; removed: string[] }> {
    let rows = { written: [] as ProfileRow[], removed: [] as string[] };
    for (const { view, touched } of taken) {
      for (const person of touched.people) {
        const row = view.profileRow(person, this.writer, writtenAt);
        if (typeof row === 'string') rows.removed.push(row);
        else rows.written.push(row);
        if (rows.written.length + rows.removed.length < chunk) continue;
        yield rows;
        rows = { written: [], removed: [] };
      }
    }
    if (rows.written.length + rows.removed.length > 0) yield rows;
  }
}

/** The rows of all graphs, at least so many together but in the last chunk; made as they are asked for. */
function* inChunks<T, Row>(
  graphs: readonly T[],
  rowsOf: (graph: T) => Row[],
  chunk: number,
): Generator<Row[]> {
  let rows: Row[] = [];
  for (const graph of graphs) {
    rows.push(...rowsOf(graph));
    if (rows.length < chunk) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}
