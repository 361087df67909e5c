import { type Positions, VIEWS } from '@sociograph/contracts';
import type { Clock } from '@sociograph/kernel';
import type { GraphCopy } from './analyses/whole-graph';
import { AppliedPositions } from './applied-positions';
import { type GraphSnapshot, type GraphView, graphKey } from './graph-view';
import type {
  AppliedLog,
  AppliedMark,
  ChangeRecord,
  Reached,
  ViewCache,
  ViewStore,
  WriterLock,
} from './ports';
import { type PendingRows, Views } from './views';

/** Rows a request to the store. */
export const ROWS_PER_WRITE = 1000;
/** The same of rankings and summaries, which have tens of kilobytes each. */
export const GRAPH_ROWS_PER_WRITE = 99;

export interface FlushReport {
  /** `suspended`: the lock is in doubt; nothing was written, everything stays pending. */
  outcome: 'nothing' | 'written' | 'suspended';
  profiles: number;
  partitions: number;
}

/** What the writer holds in memory. */
export interface ProjectorState {
  views: Views;
  positions: AppliedPositions;
}

/** The same at one moment, for a checkpoint. */
export interface ProjectorSnapshot {
  graphs: GraphSnapshot[];
  hashes: string[];
  reached: { partition: number; positions: Positions }[];
}

export interface ProjectorPorts {
  store: ViewStore;
  cache: ViewCache;
  applied: AppliedLog;
  lock: WriterLock;
  clock: Clock;
}

/**
 * What the one active writer does: takes records into memory at once, and from time to time writes the rows
 * that changed, invalidates caches, and only then announces the positions. Records may be taken in while a
 * flush waits for the store: rows are then newer than the positions announced for them, never older.
 */
export class Projector {
  /** Hears of every record after it was taken in. */
  tap: ((record: ChangeRecord) => void) | undefined;
  private readonly unsettled = new Set<string>();
  /** Ends when nothing runs any more that was begun by `between`. */
  private line: Promise<unknown> | undefined;

  /** `state` is what a checkpoint held; nothing unless told. */
  constructor(
    private readonly ports: ProjectorPorts,
    private fence: number,
    state?: ProjectorState,
  ) {
    this.views = state?.views ?? new Views(fence);
    this.positions = state?.positions ?? new AppliedPositions();
    this.takenAt = ports.clock.nowMs();
  }

  private views: Views;
  private readonly positions: AppliedPositions;
  /** Wall clock at the last record. */
  private takenAt: number;

  /** Applies one record in memory. Returns how many friendships began or ended to count. */
  take(record: ChangeRecord): number {
    const edges = this.views.take(record);
    this.positions.note(record.partition, record.offset, record.source);
    this.takenAt = this.ports.clock.nowMs();
    this.tap?.(record);
    return edges;
  }

  get hasPending(): boolean {
    return this.views.hasPending || this.positions.hasAdvanced;
  }

  /** All that was taken in and how far that is, as of this moment. */
  snapshot(): ProjectorSnapshot {
    return { graphs: this.views.snapshot(), hashes: this.views.hashes(), reached: this.positions.all() };
  }

  sizes(): { people: number; friendships: number } {
    return this.views.sizes();
  }

  /** From now on these views are the live ones, under this fence; they stand at the same positions as the old ones. */
  adopt(views: Views, fence: number): void {
    this.tap = undefined;
    this.erasedGraphs();
    this.views = views;
    this.fence = fence;
    views.writeAs(fence);
  }

  /** Positions that are in memory now, and since when. */
  reachedInMemory(): Reached {
    return { positions: this.positions.whole(), at: this.takenAt };
  }

  /** How far the log was taken in (partition -> next offset), as of this moment. */
  reached(): Map<number, number> {
    return new Map(
      this.positions.all().map(({ partition }) => [partition, this.positions.offsetOf(partition)]),
    );
  }

  /** True when the log was taken in up to these offsets (partition -> next offset). */
  hasReached(offsets: ReadonlyMap<number, number>): boolean {
    return [...offsets].every(([partition, offset]) => this.positions.offsetOf(partition) >= offset);
  }

  /** The state's hash by partition. */
  hashes(): string[] {
    return this.views.hashes();
  }

  /** The graph of that name as it stands; undefined when nobody named it. */
  graph(workspaceId: string, network: string): GraphView | undefined {
    return this.views.find(workspaceId, network);
  }

  /** Graphs of that workspace and network; all where neither is named. */
  graphs(workspaceId?: string, network?: string): GraphView[] {
    return this.views
      .all()
      .filter(
        (view) =>
          workspaceId === undefined || network === undefined || view.key === graphKey(workspaceId, network),
      );
  }

  /** One graph as it stands now, and the positions that are in it. */
  copyOf(workspaceId: string, network: string): { copy: GraphCopy; positions: Positions[] } | undefined {
    const [view] = this.graphs(workspaceId, network);
    const positions = this.positions.all().map(({ positions: reached }) => reached);
    return view === undefined ? undefined : { copy: view.graph.copy(), positions };
  }

  /** Graphs, by key, in which somebody was erased, until what was found in them before is settled. */
  erasedGraphs(): string[] {
    for (const graph of this.views.takeErased()) this.unsettled.add(graph);
    return [...this.unsettled];
  }

  settled(graph: string): void {
    this.unsettled.delete(graph);
  }

  graphKeys(): string[] {
    return this.views.all().map(({ key }) => key);
  }

  /** Makes the rows of these people and the summary pending. */
  rewrite(view: GraphView, people: readonly number[], contents: readonly string[] = []): void {
    this.views.rewrite(view, people, contents);
  }

  /** Runs while no flush does; flushes asked for meanwhile wait. */
  between<T>(work: () => Promise<T>): Promise<T> {
    const done = this.line === undefined ? work() : this.line.then(work);
    const end = done
      .catch(() => undefined)
      .then(() => {
        if (this.line === end) this.line = undefined;
      });
    this.line = end;
    return done;
  }

  /** Writes and announces all that is pending. When a port throws, all of it is pending again. */
  flush(): Promise<FlushReport> {
    return this.between(() => this.flushNow());
  }

  private async flushNow(): Promise<FlushReport> {
    if (!this.hasPending) return { outcome: 'nothing', profiles: 0, partitions: 0 };
    if (!this.ports.lock.held()) return SUSPENDED;
    const rows = this.views.takePending(this.ports.clock.nowMs());
    const advanced = this.positions.takeAdvanced();
    let profiles = 0;
    try {
      if (rows !== undefined) {
        profiles = await this.write(rows);
        await this.ports.cache.forget(rows.graphs);
      }
      await this.ports.applied.announce(this.marks(advanced));
    } catch (error) {
      rows?.restore();
      this.positions.restore(advanced);
      if (error instanceof LockInDoubt) return SUSPENDED;
      throw error;
    }
    return { outcome: 'written', profiles, partitions: advanced.length };
  }

  /** All kinds side by side: the store flushes together what comes together. Returns how many profiles. */
  private async write(rows: PendingRows): Promise<number> {
    const { store } = this.ports;
    let profiles = 0;
    const kinds = [
      async () => {
        for (const { written, removed } of rows.profiles(ROWS_PER_WRITE)) {
          this.insistOnLock();
          if (written.length > 0) await store.writeProfiles(written);
          if (removed.length > 0) await store.removeProfiles(removed);
          profiles += written.length + removed.length;
        }
      },
      async () => {
        for (const { kind, written, removed } of rows.beside(ROWS_PER_WRITE)) {
          this.insistOnLock();
          if (written.length > 0) await store.writeRows(kind, written);
          if (removed.length > 0) await store.removeRows(kind, removed);
        }
      },
      async () => {
        for (const rankings of rows.rankings(GRAPH_ROWS_PER_WRITE)) {
          this.insistOnLock();
          await store.writeRows('rankings', rankings);
        }
      },
      async () => {
        for (const summaries of rows.summaries(GRAPH_ROWS_PER_WRITE)) {
          this.insistOnLock();
          await store.writeSummaries(summaries);
        }
      },
    ];
    // Waits for all of them also when one fails: a write that arrived later would bring back rows of before.
    const ends = await Promise.allSettled(kinds.map((write) => write()));
    const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
    if (failures.length > 0)
      throw failures.find((failure) => !(failure instanceof LockInDoubt)) ?? failures[0];
    return profiles;
  }

  private insistOnLock(): void {
    if (!this.ports.lock.held()) throw new LockInDoubt();
  }

  private marks(advanced: ReturnType<AppliedPositions['takeAdvanced']>): AppliedMark[] {
    const at = this.ports.clock.nowMs();
    return advanced.flatMap(({ partition, positions }) =>
      Object.values(VIEWS).map((view) => ({
        view,
        partition,
        appliedUpTo: positions,
        at,
        fence: this.fence,
      })),
    );
  }
}

const SUSPENDED: FlushReport = { outcome: 'suspended', profiles: 0, partitions: 0 };

class LockInDoubt extends Error {}
