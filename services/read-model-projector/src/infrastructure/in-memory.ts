import type { Positions } from '@sociograph/contracts';
import { mergePositions, positionsCover } from '@sociograph/contracts';
import { DomainError } from '@sociograph/kernel';
import type {
  AppliedMark,
  ChangeRecord,
  Following,
  ProfileRow,
  Reached,
  RowsBeside,
  SearchQuestion,
  SearchRow,
  SummaryRow,
} from '../projections/ports';
import {
  AppliedLog,
  AppliedWatch,
  ChangeLog,
  LogEnds,
  peopleOf,
  ViewCache,
  ViewStore,
  WriterLock,
} from '../projections/ports';

/** Rows in maps. `failures` is how many of the next writes fail as an unreachable store would. */
export class InMemoryViewStore extends ViewStore {
  readonly profiles = new Map<string, ProfileRow>();
  readonly summaries = new Map<string, SummaryRow>();
  readonly beside = {
    groups: new Map<string, RowsBeside['groups']>(),
    posts: new Map<string, RowsBeside['posts']>(),
    search: new Map<string, RowsBeside['search']>(),
    rankings: new Map<string, RowsBeside['rankings']>(),
  };
  readonly requests: string[] = [];
  fence = 0;
  failures = 0;

  async highestFence(): Promise<number> {
    return this.fence;
  }

  async claim(fence: number): Promise<void> {
    if (fence <= this.fence) {
      throw new DomainError({
        code: 'VIEWS.WRITER_SUPERSEDED',
        kind: 'conflict',
        message: 'A newer writer exists',
      });
    }
    this.fence = fence;
  }

  async writeProfiles(rows: readonly ProfileRow[]): Promise<void> {
    this.request(`profiles:${rows.length}`);
    for (const row of rows) this.profiles.set(row.key, structuredClone(row));
  }

  async removeProfiles(keys: readonly string[]): Promise<void> {
    this.request(`remove:${keys.length}`);
    for (const key of keys) this.profiles.delete(key);
  }

  async writeSummaries(rows: readonly SummaryRow[]): Promise<void> {
    this.request(`summaries:${rows.length}`);
    for (const row of rows) this.summaries.set(row.key, structuredClone(row));
  }

  async removeOlderThan(fence: number): Promise<void> {
    this.request('older');
    for (const rows of [this.profiles, this.summaries, ...Object.values(this.beside)]) {
      for (const [key, row] of rows) if (row.writer < fence) rows.delete(key);
    }
  }

  async profile(key: string): Promise<ProfileRow | undefined> {
    return this.profiles.get(key);
  }

  async profilesOf(keys: readonly string[]): Promise<Map<string, ProfileRow>> {
    const found = keys.flatMap((key) => this.profiles.get(key) ?? []);
    return new Map(found.map((row) => [row.key, row]));
  }

  async people(): Promise<Map<string, number>> {
    return peopleOf([...this.summaries.values()]);
  }

  async summary(key: string): Promise<SummaryRow | undefined> {
    return this.summaries.get(key);
  }

  async writeRows<K extends keyof RowsBeside>(kind: K, rows: readonly RowsBeside[K][]): Promise<void> {
    this.request(`${kind}:${rows.length}`);
    const kept = this.beside[kind] as Map<string, RowsBeside[K]>;
    for (const row of rows) kept.set(row.key, structuredClone(row));
  }

  async removeRows(kind: keyof RowsBeside, keys: readonly string[]): Promise<void> {
    this.request(`remove ${kind}:${keys.length}`);
    for (const key of keys) this.beside[kind].delete(key);
  }

  async rowsOf<K extends keyof RowsBeside>(
    kind: K,
    keys: readonly string[],
  ): Promise<Map<string, RowsBeside[K]>> {
    const kept = this.beside[kind] as Map<string, RowsBeside[K]>;
    return new Map(keys.flatMap((key) => (kept.has(key) ? [[key, kept.get(key)!] as const] : [])));
  }

  async search({
    graph,
    kind,
    token,
    parts,
    after,
    limit,
  }: SearchQuestion): Promise<Pick<SearchRow, 'id' | 'at' | 'key'>[]> {
    const behind = ({ at, key }: SearchRow): boolean =>
      after === undefined || at < after.at || (at === after.at && key > after.key);
    return [...this.beside.search.values()]
      .filter((row) => row.graph === graph && row.kind === kind && row.tokens.includes(token))
      .filter((row) => parts.every((part) => row.text.includes(part)) && behind(row))
      .sort((a, b) => b.at - a.at || (a.key < b.key ? -1 : 1))
      .slice(0, limit)
      .map(({ id, at, key }) => ({ id, at, key }));
  }

  private request(name: string): void {
    this.requests.push(name);
    if (this.failures === 0) return;
    this.failures--;
    throw new DomainError({
      code: 'VIEWS.STORE_AWAY',
      kind: 'unavailable',
      message: 'The store cannot be reached',
    });
  }
}

/** Keeps every answer until its graph is forgotten. */
export class InMemoryViewCache extends ViewCache {
  private readonly answers = new Map<string, Map<string, unknown>>();
  readonly forgotten: string[][] = [];

  async read<T>(graph: string, entry: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const entries = this.answers.get(graph) ?? new Map<string, unknown>();
    this.answers.set(graph, entries);
    const cached = entries.get(entry) as T | undefined;
    if (cached !== undefined) return cached;
    const loaded = await load();
    if (loaded !== undefined && this.answers.get(graph) === entries) entries.set(entry, loaded);
    return loaded;
  }

  async forget(graphs: readonly string[]): Promise<void> {
    this.forgotten.push([...graphs]);
    for (const graph of graphs) this.answers.delete(graph);
  }
}

/** Announcements, and what follows from them, in one process. */
export class InMemoryApplied extends AppliedLog implements AppliedWatch {
  readonly marks: AppliedMark[] = [];
  private readonly views = new Map<string, Reached>();
  private waiting: (() => void)[] = [];

  async announce(marks: readonly AppliedMark[]): Promise<void> {
    this.marks.push(...marks);
    for (const mark of marks) {
      const { positions } = this.reached(mark.view);
      this.views.set(mark.view, { positions: mergePositions(positions, mark.appliedUpTo), at: mark.at });
    }
    const waiting = this.waiting;
    this.waiting = [];
    for (const wake of waiting) wake();
  }

  reached(view: string): Reached {
    return this.views.get(view) ?? { positions: {}, at: 0 };
  }

  highestFence(): number | undefined {
    return Math.max(0, ...this.marks.map(({ fence }) => fence));
  }

  /** Waits for one announcement; time does not pass here. */
  async waitFor(view: string, wanted: Positions, timeoutMs: number): Promise<boolean> {
    if (!positionsCover(this.reached(view).positions, wanted) && timeoutMs > 0) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    return positionsCover(this.reached(view).positions, wanted);
  }
}

export class InMemoryLogEnds extends LogEnds {
  constructor(private readonly ends: Positions) {
    super();
  }

  async beyond(positions: Positions): Promise<boolean> {
    return !positionsCover(this.ends, positions);
  }
}

/** One lock for all instances that share `shared`. `lost` and `doubtful` are switches for specs. */
export class InMemoryWriterLock extends WriterLock {
  lost = false;
  doubtful = false;
  private mine: number | undefined;

  constructor(private readonly shared: { fence: number; holder: InMemoryWriterLock | undefined }) {
    super();
  }

  async acquire(above: number): Promise<number | undefined> {
    if (this.shared.holder !== undefined && this.shared.holder !== this) return undefined;
    this.shared.holder = this;
    this.lost = false;
    this.mine = this.shared.fence = Math.max(this.shared.fence, above) + 1;
    return this.mine;
  }

  async renew(): Promise<boolean> {
    if (this.doubtful) {
      throw new DomainError({
        code: 'VIEWS.LOCK_AWAY',
        kind: 'unavailable',
        message: 'The lock cannot be reached',
      });
    }
    if (this.lost && this.shared.holder === this) this.shared.holder = undefined;
    return !this.lost;
  }

  held(): boolean {
    return this.shared.holder === this && !this.lost && !this.doubtful;
  }

  async release(): Promise<void> {
    if (this.shared.holder === this) this.shared.holder = undefined;
  }
}

/** A log of one process; `append` reaches every follower at once. */
export class InMemoryChangeLog extends ChangeLog {
  private readonly records: ChangeRecord[] = [];
  private readonly followers = new Set<(record: ChangeRecord) => void>();
  followed = 0;
  /** Where each follower began. */
  readonly begunAt: (ReadonlyMap<number, number> | undefined)[] = [];

  append(record: ChangeRecord): void {
    this.records.push(record);
    for (const take of this.followers) take(record);
  }

  get following(): number {
    return this.followers.size;
  }

  async follow(
    take: (record: ChangeRecord) => void,
    caughtUp: () => void,
    from?: ReadonlyMap<number, number>,
  ): Promise<Following> {
    this.followed++;
    this.begunAt.push(from);
    for (const record of this.records) if (record.offset >= (from?.get(record.partition) ?? 0)) take(record);
    this.followers.add(take);
    caughtUp();
    return {
      stop: async () => {
        this.followers.delete(take);
      },
    };
  }
}
