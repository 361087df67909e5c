import { stepRefused } from './errors';

export type ImportState = 'running' | 'paused' | 'settling' | 'completed' | 'cancelled' | 'failed';
export type ImportStep = 'pause' | 'resume' | 'cancel' | 'settle' | 'complete' | 'fail';

/**
 * The life of an import. What is not in the table is refused; a step that leads to the state itself changes
 * nothing, so that a repeated request is harmless. `settling` = every item is final, the views lag behind.
 */
export const TRANSITIONS: Record<ImportState, Partial<Record<ImportStep, ImportState>>> = {
  running: { resume: 'running', pause: 'paused', cancel: 'cancelled', settle: 'settling', fail: 'failed' },
  paused: { pause: 'paused', resume: 'running', cancel: 'cancelled', fail: 'failed' },
  settling: { settle: 'settling', complete: 'completed', cancel: 'cancelled', fail: 'failed' },
  completed: { complete: 'completed' },
  cancelled: { cancel: 'cancelled' },
  failed: { fail: 'failed' },
};

/** Counts of items; `done` are the final ones, with or without a gap. None of them ever falls. */
export interface ImportCounters {
  peopleKnown: number;
  peopleDone: number;
  peopleGaps: number;
  listsKnown: number;
  listsDone: number;
  listsGaps: number;
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
  peopleBeyond: 0,
  listsKnown: 0,
  listsDone: 0,
  listsGaps: 0,
  callsMade: 0,
  friendshipObservations: 0,
};

/** Everything of an import that outlives a process; times in milliseconds since the Unix epoch. */
export interface ImportSnapshot {
  readonly id: string;
  readonly workspaceId: string;
  readonly network: string;
  readonly seeds: readonly string[];
  /** Null: until nothing new is found. People within the depth are vertices, lists are fetched of those nearer. */
  readonly depth: number | null;
  readonly peopleLimit: number | null;
  readonly callsLimit: number | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly state: ImportState;
  readonly counters: ImportCounters;
}

export class ImportJob {
  private constructor(private readonly data: ImportSnapshot) {}

  /** A new import runs at once; its seeds are its first people and, except at depth 0, its first lists. */
  static start(plan: Omit<ImportSnapshot, 'state' | 'counters' | 'changedAt'>): ImportJob {
    const lists = plan.depth === 0 ? 0 : plan.seeds.length;
    const counters = { ...NO_COUNTS, peopleKnown: plan.seeds.length, listsKnown: lists };
    return new ImportJob({ ...plan, changedAt: plan.createdAt, state: 'running', counters });
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
    return next === this.data.state ? this : new ImportJob({ ...this.data, state: next, changedAt: now });
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
    const { peopleKnown, peopleDone, listsKnown, listsDone } = this.data.counters;
    return peopleKnown - peopleDone + (listsKnown - listsDone);
  }

  /** No list is open any more: nobody new can be found. */
  get frontierClosed(): boolean {
    return this.data.counters.listsKnown === this.data.counters.listsDone;
  }

  /** Undefined until the frontier is closed: before that nobody knows what 100 % is. Whole numbers, rounded down. */
  get percent(): number | undefined {
    if (!this.frontierClosed) return undefined;
    const { peopleKnown, peopleDone, listsKnown, listsDone } = this.data.counters;
    const known = peopleKnown + listsKnown;
    return known === 0 ? 100 : Math.floor((100 * (peopleDone + listsDone)) / known);
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
