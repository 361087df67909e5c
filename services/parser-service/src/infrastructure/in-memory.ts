import { Secret } from '@sociograph/kernel';
import type { ItemTally } from '../domain/certificate';
import type { Act } from '../domain/audit';
import { tooManyRunning } from '../domain/errors';
import { ImportJob, type ImportCounters, NO_COUNTS, type Reopened } from '../domain/import-job';
import type { GapCause, Item, ItemKind } from '../domain/items';
import { firstItems, itemsOfGroup, listsOfPerson, subjectKind } from '../domain/import-scope';
import type { LogPositions, Observation, Sighting } from '../domain/observation';
import {
  ANSWERED_AFTER_MS,
  grown,
  ITEMS_OF,
  LEADING,
  PACK_KINDS,
  type PackKind,
  type PackSize,
  type PendingWork,
  shrunk,
} from '../domain/packing';
import {
  AnswerFaults,
  type Call,
  type CallFindings,
  CallLedger,
  type CallResult,
  DeadRecords,
  type DispatchPlan,
  ImportEvents,
  type ImportFilter,
  Imports,
  type ImportRecord,
  KeyPool,
  type Lane,
  type LaneView,
  type Lease,
  type LeaseRequest,
  type LeaseVerdict,
  type NetworkRequest,
  ObservationLog,
  Pause,
  type SendOutcome,
  ViewProgress,
} from '../domain/ports';
import type { ProgressMark } from '../domain/progress';

interface StoredItem {
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

interface StoredCall {
  call: Omit<Call, 'wanted' | 'items' | 'scope' | 'cursors'>;
  state: 'queued' | 'running' | 'done' | 'put-back' | 'split';
  since: number;
}

interface StoredImport {
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
  readonly audited: { action: string; importId: string; actor: string }[] = [];
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
    if (act !== undefined) this.audited.push({ action: act.action, importId, actor: act.actor.id });
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

const keyOf = (kind: ItemKind, person: string): string => `${kind} ${person}`;
const kindOf = (pack: PackKind): ItemKind => ITEMS_OF[pack].item;
const sizeKey = (lane: Lane, kind: PackKind): string => `${lane.workspaceId} ${lane.network} ${kind}`;

function newItem(kind: ItemKind, person: string, depth: number): StoredItem {
  return { kind, person, depth, state: 'pending', attempts: 0, keyFaults: 0, long: false, readyAt: 0 };
}

/** Open items become gaps; what that adds to the counters. */
function closePending(stored: StoredImport, cause: GapCause): Partial<ImportCounters> {
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
function countFinal(gained: ImportCounters, { kind, state, retried }: StoredItem): void {
  const of = kind === 'profile' ? 'people' : 'lists';
  if (retried === true) gained[`${of}Retrying`] -= 1;
  else gained[`${of}Done`] += 1;
  if (state === 'gap') gained[`${of}Gaps`] += 1;
}

export class MemoryImports extends Imports {
  constructor(private readonly store: MemoryStore) {
    super();
  }

  async add(job: ImportJob, act?: Act): Promise<void> {
    this.store.admit(job.snapshot.workspaceId, job.snapshot.id);
    const stored: StoredImport = { job, positions: {}, items: new Map(), holdUntil: 0, turn: 0 };
    const { seeds, scope, depth } = job.snapshot;
    for (const { kind, person } of firstItems(seeds, scope, depth)) {
      stored.items.set(keyOf(kind, person), newItem(kind, person, 0));
    }
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
      const cause = standing === 'gap' ? (item.cause ?? null) : null;
      const key = `${item.kind} ${standing} ${cause}`;
      const detail = standing === 'gap' ? (item.detail ?? null) : null;
      const empty = { kind: item.kind, standing, cause, detail: null, count: 0, people: [] };
      const before = groups.get(key) ?? empty;
      const named = standing === 'gap' && before.people.length < peopleEach;
      groups.set(key, {
        ...before,
        detail: before.detail === null || (detail !== null && detail < before.detail) ? detail : before.detail,
        count: before.count + 1,
        people: named ? [...before.people, item.person] : before.people,
      });
    }
    return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, tally]) => tally);
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

export class MemoryCallLedger extends CallLedger {
  constructor(private readonly store: MemoryStore) {
    super();
  }

  async lanes(): Promise<Lane[]> {
    const lanes = new Map<string, Lane>();
    for (const stored of this.store.imports.values()) {
      if (!this.isDispatchable(stored)) continue;
      const { workspaceId, network } = stored.job.snapshot;
      lanes.set(`${workspaceId} ${network}`, { workspaceId, network });
    }
    return [...lanes.values()];
  }

  async dispatch(lane: Lane, plan: (view: LaneView) => DispatchPlan): Promise<number> {
    const imports = [...this.store.imports.values()]
      .filter(({ job }) => inLane(job.snapshot, lane))
      .filter((stored) => this.isDispatchable(stored))
      .sort((a, b) => a.turn - b.turn || (a.job.snapshot.id < b.job.snapshot.id ? -1 : 1));
    const open = [...this.store.calls.values()].filter(
      ({ call, state }) => isOpen(state) && inLane(call, lane),
    );
    const { calls, closed } = plan({
      outstanding: open.length,
      unanswered: open.filter(
        ({ state, since }) => state === 'queued' || since > this.store.now() - ANSWERED_AFTER_MS,
      ).length,
      work: imports.map((stored) => this.workOf(stored)),
      learned: this.learned(lane),
    });
    let dispatched = 0;
    for (const { callId, pack } of calls) {
      const stored = this.store.imports.get(pack.importId);
      if (stored === undefined) continue;
      const items = this.ready(stored, pack.kind).slice(0, pack.size);
      if (items.length === 0) continue;
      for (const item of items) Object.assign(item, { state: 'called', callId });
      const people = items.map(({ person }) => person);
      this.queue({ callId, importId: pack.importId, ...lane, kind: pack.kind, people, splits: 0 });
      stored.turn = this.store.turns += 1;
      dispatched += 1;
    }
    for (const importId of closed) {
      const stored = this.store.imports.get(importId);
      if (stored === undefined) continue;
      this.store.save(stored, stored.job.absorb(closePending(stored, 'limit-reached'), this.store.now()));
    }
    return dispatched;
  }

  async find(callId: string): Promise<Call | undefined> {
    const stored = this.store.calls.get(callId);
    const job = stored === undefined ? undefined : this.store.imports.get(stored.call.importId)?.job;
    if (stored === undefined || job === undefined) return undefined;
    const items = this.itemsOf(stored);
    const cursors = Object.fromEntries(
      items.flatMap(({ person, cursor }) => (cursor === undefined ? [] : [[person, cursor]])),
    );
    const { scope } = job.snapshot;
    return { ...stored.call, scope, cursors, items: items.map(asItem), wanted: this.isWanted(stored) };
  }

  async begin(callId: string): Promise<Item[]> {
    const stored = this.store.calls.get(callId);
    if (stored === undefined || !isOpen(stored.state)) return [];
    Object.assign(stored, { state: 'running', since: this.store.now() });
    return this.itemsOf(stored).map((item) => {
      item.attempts += 1;
      return asItem(item);
    });
  }

  async finish(callId: string, result: CallResult): Promise<boolean> {
    const call = this.store.calls.get(callId);
    const stored = call === undefined ? undefined : this.store.imports.get(call.call.importId);
    if (call === undefined || stored === undefined || !isOpen(call.state)) return false;
    const kind = kindOf(call.call.kind);
    const item = (person: string): StoredItem | undefined => {
      const found = stored.items.get(keyOf(kind, person));
      return found?.state === 'called' && found.callId === callId ? found : undefined;
    };
    const final: ImportCounters = { ...NO_COUNTS };
    for (const person of result.done) {
      const found = item(person);
      if (found === undefined) continue;
      Object.assign(found, { state: 'done', detail: null });
      delete found.cursor;
      countFinal(final, found);
    }
    const ended = !stored.job.grows;
    const gapItems = [...result.gaps, ...(ended ? withdrawn(result) : [])];
    for (const { person, cause, detail } of gapItems) {
      const found = item(person);
      if (found === undefined) continue;
      Object.assign(found, { state: 'gap', cause, detail });
      delete found.cursor;
      countFinal(final, found);
    }
    for (const { person, readyInMs, refund, cause } of result.again) {
      const found = item(person);
      if (found === undefined) continue;
      Object.assign(found, { state: 'pending', readyAt: this.store.now() + readyInMs, detail: cause });
      if (!refund) continue;
      found.attempts -= 1;
      found.keyFaults += 1;
    }
    for (const person of result.long) {
      const found = item(person);
      if (found !== undefined) Object.assign(found, { state: 'pending', long: true, attempts: 0 });
    }
    for (const { person, cursor } of result.more) {
      const found = item(person);
      if (found !== undefined) Object.assign(found, { state: 'pending', cursor, attempts: 0 });
    }
    call.state = 'done';
    const { fitted } = result;
    if (fitted !== undefined)
      this.learn(call.call, (learned) => grown(fitted, learned, call.call.people.length));
    const added = ended
      ? { peopleKnown: 0, peopleBeyond: 0, listsKnown: 0 }
      : this.addFound(stored, result.found);
    for (const [topic, partitions] of Object.entries(result.positions)) {
      const into = (stored.positions[topic] ??= {});
      for (const [partition, next] of Object.entries(partitions)) {
        into[partition] = Math.max(into[partition] ?? 0, next);
      }
    }
    const gained = {
      ...final,
      ...added,
      callsMade: 1,
      friendshipObservations: result.friendshipObservations,
    };
    this.store.save(stored, stored.job.absorb(gained, this.store.now()));
    return true;
  }

  async putBack(callId: string, { holdMs, refund }: { holdMs: number; refund: boolean }): Promise<void> {
    const call = this.store.calls.get(callId);
    const stored = call === undefined ? undefined : this.store.imports.get(call.call.importId);
    if (call === undefined || stored === undefined || !isOpen(call.state)) return;
    for (const item of this.itemsOf(call)) {
      item.state = 'pending';
      if (refund) item.attempts -= 1;
    }
    call.state = 'put-back';
    if (holdMs > 0) stored.holdUntil = Math.max(stored.holdUntil, this.store.now() + holdMs);
    if (!stored.job.grows)
      this.store.save(stored, stored.job.absorb(closePending(stored, 'withdrawn'), this.store.now()));
  }

  async split(callId: string, parts: readonly string[], tooMuch?: PackSize): Promise<void> {
    const call = this.store.calls.get(callId);
    const stored = call === undefined ? undefined : this.store.imports.get(call.call.importId);
    if (call === undefined || stored === undefined || !isOpen(call.state)) return;
    const items = this.itemsOf(call);
    call.state = 'split';
    const begins = (part: number): number => Math.ceil((items.length * part) / parts.length);
    parts.forEach((partId, part) => {
      const share = items.slice(begins(part), begins(part + 1));
      if (share.length === 0) return;
      for (const item of share) Object.assign(item, { callId: partId, attempts: item.attempts - 1 });
      const splits = call.call.splits + (tooMuch === undefined ? 0 : 1);
      this.queue({ ...call.call, callId: partId, splits, people: share.map(({ person }) => person) });
    });
    if (tooMuch !== undefined)
      this.learn(call.call, (learned) => shrunk(tooMuch, learned, call.call.people.length));
    this.store.save(stored, stored.job.absorb({ callsMade: 1 }, this.store.now()));
  }

  async reviveStale(olderThanMs: number): Promise<number> {
    const stale = [...this.store.calls.values()].filter(
      ({ state, since }) => isOpen(state) && since < this.store.now() - olderThanMs,
    );
    for (const { call } of stale) await this.putBack(call.callId, { holdMs: 0, refund: false });
    return stale.length;
  }

  private learned(lane: Lane): Partial<Record<PackKind, number>> {
    const sizes = PACK_KINDS.map((kind) => [kind, this.store.sizes.get(sizeKey(lane, kind))] as const);
    return Object.fromEntries(sizes.filter(([, size]) => size !== undefined));
  }

  private learn(call: StoredCall['call'], next: (learned?: number) => number): void {
    const key = sizeKey(call, call.kind);
    this.store.sizes.set(key, next(this.store.sizes.get(key)));
  }

  private queue(call: StoredCall['call']): void {
    this.store.calls.set(call.callId, { call, state: 'queued', since: this.store.now() });
    this.store.sent.push(call.callId);
  }

  private isWanted({ call, state }: StoredCall): boolean {
    return isOpen(state) && this.store.imports.get(call.importId)?.job.snapshot.state === 'running';
  }

  private isDispatchable(stored: StoredImport): boolean {
    return (
      stored.job.snapshot.state === 'running' &&
      stored.holdUntil <= this.store.now() &&
      [...stored.items.values()].some(
        ({ state, readyAt }) => state === 'pending' && readyAt <= this.store.now(),
      )
    );
  }

  private itemsOf({ call }: StoredCall): StoredItem[] {
    const items = this.store.imports.get(call.importId)?.items;
    return call.people
      .map((person) => items?.get(keyOf(kindOf(call.kind), person)))
      .filter((item): item is StoredItem => item?.state === 'called' && item.callId === call.callId);
  }

  /** Items that a pack of this kind may take now; with a bounded depth only the lists of the nearest open distance. */
  private ready(stored: StoredImport, pack: PackKind): StoredItem[] {
    const items = [...stored.items.values()];
    const leading = items.filter((item) => LEADING.includes(item.kind) && isOpenItem(item));
    const nearest = Math.min(...leading.map(({ depth }) => depth));
    const { item: kind, long } = ITEMS_OF[pack];
    const farthest = stored.job.snapshot.depth === null || kind !== 'friends' ? Infinity : nearest;
    return items
      .filter((item) => item.kind === kind && item.long === long && item.depth <= farthest)
      .filter((item) => item.state === 'pending' && item.readyAt <= this.store.now())
      .sort((a, b) => a.depth - b.depth);
  }

  private workOf(stored: StoredImport): PendingWork {
    const { id, depth, callsLimit, counters } = stored.job.snapshot;
    const calls = [...this.store.calls.values()].filter(
      ({ call, state }) => call.importId === id && isOpen(state),
    );
    const items = [...stored.items.values()].filter(isOpenItem);
    const ready = PACK_KINDS.map((kind) => [kind, this.ready(stored, kind).length] as const);
    return {
      importId: id,
      ready: Object.fromEntries(ready.filter(([, count]) => count > 0)),
      open: [...new Set(items.map(({ kind }) => kind))],
      called: [...new Set(items.filter(({ state }) => state === 'called').map(({ kind }) => kind))],
      bounded: depth !== null,
      callsLeft: callsLimit === null ? null : Math.max(0, callsLimit - counters.callsMade - calls.length),
      inFlight: calls.length,
    };
  }

  private addFound(stored: StoredImport, found: CallResult['found']): Partial<ImportCounters> {
    const added = { peopleKnown: 0, peopleBeyond: 0, listsKnown: 0 };
    const { scope } = stored.job.snapshot;
    const put = (kind: ItemKind, person: string, depth: number): void => {
      if (stored.items.has(keyOf(kind, person))) return;
      stored.items.set(keyOf(kind, person), newItem(kind, person, depth));
      if (kind !== 'profile') added.listsKnown += 1;
    };
    let room = stored.job.roomForPeople ?? Infinity;
    for (const { person, depth } of found) {
      if (subjectKind(person) === 'group') {
        for (const kind of itemsOfGroup(scope, depth)) put(kind, person, depth);
        continue;
      }
      if (stored.items.has(keyOf('profile', person))) continue;
      put('profile', person, depth);
      if (room <= 0) {
        const item = stored.items.get(keyOf('profile', person));
        Object.assign(item ?? {}, { state: 'beyond', cause: 'limit-reached' });
        added.peopleBeyond += 1;
        continue;
      }
      room -= 1;
      added.peopleKnown += 1;
      if (!stored.job.fetchesListAt(depth)) continue;
      for (const kind of listsOfPerson(scope)) put(kind, person, depth);
    }
    return added;
  }
}

/** What would be open again in an import that ended. */
function withdrawn({ again, long, more }: CallResult): CallResult['gaps'] {
  const cause = 'withdrawn' as const;
  return [
    ...again.map((one) => ({ person: one.person, cause, detail: one.cause })),
    ...[...long, ...more.map(({ person }) => person)].map((person) => ({ person, cause, detail: null })),
  ];
}

const asItem = ({ person, depth, attempts, keyFaults }: StoredItem): Item => ({
  person,
  depth,
  attempts,
  keyFaults,
});
const inLane = (of: Lane, lane: Lane): boolean =>
  of.workspaceId === lane.workspaceId && of.network === lane.network;
const isOpen = (state: StoredCall['state']): boolean => state === 'queued' || state === 'running';
const isOpenItem = ({ state }: StoredItem): boolean => state === 'pending' || state === 'called';

/** The events that MemoryStore keeps. */
export class MemoryImportEvents extends ImportEvents {
  constructor(private readonly store: MemoryStore) {
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
    return (this.store.marks.get(importId) ?? []).filter(({ seq }) => seq > after);
  }

  recent(importId: string): Promise<ProgressMark[]> {
    return this.since(importId, 0);
  }
}

/** Nothing was dead-lettered, unless a spec says how reading it fails. */
export class MemoryDeadRecords extends DeadRecords {
  sweeps = 0;
  failure: Error | undefined;

  async sweep(): Promise<void> {
    this.sweeps += 1;
    if (this.failure !== undefined) throw this.failure;
  }
}

/** A pool whose verdicts and answers a spec lines up; without any it grants, and nothing answers. */
export class MemoryKeyPool extends KeyPool {
  readonly verdicts: LeaseVerdict[] = [];
  readonly answers: SendOutcome[] = [];
  readonly asked: LeaseRequest[] = [];
  readonly requests: NetworkRequest[] = [];
  readonly settled: { leaseId: string; outcome: SendOutcome['kind']; findings: CallFindings }[] = [];
  rate = 3;
  private leases = 0;

  async acquire(request: LeaseRequest): Promise<LeaseVerdict> {
    this.asked.push(request);
    this.leases += 1;
    const lease = { leaseId: `lease-${this.leases}`, keyId: 'key-1', fence: this.leases };
    return this.verdicts.shift() ?? { kind: 'granted', lease };
  }

  async send(_lease: Lease, authorize: (token: Secret) => NetworkRequest): Promise<SendOutcome> {
    this.requests.push(authorize(new Secret('token-1')));
    return this.answers.shift() ?? { kind: 'broken', cause: 'no answer lined up' };
  }

  async settle(lease: Lease, outcome: SendOutcome, { failure, errors, made }: CallFindings): Promise<void> {
    const findings = failure === undefined ? { errors, made } : { failure, errors, made };
    this.settled.push({ leaseId: lease.leaseId, outcome: outcome.kind, findings });
  }

  async callsPerSecond(): Promise<number> {
    return this.rate;
  }
}

/** One log with one partition: the next position is the number of observations. */
export class MemoryObservationLog extends ObservationLog {
  readonly seen: { sighting: Sighting; observation: Observation }[] = [];
  readonly failures: Error[] = [];

  async publish(sighting: Sighting, observations: readonly Observation[]): Promise<LogPositions> {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    for (const observation of observations) this.seen.push({ sighting, observation });
    return { log: { '0': this.seen.length } };
  }
}

/** Views that have applied the log up to a position. */
export class MemoryViewProgress extends ViewProgress {
  applied = 0;

  reached(positions: LogPositions): boolean {
    return this.behind(positions) === 0;
  }

  behind(positions: LogPositions): number {
    return Math.max(0, (positions['log']?.['0'] ?? 0) - this.applied);
  }
}

/** Notes what it is told. */
export class MemoryAnswerFaults extends AnswerFaults {
  readonly noted: { network: string; kind: PackKind; path: string }[] = [];

  note(network: string, kind: PackKind, path: string): void {
    this.noted.push({ network, kind, path });
  }
}

/** Time passes at once; the waits are noted. */
export class MemoryPause extends Pause {
  readonly waits: number[] = [];

  async ms(duration: number): Promise<void> {
    this.waits.push(duration);
  }
}
