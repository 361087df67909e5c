import { Secret } from '@sociograph/kernel';
import type { ItemTally } from '../domain/certificate';
import { ImportJob, type ImportCounters } from '../domain/import-job';
import type { GapCause, Item, ItemKind } from '../domain/items';
import type { LogPositions, Observation, Sighting } from '../domain/observation';
import { ANSWERED_AFTER_MS, type PackKind, type PendingWork } from '../domain/packing';
import {
  type Call,
  type CallFindings,
  CallLedger,
  type CallResult,
  type DispatchPlan,
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
  cause?: GapCause;
}

interface StoredCall {
  call: Omit<Call, 'wanted' | 'items'>;
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
  turns = 0;

  constructor(readonly now: () => number) {}

  save(stored: StoredImport, job: ImportJob): void {
    if (job.snapshot.state !== stored.job.snapshot.state) this.announced.push(job.snapshot.state);
    stored.job = job;
    if (job.snapshot.state === 'cancelled') closePending(stored, 'withdrawn');
  }
}

const keyOf = (kind: ItemKind, person: string): string => `${kind} ${person}`;
const kindOf = (pack: PackKind): ItemKind => (pack === 'profiles' ? 'profile' : 'friends');

function newItem(kind: ItemKind, person: string, depth: number): StoredItem {
  return { kind, person, depth, state: 'pending', attempts: 0, keyFaults: 0, long: false, readyAt: 0 };
}

/** Open items become gaps; returns how many of each kind. */
function closePending(stored: StoredImport, cause: GapCause): { people: number; lists: number } {
  const closed = { people: 0, lists: 0 };
  for (const item of stored.items.values()) {
    if (item.state !== 'pending') continue;
    item.state = 'gap';
    item.cause = cause;
    if (item.kind === 'profile') closed.people += 1;
    else closed.lists += 1;
  }
  return closed;
}

const gapsOf = (closed: { people: number; lists: number }): Partial<ImportCounters> => ({
  peopleDone: closed.people,
  peopleGaps: closed.people,
  listsDone: closed.lists,
  listsGaps: closed.lists,
});

export class MemoryImports extends Imports {
  constructor(private readonly store: MemoryStore) {
    super();
  }

  async add(job: ImportJob): Promise<void> {
    const stored: StoredImport = { job, positions: {}, items: new Map(), holdUntil: 0, turn: 0 };
    for (const seed of job.snapshot.seeds) {
      stored.items.set(keyOf('profile', seed), newItem('profile', seed, 0));
      if (job.fetchesListAt(0)) stored.items.set(keyOf('friends', seed), newItem('friends', seed, 0));
    }
    this.store.imports.set(job.snapshot.id, stored);
    this.store.announced.push(job.snapshot.state);
  }

  async find(workspaceId: string, importId: string): Promise<ImportRecord | undefined> {
    const stored = this.store.imports.get(importId);
    return stored?.job.snapshot.workspaceId === workspaceId ? recordOf(stored) : undefined;
  }

  async page(workspaceId: string, limit: number, after?: string): Promise<ImportRecord[]> {
    return [...this.store.imports.values()]
      .filter(({ job }) => job.snapshot.workspaceId === workspaceId)
      .filter(({ job }) => after === undefined || job.snapshot.id < after)
      .sort((a, b) => (a.job.snapshot.id < b.job.snapshot.id ? 1 : -1))
      .slice(0, limit)
      .map(recordOf);
  }

  async change(workspaceId: string, importId: string, step: (job: ImportJob) => ImportJob) {
    const stored = this.store.imports.get(importId);
    if (stored?.job.snapshot.workspaceId !== workspaceId) return undefined;
    this.store.save(stored, step(stored.job));
    return recordOf(stored);
  }

  async tally(workspaceId: string, importId: string, peopleEach: number): Promise<ItemTally[]> {
    const stored = this.store.imports.get(importId);
    if (stored?.job.snapshot.workspaceId !== workspaceId) return [];
    const groups = new Map<string, ItemTally & { people: string[] }>();
    const items = [...stored.items.values()].sort((a, b) => (a.person < b.person ? -1 : 1));
    for (const item of items) {
      const standing = standingOf(item.state);
      const cause = standing === 'gap' ? (item.cause ?? null) : null;
      const key = `${item.kind} ${standing} ${cause}`;
      const before = groups.get(key) ?? { kind: item.kind, standing, cause, count: 0, people: [] };
      const named = standing === 'gap' && before.people.length < peopleEach;
      groups.set(key, {
        ...before,
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
    });
    let dispatched = 0;
    for (const { callId, pack } of calls) {
      const stored = this.store.imports.get(pack.importId);
      if (stored === undefined) continue;
      const items = this.ready(stored, pack.kind).slice(0, pack.size);
      if (items.length === 0) continue;
      for (const item of items) Object.assign(item, { state: 'called', callId });
      const people = items.map(({ person }) => person);
      this.queue({ callId, importId: pack.importId, ...lane, kind: pack.kind, people });
      stored.turn = this.store.turns += 1;
      dispatched += 1;
    }
    for (const importId of closed) {
      const stored = this.store.imports.get(importId);
      if (stored === undefined) continue;
      const gaps = gapsOf(closePending(stored, 'limit-reached'));
      this.store.save(stored, stored.job.absorb(gaps, this.store.now()));
    }
    return dispatched;
  }

  async find(callId: string): Promise<Call | undefined> {
    const stored = this.store.calls.get(callId);
    return stored === undefined
      ? undefined
      : { ...stored.call, items: this.itemsOf(stored).map(asItem), wanted: this.isWanted(stored) };
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
    let done = 0;
    let gaps = 0;
    for (const person of result.done) {
      const found = item(person);
      if (found === undefined) continue;
      found.state = 'done';
      done += 1;
    }
    const ended = !stored.job.grows;
    const gapItems = [
      ...result.gaps,
      ...(ended ? [...result.again.map(({ person }) => person), ...result.long] : []).map((person) => ({
        person,
        cause: 'withdrawn' as const,
      })),
    ];
    for (const { person, cause } of gapItems) {
      const found = item(person);
      if (found === undefined) continue;
      Object.assign(found, { state: 'gap', cause });
      gaps += 1;
    }
    for (const { person, readyInMs, refund } of result.again) {
      const found = item(person);
      if (found === undefined) continue;
      Object.assign(found, { state: 'pending', readyAt: this.store.now() + readyInMs });
      if (!refund) continue;
      found.attempts -= 1;
      found.keyFaults += 1;
    }
    for (const person of result.long) {
      const found = item(person);
      if (found !== undefined) Object.assign(found, { state: 'pending', long: true, attempts: 0 });
    }
    call.state = 'done';
    const added = ended
      ? { peopleKnown: 0, peopleBeyond: 0, listsKnown: 0 }
      : this.addFound(stored, result.found);
    for (const [topic, partitions] of Object.entries(result.positions)) {
      const into = (stored.positions[topic] ??= {});
      for (const [partition, next] of Object.entries(partitions)) {
        into[partition] = Math.max(into[partition] ?? 0, next);
      }
    }
    const final = done + gaps;
    const counted =
      kind === 'profile' ? { peopleDone: final, peopleGaps: gaps } : { listsDone: final, listsGaps: gaps };
    const gained = {
      ...counted,
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
    if (holdMs > 0) stored.holdUntil = this.store.now() + holdMs;
    if (!stored.job.grows) closePending(stored, 'withdrawn');
  }

  async split(callId: string, halves: readonly [string, string]): Promise<void> {
    const call = this.store.calls.get(callId);
    const stored = call === undefined ? undefined : this.store.imports.get(call.call.importId);
    if (call === undefined || stored === undefined || !isOpen(call.state)) return;
    const items = this.itemsOf(call);
    call.state = 'split';
    const middle = Math.ceil(items.length / 2);
    [items.slice(0, middle), items.slice(middle)].forEach((half, index) => {
      const halfId = halves[index] ?? '';
      for (const item of half) Object.assign(item, { callId: halfId, attempts: item.attempts - 1 });
      this.queue({ ...call.call, callId: halfId, people: half.map(({ person }) => person) });
    });
    this.store.save(stored, stored.job.absorb({ callsMade: 1 }, this.store.now()));
  }

  async reviveStale(olderThanMs: number): Promise<number> {
    const stale = [...this.store.calls.values()].filter(
      ({ state, since }) => isOpen(state) && since < this.store.now() - olderThanMs,
    );
    for (const { call } of stale) await this.putBack(call.callId, { holdMs: 0, refund: false });
    return stale.length;
  }

  private queue(call: Omit<Call, 'wanted' | 'items'>): void {
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

  /** Items of a kind that may go now; with a bounded depth only the lists of the nearest open distance. */
  private ready(stored: StoredImport, kind: PackKind): StoredItem[] {
    const items = [...stored.items.values()];
    const openLists = items.filter((item) => item.kind === 'friends' && isOpenItem(item));
    const nearest = Math.min(...openLists.map(({ depth }) => depth));
    const farthest = stored.job.snapshot.depth === null ? Infinity : nearest;
    return items
      .filter((item) => item.state === 'pending' && item.readyAt <= this.store.now())
      .filter((item) => item.kind === kindOf(kind))
      .filter(
        (item) => kind === 'profiles' || (item.depth <= farthest && item.long === (kind === 'long-list')),
      )
      .sort((a, b) => a.depth - b.depth);
  }

  private workOf(stored: StoredImport): PendingWork {
    const { id, depth, callsLimit, counters } = stored.job.snapshot;
    const open = [...this.store.calls.values()].filter(
      ({ call, state }) => call.importId === id && isOpen(state),
    );
    const lists = [...stored.items.values()].filter((item) => item.kind === 'friends' && isOpenItem(item));
    return {
      importId: id,
      lists: this.ready(stored, 'lists').length,
      listsMayGrow: depth === null && lists.some(({ state }) => state === 'called'),
      longLists: this.ready(stored, 'long-list').length,
      profiles: this.ready(stored, 'profiles').length,
      profilesMayGrow: lists.length > 0,
      callsLeft: callsLimit === null ? null : Math.max(0, callsLimit - counters.callsMade - open.length),
      inFlight: open.length,
    };
  }

  private addFound(stored: StoredImport, found: CallResult['found']): Partial<ImportCounters> {
    const added = { peopleKnown: 0, peopleBeyond: 0, listsKnown: 0 };
    let room = stored.job.roomForPeople ?? Infinity;
    for (const { person, depth } of found) {
      if (stored.items.has(keyOf('profile', person))) continue;
      const item = newItem('profile', person, depth);
      stored.items.set(keyOf('profile', person), item);
      if (room <= 0) {
        Object.assign(item, { state: 'beyond', cause: 'limit-reached' });
        added.peopleBeyond += 1;
        continue;
      }
      room -= 1;
      added.peopleKnown += 1;
      if (!stored.job.fetchesListAt(depth)) continue;
      stored.items.set(keyOf('friends', person), newItem('friends', person, depth));
      added.listsKnown += 1;
    }
    return added;
  }
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
    return (positions['log']?.['0'] ?? 0) <= this.applied;
  }
}

/** Time passes at once; the waits are noted. */
export class MemoryPause extends Pause {
  readonly waits: number[] = [];

  async ms(duration: number): Promise<void> {
    this.waits.push(duration);
  }
}
