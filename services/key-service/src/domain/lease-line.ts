/** One request that waits for a slot. */
export interface Waiting {
  readonly workspaceId: string;
  readonly importId: string;
  /** Requests of one lane are served from the same keys: what one cannot have, none of them can. */
  readonly lane: string;
  /** Requests of one group may be dealt to in one step. */
  readonly group: string;
  /** Pool clock, ms. */
  readonly deadlineAt: number;
}

export interface LineLimits {
  perImport: number;
  perWorkspace: number;
}

type Imports<W> = Map<string, W[]>;

/**
 * Who waits for a slot, in bounded lists per workspace and import. It offers the heads of its lists, as many imports
 * and workspaces at a time as are asked for; which of them is served is decided where their shares are counted. What
 * was offered stays counted as waiting until it is `done` or put back.
 */
export class LeaseLine<W extends Waiting> {
  readonly #limits: LineLimits;
  /** Insertion order is the order of the offers; who was served goes to the end. */
  readonly #workspaces = new Map<string, Imports<W>>();
  readonly #closedUntil = new Map<string, number>();
  /** How many wait in each lane. */
  readonly #lanes = new Map<string, number>();
  /** No deadline lies before: deadlines of those who left early are found out when it has come. */
  #soonestDeadline = Infinity;
  #size = 0;
  /** In which order they came: several are offered at once, and come back in any. */
  readonly #numbers = new WeakMap<W, number>();
  #added = 0;

  constructor(limits: LineLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** False when a list is full: nothing was added. */
  add(entry: W): boolean {
    const imports = this.#workspaces.get(entry.workspaceId) ?? new Map<string, W[]>();
    const waiting = imports.get(entry.importId) ?? [];
    let ofWorkspace = 0;
    for (const other of imports.values()) ofWorkspace += other.length;
    if (waiting.length >= this.#limits.perImport || ofWorkspace >= this.#limits.perWorkspace) return false;
    waiting.push(entry);
    this.#numbers.set(entry, (this.#added += 1));
    imports.set(entry.importId, waiting);
    this.#workspaces.set(entry.workspaceId, imports);
    this.#count(entry.lane, 1);
    this.#soonestDeadline = Math.min(this.#soonestDeadline, entry.deadlineAt);
    return true;
  }

  /** True when a request of this lane must wait behind others or for a slot. */
  isBusy(lane: string, now: number): boolean {
    return (this.#closedUntil.get(lane) ?? 0) > now || this.#lanes.has(lane);
  }

  /** Nothing of this lane is offered before that time. */
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

  /**
   * Takes out the heads of at most `most` lists whose lane is open, all of one group: one of each workspace, then a
   * second import of each, and so on.
   */
  heads(now: number, most: number): W[] {
    const taken: W[] = [];
    let depth = 0;
    for (let found = true; found && taken.length < most; depth += 1) {
      found = false;
      for (const imports of this.#workspaces.values()) {
        const flow = this.#openFlow(imports, now, depth, taken[0]?.group);
        if (flow === undefined) continue;
        found = true;
        taken.push(flow[0] as W);
        if (taken.length === most) break;
      }
    }
    for (const entry of taken) this.#listOf(entry)?.shift();
    return taken;
  }

  /** True when other requests of its import wait that are not being offered. */
  hasMore(entry: W): boolean {
    return (this.#listOf(entry)?.length ?? 0) > 0;
  }

  /** An offered request got its answer; its import and workspace go to the end of the round. */
  done(entry: W): void {
    this.#count(entry.lane, -1);
    const imports = this.#workspaces.get(entry.workspaceId);
    const waiting = imports?.get(entry.importId);
    if (imports === undefined || waiting === undefined) return;
    imports.delete(entry.importId);
    if (waiting.length > 0) imports.set(entry.importId, waiting);
    this.#workspaces.delete(entry.workspaceId);
    if (imports.size > 0) this.#workspaces.set(entry.workspaceId, imports);
  }

  /** Puts an offered request back where it stood: behind those of its import that came before it. */
  putBack(entry: W): void {
    // The list may have gone with the last one that was served of it meanwhile.
    const imports = this.#workspaces.get(entry.workspaceId) ?? new Map<string, W[]>();
    const waiting = imports.get(entry.importId) ?? [];
    const number = this.#numbers.get(entry) ?? 0;
    const place = waiting.findIndex((other) => (this.#numbers.get(other) ?? 0) > number);
    waiting.splice(place < 0 ? waiting.length : place, 0, entry);
    imports.set(entry.importId, waiting);
    this.#workspaces.set(entry.workspaceId, imports);
    this.#soonestDeadline = Math.min(this.#soonestDeadline, entry.deadlineAt);
  }

  /** Takes out every request whose deadline is over. */
  expired(now: number): W[] {
    // Written so that nobody is over while the time is not known (NaN).
    if (!(now >= this.#soonestDeadline)) return [];
    const gone: W[] = [];
    this.#soonestDeadline = Infinity;
    for (const imports of this.#workspaces.values()) {
      for (const [importId, waiting] of imports) {
        gone.push(...waiting.filter((entry) => entry.deadlineAt <= now));
        const left = waiting.filter((entry) => entry.deadlineAt > now);
        for (const entry of left) this.#soonestDeadline = Math.min(this.#soonestDeadline, entry.deadlineAt);
        imports.set(importId, left);
      }
    }
    for (const entry of gone) this.done(entry);
    return gone;
  }

  /** When something is to be done next: a lane opens or a deadline may end. Undefined when nobody waits. */
  nextEventAt(): number | undefined {
    if (this.#size === 0) return undefined;
    let at = this.#soonestDeadline;
    for (const lane of this.#lanes.keys()) at = Math.min(at, this.#closedUntil.get(lane) ?? 0);
    return at;
  }

  /** The `depth`-th list of a workspace whose head may be offered now. */
  #openFlow(imports: Imports<W>, now: number, depth: number, group: string | undefined): W[] | undefined {
    let skip = depth;
    for (const waiting of imports.values()) {
      const head = waiting[0];
      if (head === undefined || (this.#closedUntil.get(head.lane) ?? 0) > now) continue;
      if (group !== undefined && head.group !== group) continue;
      if (skip === 0) return waiting;
      skip -= 1;
    }
    return undefined;
  }

  #listOf(entry: W): W[] | undefined {
    return this.#workspaces.get(entry.workspaceId)?.get(entry.importId);
  }

  #count(lane: string, by: number): void {
    this.#size += by;
    const waiting = (this.#lanes.get(lane) ?? 0) + by;
    if (waiting > 0) {
      this.#lanes.set(lane, waiting);
      return;
    }
    this.#lanes.delete(lane);
    // What is over says nothing any more; without this the map would grow with every lane that ever was.
    if (this.#closedUntil.size > 1000) this.#closedUntil.clear();
  }
}
