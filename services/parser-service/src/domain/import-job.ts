import { importChanged, stepRefused } from './errors';
import { firstItems, type ImportScope } from './import-scope';
import type { ItemKind } from './items';

export type ImportState =
  'running' | 'paused' | 'settling' | 'completed' | 'cancelled' | 'failed' | 'deleted';
export type ImportStep = 'pause' | 'resume' | 'cancel' | 'retry' | 'delete' | 'settle' | 'complete' | 'fail';

/**
 * The life of an import. What is not in the table is refused; a step that leads to the state itself changes
 * nothing, so that a repeated request is harmless. `settling` = every item is final, the views lag behind.
 * `deleted` is what nobody can see any more; its rows go piece by piece. A cancelled import is not tried again:
 * its owner gave it up.
 */
export const TRANSITIONS: Record<ImportState, Partial<Record<ImportStep, ImportState>>> = {
  running: {
    resume: 'running',
    retry: 'running',
    pause: 'paused',
    cancel: 'cancelled',
    settle: 'settling',
    fail: 'failed',
  },
  paused: { pause: 'paused', retry: 'paused', resume: 'running', cancel: 'cancelled', fail: 'failed' },
  settling: {
    settle: 'settling',
    retry: 'running',
    complete: 'completed',
    cancel: 'cancelled',
    fail: 'failed',
  },
  completed: { complete: 'completed', retry: 'running', delete: 'deleted' },
  cancelled: { cancel: 'cancelled', delete: 'deleted' },
  failed: { fail: 'failed', retry: 'running', delete: 'deleted' },
  deleted: {},
};

/**
 * Counts of items, profiles apart from all others (`lists`); `known` and `done` (final at least once, with or without a gap) never fall. `gaps` are those that
 * stand now: a retry that finds what was missing takes one away. `retrying` were done and are open again.
 */
export interface ImportCounters {
  peopleKnown: number;
  peopleDone: number;
  peopleGaps: number;
  peopleRetrying: number;
  listsKnown: number;
  listsDone: number;
  listsGaps: number;
  listsRetrying: number;
  callsMade: number;
  /** People who were seen but lie beyond the import's limit; each is a gap, none is in `peopleKnown`. */
  peopleBeyond: number;
  /** Ids seen in friend lists; a friendship that both ends show counts twice. */
  friendshipObservations: number;
}

export const NO_COUNTS: ImportCounters = {
  peopleKnown: 0,
  peopleDone: 0,
  peopleGaps: 0,
  peopleRetrying: 0,
  peopleBeyond: 0,
  listsKnown: 0,
  listsDone: 0,
  listsGaps: 0,
  listsRetrying: 0,
  callsMade: 0,
  friendshipObservations: 0,
};

/** Everything of an import that outlives a process; times in milliseconds since the Unix epoch. */
export interface ImportSnapshot {
  readonly id: string;
  readonly workspaceId: string;
  readonly network: string;
  /** People, groups and names, see `subjectKind`. */
  readonly seeds: readonly string[];
  readonly scope: ImportScope;
  /** Null: until nothing new is found. People within the depth are vertices, lists are fetched of those nearer. */
  readonly depth: number | null;
  readonly peopleLimit: number | null;
  readonly callsLimit: number | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly state: ImportState;
  /** One more with each step of its life, not with progress: what If-Match is compared with. */
  readonly revision: number;
  readonly counters: ImportCounters;
}

/** What a plan for a new import says; the rest follows from it. */
export type ImportPlan = Omit<ImportSnapshot, 'state' | 'revision' | 'counters' | 'changedAt'>;

/** Gaps of both kinds that a retry opened again. */
export interface Reopened {
  readonly people: number;
  readonly lists: number;
}

export class ImportJob {
  private constructor(private readonly data: ImportSnapshot) {}

  /** A new import runs at once, with everything about its seeds as its first items unless others are given. */
  static start(
    plan: ImportPlan,
    items: readonly { kind: ItemKind }[] = firstItems(plan.seeds, plan.scope, plan.depth),
  ): ImportJob {
    const peopleKnown = items.filter(({ kind }) => kind === 'profile').length;
    const counters = { ...NO_COUNTS, peopleKnown, listsKnown: items.length - peopleKnown };
    return new ImportJob({ ...plan, changedAt: plan.createdAt, state: 'running', revision: 1, counters });
  }

  static restore(snapshot: ImportSnapshot): ImportJob {
    return new ImportJob(snapshot);
  }

  get snapshot(): ImportSnapshot {
    return this.data;
  }

  /** The same object when the step changes nothing; throws IMPORTS.STEP_REFUSED when the table has no entry. */
  step(step: ImportStep, now: number): ImportJob {
    const next = TRANSITIONS[this.data.state][step];
    if (next === undefined) throw stepRefused(this.data.id, this.data.state, step);
    return next === this.data.state ? this : this.become(next, now);
  }

  /** Throws IMPORTS.CHANGED when somebody took a step since the revision that the caller saw. */
  expect(revision: number | undefined): ImportJob {
    const { id, revision: current } = this.data;
    if (revision !== undefined && revision !== current) throw importChanged(id, revision, current);
    return this;
  }

  /**
   * Takes gaps back into work: they stay `done` in the counters, which never fall, and are `retrying` beside that.
   * The same object when there was none to take back.
   */
  retry(reopened: Reopened, now: number): ImportJob {
    const next = TRANSITIONS[this.data.state].retry;
    if (next === undefined) throw stepRefused(this.data.id, this.data.state, 'retry');
    const { people, lists } = reopened;
    if (people + lists === 0) return this;
    const { counters } = this.data;
    const gained = {
      peopleGaps: counters.peopleGaps - people,
      peopleRetrying: counters.peopleRetrying + people,
      listsGaps: counters.listsGaps - lists,
      listsRetrying: counters.listsRetrying + lists,
    };
    const job = new ImportJob({ ...this.data, counters: { ...counters, ...gained } });
    return job.become(next, now);
  }

  /** Lists that are looked at again, final ones and such as were not asked for before; else like a retry. */
  lookAgain({ fresh, done, gaps }: { fresh: number; done: number; gaps: number }, now: number): ImportJob {
    const next = TRANSITIONS[this.data.state].retry;
    if (next === undefined) throw stepRefused(this.data.id, this.data.state, 'retry');
    const { counters } = this.data;
    const gained = {
      listsKnown: counters.listsKnown + fresh,
      listsRetrying: counters.listsRetrying + done + gaps,
      listsGaps: counters.listsGaps - gaps,
    };
    return new ImportJob({ ...this.data, counters: { ...counters, ...gained } }).become(next, now);
  }

  private become(state: ImportState, now: number): ImportJob {
    return new ImportJob({ ...this.data, state, changedAt: now, revision: this.data.revision + 1 });
  }

  /**
   * Adds what a call brought. A running import whose last item became final settles; a paused one stays
   * paused until it is resumed, one that ended keeps its end.
   */
  absorb(gained: Partial<ImportCounters>, now: number): ImportJob {
    const counters = { ...this.data.counters };
    for (const name of Object.keys(counters) as (keyof ImportCounters)[]) counters[name] += gained[name] ?? 0;
    return new ImportJob({ ...this.data, counters }).settleIfDone(now);
  }

  settleIfDone(now: number): ImportJob {
    return this.data.state === 'running' && this.openItems === 0 ? this.step('settle', now) : this;
  }

  /** Whether answers may still add people: true while running or paused. */
  get grows(): boolean {
    return this.data.state === 'running' || this.data.state === 'paused';
  }

  get openItems(): number {
    return this.openPeople + this.openLists;
  }

  get openPeople(): number {
    const { peopleKnown, peopleDone, peopleRetrying } = this.data.counters;
    return peopleKnown - peopleDone + peopleRetrying;
  }

  get openLists(): number {
    const { listsKnown, listsDone, listsRetrying } = this.data.counters;
    return listsKnown - listsDone + listsRetrying;
  }

  /** Nothing happens to it by itself any more; only then it may be deleted. */
  get ended(): boolean {
    return TRANSITIONS[this.data.state].delete !== undefined;
  }

  /** No list is open any more: nobody new can be found. */
  get frontierClosed(): boolean {
    return this.openLists === 0;
  }

  /** Undefined until the frontier is closed: before that nobody knows what 100 % is. Whole numbers, rounded down. */
  get percent(): number | undefined {
    if (!this.frontierClosed) return undefined;
    const known = this.data.counters.peopleKnown + this.data.counters.listsKnown;
    return known === 0 ? 100 : Math.floor((100 * (known - this.openItems)) / known);
  }

  /** Whether the list of somebody at this distance from the seeds is fetched. */
  fetchesListAt(depth: number): boolean {
    return this.data.depth === null || depth < this.data.depth;
  }

  /** How many more people may become known; null = no limit. */
  get roomForPeople(): number | null {
    const { peopleLimit, counters } = this.data;
    return peopleLimit === null ? null : Math.max(0, peopleLimit - counters.peopleKnown);
  }
}
