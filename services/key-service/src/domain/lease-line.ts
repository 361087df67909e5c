/** One request that waits for a slot. */
export interface Waiting {
  readonly workspaceId: string;
  readonly importId: string;
  /** Requests of one lane are served from the same keys: what one cannot have, none of them can. */
  readonly lane: string;
  /** Calls asked for: a packed call costs 1. */
  readonly cost: number;
  /** Pool clock, ms. */
  readonly deadlineAt: number;
}

interface Flow<W> {
  waiting: W[];
  deficit: number;
}

export interface LineLimits {
  perImport: number;
  perWorkspace: number;
}

/**
 * Who waits for a slot, in bounded lists per workspace and import. `next` deals by deficit round robin: first over
 * workspaces, within one over its imports; a visit adds one call to what an import may take, so that an import which
 * asks for several calls at once gets no more than its neighbours. Only lanes that are open take part.
 */
export class LeaseLine<W extends Waiting> {
  readonly #limits: LineLimits;
  /** Insertion order is the order of the round; the one served goes to the end. */
  readonly #workspaces = new Map<string, Map<string, Flow<W>>>();
  readonly #closedUntil = new Map<string, number>();
  /** How many wait in each lane. */
  readonly #lanes = new Map<string, number>();

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  get size(): number {
    let size = 0;
    for (const waiting of this.#lanes.values()) size += waiting;
    return size;
  }

  /** False when a list is full: nothing was added. */
  add(entry: W): boolean {
    const imports = this.#workspaces.get(entry.workspaceId) ?? new Map<string, Flow<W>>();
    const flow = imports.get(entry.importId) ?? { waiting: [], deficit: 0 };
    let ofWorkspace = 0;
    for (const other of imports.values()) ofWorkspace += other.waiting.length;
    if (flow.waiting.length >= this.#limits.perImport || ofWorkspace >= this.#limits.perWorkspace)
      return false;
    flow.waiting.push(entry);
    imports.set(entry.importId, flow);
    this.#workspaces.set(entry.workspaceId, imports);
    this.#count(entry.lane, 1);
    return true;
  }

  /** True when a request of this lane must wait behind others or for a slot. */
  isBusy(lane: string, now: number): boolean {
    return (this.#closedUntil.get(lane) ?? 0) > now || this.#lanes.has(lane);
  }

  /** Nothing of this lane is dealt before that time. */
  close(lane: string, until: number): void {
    this.#closedUntil.set(lane, until);
  }

  closedUntil(lane: string): number | undefined {
    return this.#closedUntil.get(lane);
  }

  /** Slots may have become free before their time: every lane is tried again. */
  openAll(): void {
    this.#closedUntil.clear();
  }

  /** Takes out the next request whose lane is open. */
  next(now: number): W | undefined {
    for (const [workspaceId, imports] of [...this.#workspaces]) {
      const entry = this.#nextOf(imports, now);
      if (entry === undefined) continue;
      this.#workspaces.delete(workspaceId);
      if (imports.size > 0) this.#workspaces.set(workspaceId, imports);
      this.#count(entry.lane, -1);
      return entry;
    }
    return undefined;
  }

  /** Puts a request back at the head of its list: its slot was not to be had after all. */
  putBack(entry: W): void {
    const imports = this.#workspaces.get(entry.workspaceId) ?? new Map<string, Flow<W>>();
    const flow = imports.get(entry.importId) ?? { waiting: [], deficit: 0 };
    flow.waiting.unshift(entry);
    flow.deficit += entry.cost;
    imports.set(entry.importId, flow);
    this.#workspaces.set(entry.workspaceId, imports);
    this.#count(entry.lane, 1);
  }

  /** Takes out every request whose deadline is over. */
  expired(now: number): W[] {
    const gone: W[] = [];
    for (const [workspaceId, imports] of [...this.#workspaces]) {
      for (const [importId, flow] of [...imports]) {
        gone.push(...flow.waiting.filter((entry) => entry.deadlineAt <= now));
        flow.waiting = flow.waiting.filter((entry) => entry.deadlineAt > now);
        if (flow.waiting.length === 0) imports.delete(importId);
      }
      if (imports.size === 0) this.#workspaces.delete(workspaceId);
    }
    for (const entry of gone) this.#count(entry.lane, -1);
    return gone;
  }

  /** When something is to be done next: a lane opens or a deadline ends. Undefined when nobody waits. */
  nextEventAt(): number | undefined {
    let at: number | undefined;
    for (const entry of this.#entries()) {
      const soonest = Math.min(entry.deadlineAt, this.#closedUntil.get(entry.lane) ?? 0);
      if (at === undefined || soonest < at) at = soonest;
    }
    return at;
  }

  #nextOf(imports: Map<string, Flow<W>>, now: number): W | undefined {
    const open = [...imports].filter(([, flow]) => this.#isOpen(flow, now));
    if (open.length === 0) return undefined;
    for (;;) {
      for (const [importId, flow] of open) {
        const head = flow.waiting[0] as W;
        flow.deficit += 1;
        if (flow.deficit < head.cost) continue;
        flow.deficit -= head.cost;
        flow.waiting.shift();
        imports.delete(importId);
        if (flow.waiting.length > 0) imports.set(importId, flow);
        return head;
      }
    }
  }

  #isOpen(flow: Flow<W>, now: number): boolean {
    const head = flow.waiting[0];
    return head !== undefined && (this.#closedUntil.get(head.lane) ?? 0) <= now;
  }

  #count(lane: string, by: number): void {
    const waiting = (this.#lanes.get(lane) ?? 0) + by;
    if (waiting === 0) this.#lanes.delete(lane);
    else this.#lanes.set(lane, waiting);
  }

  *#entries(): Generator<W> {
    for (const imports of this.#workspaces.values()) {
      for (const flow of imports.values()) yield* flow.waiting;
    }
  }
}
