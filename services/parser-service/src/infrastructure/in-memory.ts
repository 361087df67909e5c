import type { Act } from '../domain/audit';
import type { ItemTally } from '../domain/certificate';
import { tooManyRunning } from '../domain/errors';
import { ImportJob, type ImportCounters, NO_COUNTS, type Reopened } from '../domain/import-job';
import { firstItems } from '../domain/import-scope';
import type { GapCause, ItemKind } from '../domain/items';
import type { RefreshItem } from '../domain/known-people';
import type { LogPositions } from '../domain/observation';
import {
  type Call,
  ImportEvents,
  type ImportFilter,
  Imports,
  type ImportRecord,
  type KeptAnswer,
} from '../domain/ports';
import type { ProgressMark } from '../domain/progress';

export interface StoredItem {
  kind: ItemKind;
  person: string;
  depth: number;
  state: 'pending' | 'called' | 'done' | 'gap' | 'beyond';
  attempts: number;
  keyFaults: number;
  long: boolean;
  readyAt: number;
  callId?: string;
  cursor?: string;
  cause?: GapCause;
  detail?: string | null;
  /** It was final before. */
  retried?: boolean;
}

export interface StoredCall {
  call: Omit<Call, 'wanted' | 'items' | 'scope' | 'cursors' | 'kept'>;
  kept?: KeptAnswer;
  state: 'queued' | 'running' | 'done' | 'put-back' | 'split';
  since: number;
}

export interface StoredImport {
  job: ImportJob;
  positions: LogPositions;
  items: Map<string, StoredItem>;
  holdUntil: number;
  turn: number;
}

/** Imports and calls in one process's memory: what PostgreSQL holds, with the same contract (test/*.contract.ts). */
export class MemoryStore {
  readonly imports = new Map<string, StoredImport>();
  readonly calls = new Map<string, StoredCall>();
  /** Calls sent to the queue, and states announced, in order. */
  readonly sent: string[] = [];
  readonly announced: string[] = [];
  /** What the audit trail was told, in order. */
  readonly audited: { action: string; importId: string; actor: string; reason?: string }[] = [];
  readonly marks = new Map<string, ProgressMark[]>();
  /** Learned sizes of packs, by lane and kind. */
  readonly sizes = new Map<string, number>();
  turns = 0;

  constructor(
    readonly now: () => number,
    readonly mostRunning = Infinity,
  ) {}

  save(stored: StoredImport, job: ImportJob): void {
    const { state } = job.snapshot;
    if (state !== stored.job.snapshot.state && state !== 'deleted') this.announced.push(state);
    stored.job = job;
    this.mark(job);
  }

  /** Every save is an event here. */
  mark({ snapshot: { id, state, revision, counters } }: ImportJob): void {
    const marks = this.marks.get(id) ?? [];
    this.marks.set(id, [...marks, { seq: marks.length + 1, at: this.now(), state, revision, counters }]);
  }

  audit(importId: string, act: Act | undefined): void {
    if (act === undefined) return;
    const { action, actor, reason } = act;
    this.audited.push({ action, importId, actor: actor.id, ...(reason !== undefined && { reason }) });
  }

  /** Throws where one more running import would be too many. */
  admit(workspaceId: string, importId: string): void {
    const running = [...this.imports.values()]
      .map(({ job }) => job.snapshot)
      .filter((other) => other.workspaceId === workspaceId && other.state === 'running');
    if (running.filter(({ id }) => id !== importId).length >= this.mostRunning)
      throw tooManyRunning(this.mostRunning);
  }
}

export const keyOf = (kind: ItemKind, person: string): string => `${kind} ${person}`;

export function newItem(kind: ItemKind, person: string, depth: number): StoredItem {
  return { kind, person, depth, state: 'pending', attempts: 0, keyFaults: 0, long: false, readyAt: 0 };
}

/** Open items become gaps; what that adds to the counters. */
export function closePending(stored: StoredImport, cause: GapCause): Partial<ImportCounters> {
  const gained: ImportCounters = { ...NO_COUNTS };
  for (const item of stored.items.values()) {
    if (item.state !== 'pending') continue;
    item.state = 'gap';
    item.cause = cause;
    countFinal(gained, item);
  }
  return gained;
}

/** One item that became final; one that was final before is no longer retried, that is all. */
export function countFinal(gained: ImportCounters, { kind, state, retried }: StoredItem): void {
  const of = kind === 'profile' ? 'people' : 'lists';
  if (retried === true) gained[`${of}Retrying`] -= 1;
  else gained[`${of}Done`] += 1;
  if (state === 'gap') gained[`${of}Gaps`] += 1;
}

export class MemoryImports extends Imports {
  constructor(private readonly store: MemoryStore) {
    super();
  }

  async add(job: ImportJob, act?: Act, items?: readonly RefreshItem[]): Promise<void> {
    this.store.admit(job.snapshot.workspaceId, job.snapshot.id);
    const stored: StoredImport = { job, positions: {}, items: new Map(), holdUntil: 0, turn: 0 };
    const { seeds, scope, depth } = job.snapshot;
    const first = items ?? firstItems(seeds, scope, depth).map((item) => ({ ...item, depth: 0 }));
    for (const item of first)
      stored.items.set(keyOf(item.kind, item.person), newItem(item.kind, item.person, item.depth));
    this.store.imports.set(job.snapshot.id, stored);
    this.store.announced.push(job.snapshot.state);
    this.store.mark(job);
    this.store.audit(job.snapshot.id, act);
  }

  async find(workspaceId: string, importId: string): Promise<ImportRecord | undefined> {
    const stored = this.seen(workspaceId, importId);
    return stored === undefined ? undefined : recordOf(stored);
  }

  async page(
    workspaceId: string,
    limit: number,
    after?: string,
    { state, network }: ImportFilter = {},
  ): Promise<ImportRecord[]> {
    return [...this.store.imports.values()]
      .filter(({ job }) => job.snapshot.workspaceId === workspaceId && job.snapshot.state !== 'deleted')
      .filter(({ job }) => state === undefined || job.snapshot.state === state)
      .filter(({ job }) => network === undefined || job.snapshot.network === network)
      .filter(({ job }) => after === undefined || job.snapshot.id < after)
      .sort((a, b) => (a.job.snapshot.id < b.job.snapshot.id ? 1 : -1))
      .slice(0, limit)
      .map(recordOf);
  }

  async change(workspaceId: string, importId: string, step: (job: ImportJob) => ImportJob, act?: Act) {
    const stored = this.seen(workspaceId, importId);
    if (stored === undefined) return undefined;
    this.apply(stored, step(stored.job), act);
    return recordOf(stored);
  }

  async retry(
    workspaceId: string,
    importId: string,
    causes: readonly GapCause[],
    decide: (job: ImportJob, reopened: Reopened) => ImportJob,
    act?: Act,
    only?: readonly string[],
  ) {
    const stored = this.seen(workspaceId, importId);
    if (stored === undefined) return undefined;
    const gaps = [...stored.items.values()].filter(
      ({ state, cause, person }) =>
        state === 'gap' &&
        cause !== undefined &&
        causes.includes(cause) &&
        (only === undefined || only.includes(person)),
    );
    const people = gaps.filter(({ kind }) => kind === 'profile').length;
    const next = decide(stored.job, { people, lists: gaps.length - people });
    if (next.snapshot.state === 'running') this.store.admit(workspaceId, importId);
    for (const item of gaps) {
      Object.assign(item, { state: 'pending', attempts: 0, keyFaults: 0, readyAt: 0, retried: true });
      delete item.cause;
    }
    this.apply(stored, next, act);
    return recordOf(stored);
  }

  async lookAgain(
    workspaceId: string,
    importId: string,
    people: readonly string[],
    { revision, now, mostRounds }: { revision: number; now: number; mostRounds: number },
  ): Promise<boolean> {
    const stored = this.seen(workspaceId, importId);
    const { state, revision: current } = stored?.job.snapshot ?? {};
    if (stored === undefined || state !== 'settling' || current !== revision) return false;
    const rounds = [...stored.items.values()]
      .filter(({ kind }) => kind === 'friends')
      .map(({ depth }) => depth);
    const round = Math.max(1, ...rounds) + 1;
    if (round > mostRounds + 1) return false;
    const taken = { fresh: 0, done: 0, gaps: 0 };
    for (const person of people) {
      const item = stored.items.get(keyOf('friends', person));
      if (item === undefined) taken.fresh += 1;
      else if (item.state === 'gap') taken.gaps += 1;
      else taken.done += 1;
      const retried = item === undefined ? {} : { retried: true };
      stored.items.set(keyOf('friends', person), { ...newItem('friends', person, round), ...retried });
    }
    this.apply(stored, stored.job.lookAgain(taken, now), undefined);
    return true;
  }

  /** An import that was deleted is not there, like one of another workspace. */
  private seen(workspaceId: string, importId: string): StoredImport | undefined {
    const stored = this.store.imports.get(importId);
    const { workspaceId: of, state } = stored?.job.snapshot ?? {};
    return of === workspaceId && state !== 'deleted' ? stored : undefined;
  }

  private apply(stored: StoredImport, next: ImportJob, act: Act | undefined): void {
    const { id, workspaceId, state, revision } = next.snapshot;
    if (revision === stored.job.snapshot.revision) return;
    if (state === 'running') this.store.admit(workspaceId, id);
    if (state === 'cancelled') {
      takeBack(this.store, stored);
      this.store.save(stored, next.absorb(closePending(stored, 'withdrawn'), this.store.now()));
    } else this.store.save(stored, next);
    this.store.audit(id, act);
  }

  async tally(workspaceId: string, importId: string, peopleEach: number): Promise<ItemTally[]> {
    const stored = this.seen(workspaceId, importId);
    if (stored === undefined) return [];
    const groups = new Map<string, ItemTally & { people: string[] }>();
    const items = [...stored.items.values()].sort((a, b) => (a.person < b.person ? -1 : 1));
    for (const item of items) {
      const standing = standingOf(item.state);
      const isBanned = stored.items.get(keyOf('profile', item.person))?.detail === 'banned';
      const told = item.cause === 'deleted' && isBanned ? 'banned' : (item.cause ?? null);
      const cause = standing === 'gap' ? told : null;
      const key = `${item.kind} ${standing} ${cause}`;
      const detail = standing === 'gap' ? (item.detail ?? null) : null;
      const empty = { kind: item.kind, standing, cause, detail: null, count: 0, people: [] };
      const before = groups.get(key) ?? empty;
      const named = standing === 'gap' && before.people.length < peopleEach;
      groups.set(key, {
        ...before,
        detail:
          before.detail === null || (detail !== null && detail < before.detail) ? detail : before.detail,
        count: before.count + 1,
        people: named ? [...before.people, item.person] : before.people,
      });
    }
    return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tally]) => tally);
  }

  async running(): Promise<{ workspaceId: string; importId: string }[]> {
    return [...this.store.imports.values()]
      .map(({ job }) => job.snapshot)
      .filter(({ state }) => state === 'running')
      .map(({ id, workspaceId }) => ({ workspaceId, importId: id }));
  }

  async settling(): Promise<ImportRecord[]> {
    return [...this.store.imports.values()]
      .filter(({ job }) => job.snapshot.state === 'settling')
      .map(recordOf);
  }
}

/** Calls that wait in the queue end at once; those that are being made are finished. */
function takeBack(store: MemoryStore, stored: StoredImport): void {
  for (const call of store.calls.values()) {
    if (call.call.importId !== stored.job.snapshot.id || call.state !== 'queued') continue;
    call.state = 'put-back';
    for (const item of stored.items.values())
      if (item.state === 'called' && item.callId === call.call.callId) item.state = 'pending';
  }
}

function recordOf({ job, positions }: StoredImport): ImportRecord {
  return { job, positions };
}

function standingOf(state: StoredItem['state']): ItemTally['standing'] {
  if (state === 'done') return 'got';
  return state === 'gap' || state === 'beyond' ? 'gap' : 'open';
}

/** The events that MemoryStore keeps. */
export class MemoryImportEvents extends ImportEvents {
  constructor(
    private readonly store: MemoryStore,
    /** Events given at once, as of PgImportEvents. */
    private readonly atOnce = 1_000,
  ) {
    super();
  }

  async latest(importIds: readonly string[]): Promise<Map<string, number>> {
    const there = importIds.filter((id) => {
      const state = this.store.imports.get(id)?.job.snapshot.state;
      return state !== undefined && state !== 'deleted';
    });
    return new Map(there.map((id) => [id, this.store.marks.get(id)?.length ?? 0]));
  }

  async since(importId: string, after: number): Promise<ProgressMark[]> {
    return (this.store.marks.get(importId) ?? []).filter(({ seq }) => seq > after).slice(0, this.atOnce);
  }

  recent(importId: string): Promise<ProgressMark[]> {
    return this.since(importId, 0);
  }
}
