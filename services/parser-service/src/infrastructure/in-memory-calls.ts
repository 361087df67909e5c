import { type ImportCounters, NO_COUNTS } from '../domain/import-job';
import { itemsOfGroup, listsOfPerson, subjectKind } from '../domain/import-scope';
import type { Item, ItemKind } from '../domain/items';
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
  type Call,
  CallLedger,
  type CallResult,
  type DispatchBounds,
  type DispatchPlan,
  type KeptAnswer,
  type Lane,
  type LaneView,
  type PutBackOptions,
} from '../domain/ports';
import {
  closePending,
  countFinal,
  keyOf,
  type MemoryStore,
  newItem,
  type StoredCall,
  type StoredImport,
  type StoredItem,
} from './in-memory';

/** Calls and items of the imports in a MemoryStore. */
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

  async dispatch(
    lane: Lane,
    plan: (view: LaneView) => DispatchPlan,
    bounds?: DispatchBounds,
  ): Promise<number> {
    const imports = [...this.store.imports.values()]
      .filter(({ job }) => inLane(job.snapshot, lane))
      .filter((stored) => this.isDispatchable(stored))
      .sort((a, b) => a.turn - b.turn || (a.job.snapshot.id < b.job.snapshot.id ? -1 : 1));
    const open = [...this.store.calls.values()].filter(
      ({ call, state }) => isOpen(state) && inLane(call, lane),
    );
    const isFull = bounds !== undefined && bounds.calls - open.length < bounds.least;
    const { calls, closed } = plan({
      outstanding: open.length,
      unanswered: open.filter(
        ({ state, since }) => state === 'queued' || since > this.store.now() - ANSWERED_AFTER_MS,
      ).length,
      work: isFull ? [] : imports.map((stored) => this.workOf(stored)),
      learned: isFull ? {} : this.learned(lane),
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
    const kept = isOpen(stored.state) ? stored.kept : undefined;
    return { ...stored.call, scope, cursors, items: items.map(asItem), wanted: this.isWanted(stored), kept };
  }

  async keep(callId: string, answer: KeptAnswer): Promise<boolean> {
    const stored = this.store.calls.get(callId);
    if (stored === undefined || !isOpen(stored.state)) return false;
    stored.kept = answer;
    return true;
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
      const isBanned = result.banned?.includes(person) === true;
      Object.assign(found, { state: 'done', detail: isBanned ? 'banned' : null });
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

  async putBack(callId: string, { holdMs, refund }: PutBackOptions): Promise<void> {
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
    for (const stored of stale) {
      const { callId } = stored.call;
      if (stored.kept === undefined) {
        await this.putBack(callId, { holdMs: 0, refund: false });
        continue;
      }
      stored.since = this.store.now();
      this.store.sent.push(callId);
    }
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
    if (scope.refresh !== undefined) return added;
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

const kindOf = (pack: PackKind): ItemKind => ITEMS_OF[pack].item;
const sizeKey = (lane: Lane, kind: PackKind): string => `${lane.workspaceId} ${lane.network} ${kind}`;
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
