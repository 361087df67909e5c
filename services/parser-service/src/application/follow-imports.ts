import type { FieldFault } from '@sociograph/kernel';
import { DomainError } from '@sociograph/kernel';
import { importUnknown, tooManyStreams } from '../domain/errors';
import { ImportEvents, Imports, Networks } from '../domain/ports';
import { type EtaLimits, etaMs, MARKS_LOOKED_AT, type ProgressMark } from '../domain/progress';

export type EndOfStream = 'import-ended' | 'import-deleted' | 'shutting-down';

/** One event for a follower; whoever resumes gets the same one under the same id. */
export interface Progress {
  readonly mark: ProgressMark;
  /** A step of the import's life, not only its counters. */
  readonly isStep: boolean;
  readonly etaMs: number | undefined;
}

export interface Follower {
  /** False while it has much that it was given and did not take: one that is far behind gets its next portion later. */
  readonly ready: boolean;
  next(progress: Progress): void;
  end(why: EndOfStream): void;
}

interface Following {
  readonly workspaceId: string;
  readonly follower: Follower;
  readonly leave: () => void;
  cursor: number;
}

interface Watched {
  readonly limits: EtaLimits;
  readonly followings: Set<Following>;
  /** The latest marks, oldest first: what followers who are not behind share. */
  marks: ProgressMark[];
}

/** Takes one of the workspace's places for streams over all services; throws IMPORTS.QUOTA_STREAMS where none is left. */
export type TakeStreamPlace = (workspaceId: string) => Promise<() => void>;

const ENDED = new Set<string>(['completed', 'cancelled', 'failed']);

/**
 * Gives the events of imports to those who follow them, from the one after the last that they have. All followers of
 * an import in this process share one look at the database; `tick` is that look. Who is farther behind than what is
 * shared gets portions of their own, one a tick, so that a day of events is never in memory at once.
 */
export class FollowImports {
  private readonly watched = new Map<string, Watched>();
  private stopped = false;

  constructor(
    private readonly imports: Imports,
    private readonly events: ImportEvents,
    private readonly networks: Networks,
    /** Of one workspace in this process, whatever the workspace may have over all. */
    private readonly mostPerWorkspace: number,
    private readonly takePlace: TakeStreamPlace = () => Promise.resolve(() => undefined),
  ) {}

  /** Whether anybody follows anything. */
  get busy(): boolean {
    return this.watched.size > 0;
  }

  get open(): number {
    return [...this.watched.values()].reduce((sum, { followings }) => sum + followings.size, 0);
  }

  /**
   * `after` is the id of the last event that the follower has; without it the present state comes first. Returns what
   * stops it. Throws IMPORTS.UNKNOWN, IMPORTS.QUOTA_STREAMS, or REQUEST.INVALID for an id that never was.
   */
  async follow(
    workspaceId: string,
    importId: string,
    after: number | undefined,
    follower: Follower,
  ): Promise<() => void> {
    const record = await this.imports.find(workspaceId, importId);
    if (record === undefined) throw importUnknown(importId);
    const latest = (await this.events.latest([importId])).get(importId) ?? 0;
    if (after !== undefined && after > latest) throw badEventId();
    const tail = await this.events.since(importId, Math.max(0, latest - MARKS_LOOKED_AT));
    const leave = await this.takePlace(workspaceId);
    // Counted and taken in one turn of the event loop, so that two cannot both take the last place.
    const isFull = this.openOf(workspaceId) >= this.mostPerWorkspace;
    if (isFull || this.stopped) leave();
    if (isFull) throw tooManyStreams(this.mostPerWorkspace);
    if (this.stopped) {
      follower.end('shutting-down');
      return () => undefined;
    }
    const { network, peopleLimit } = record.job.snapshot;
    const limits = { peopleLimit, profilesPerCall: this.networks.profilesPerCall(network) };
    const following: Following = { workspaceId, follower, leave, cursor: after ?? latest - 1 };
    const watched = this.watched.get(importId) ?? { limits, followings: new Set(), marks: [] };
    this.watched.set(importId, watched);
    watched.followings.add(following);
    watched.marks = joined(watched.marks, tail);
    try {
      await this.advance(importId, watched, following);
    } catch (error) {
      this.forget(importId, following);
      throw error;
    }
    return () => this.forget(importId, following);
  }

  /** Looks once for what is new of everything that is followed. */
  async tick(): Promise<void> {
    const ids = [...this.watched.keys()];
    if (ids.length === 0) return;
    const latest = await this.events.latest(ids);
    for (const id of ids) {
      const watched = this.watched.get(id);
      if (watched === undefined) continue;
      const last = latest.get(id);
      if (last === undefined) {
        this.finish(id, watched, 'import-deleted');
        continue;
      }
      const seen = watched.marks.at(-1)?.seq ?? 0;
      if (last > seen) {
        const more = await this.events.since(id, seen);
        // Read after the wait: somebody may have come meanwhile.
        watched.marks = joined(watched.marks, more);
      }
      for (const following of [...watched.followings]) await this.advance(id, watched, following);
      watched.marks = watched.marks.slice(-2 * MARKS_LOOKED_AT);
    }
  }

  /** Ends every stream; new ones end at once. */
  stop(): void {
    this.stopped = true;
    for (const [id, watched] of this.watched) this.finish(id, watched, 'shutting-down');
  }

  private openOf(workspaceId: string): number {
    return [...this.watched.values()].flatMap(({ followings }) =>
      [...followings].filter((following) => following.workspaceId === workspaceId),
    ).length;
  }

  /** Tells one follower what comes next, and that it is over once everything was told. */
  private async advance(importId: string, watched: Watched, following: Following): Promise<void> {
    const next = watched.marks.find(({ seq }) => seq > following.cursor);
    if (next?.seq === following.cursor + 1) this.tell(watched, following, watched.marks);
    else if (next !== undefined && following.follower.ready) {
      const from = Math.max(0, following.cursor - MARKS_LOOKED_AT);
      this.tell(watched, following, await this.events.since(importId, from));
    }
    const last = watched.marks.at(-1);
    if (last === undefined || !ENDED.has(last.state) || following.cursor < last.seq) return;
    // Behind an ending there is nothing to wait for, also for those who had seen it.
    if (watched.followings.has(following)) following.follower.end('import-ended');
    this.forget(importId, following);
  }

  private tell({ limits, followings }: Watched, following: Following, marks: readonly ProgressMark[]): void {
    if (!followings.has(following)) return;
    marks.forEach((mark, at) => {
      if (mark.seq <= following.cursor) return;
      const stretch = marks.slice(Math.max(0, at + 1 - MARKS_LOOKED_AT), at + 1);
      following.follower.next({
        mark,
        isStep: mark.seq === 1 || mark.revision !== (marks[at - 1]?.revision ?? mark.revision),
        etaMs: etaMs(stretch, limits),
      });
      following.cursor = mark.seq;
    });
  }

  private finish(importId: string, watched: Watched, why: EndOfStream): void {
    this.watched.delete(importId);
    for (const { follower, leave } of watched.followings) {
      follower.end(why);
      leave();
    }
    watched.followings.clear();
  }

  private forget(importId: string, following: Following): void {
    const watched = this.watched.get(importId);
    watched?.followings.delete(following);
    following.leave();
    if (watched?.followings.size === 0) this.watched.delete(importId);
  }
}

/**
 * Both stretches as one, in the order of their ids, each once; the later one where there is a hole between them, which
 * nobody could tell from events that were never there.
 */
function joined(some: ProgressMark[], others: ProgressMark[]): ProgressMark[] {
  const [earlier, later] =
    (some.at(-1)?.seq ?? 0) <= (others.at(-1)?.seq ?? 0) ? [some, others] : [others, some];
  if ((later[0]?.seq ?? 0) > (earlier.at(-1)?.seq ?? 0) + 1) return later;
  const bySeq = new Map([...earlier, ...later].map((mark) => [mark.seq, mark]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

function badEventId(): DomainError {
  const fields: FieldFault[] = [
    { field: 'Last-Event-ID', message: 'must be the id of an event of this import' },
  ];
  return new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'Last-Event-ID must be the id of an event of this import.',
    fields,
  });
}
