import type { ApiKey, KeyState } from '../domain/api-key';
import { type AuditNote, AuditTrail, type Refusal } from '../domain/audit';
import { type KeyUse, type KeyUsePeriod, KeyUses } from '../domain/key-uses';
import { type LearnedPath, LearnedPaths } from '../domain/learned-path';
import { type LeaseSession, LeaseSessions } from '../domain/lease-sessions';
import { PoolReport } from '../domain/pool-report';
import type { KeyEvent } from '../domain/key-events';
import { Alarm, KeyStateBroadcast, PoolEpochs } from '../domain/ports';
import { DataKeys, type WrappedDataKey } from '../domain/sealing';

/** Fakes of all ports: they keep the same contracts (test/*.contract.ts) for as long as the process lives. */

export class InMemoryLearnedPaths extends LearnedPaths {
  readonly #paths = new Map<string, LearnedPath>();

  async get(network: string): Promise<LearnedPath | undefined> {
    return this.#paths.get(network);
  }

  async save(network: string, path: LearnedPath): Promise<void> {
    this.#paths.set(network, path);
  }

  async remove(network: string): Promise<void> {
    this.#paths.delete(network);
  }
}

export class InMemoryPoolEpochs extends PoolEpochs {
  #epoch = 0;

  async current(): Promise<number> {
    return this.#epoch;
  }

  async advance(from: number): Promise<number | undefined> {
    if (from !== this.#epoch) return undefined;
    this.#epoch += 1;
    return this.#epoch;
  }
}

/** Rings when told to. */
export class ManualAlarm extends Alarm {
  inMs: number | undefined;
  #ring: (() => void) | undefined;

  set(inMs: number, ring: () => void): void {
    this.inMs = inMs;
    this.#ring = ring;
  }

  clear(): void {
    this.inMs = undefined;
    this.#ring = undefined;
  }

  ring(): void {
    const ring = this.#ring;
    this.clear();
    ring?.();
  }
}

export class InMemoryDataKeys extends DataKeys {
  readonly #keys: WrappedDataKey[] = [];

  async oldest(workspaceId: string): Promise<WrappedDataKey | undefined> {
    return this.#keys.find((key) => key.workspaceId === workspaceId);
  }

  async newest(workspaceId: string): Promise<WrappedDataKey | undefined> {
    return this.#keys.findLast((key) => key.workspaceId === workspaceId);
  }

  async byId(id: string): Promise<WrappedDataKey | undefined> {
    return this.#keys.find((key) => key.id === id);
  }

  async add(key: WrappedDataKey): Promise<void> {
    this.#keys.push(key);
  }
}

export class InMemoryLeaseSessions extends LeaseSessions {
  readonly #sessions = new Map<string, LeaseSession>();

  async keep(session: LeaseSession): Promise<void> {
    this.#sessions.set(session.id, session);
  }

  async find(id: string): Promise<LeaseSession | undefined> {
    return this.#sessions.get(id);
  }

  held(id: string): LeaseSession | undefined {
    return this.#sessions.get(id);
  }

  async end(id: string): Promise<void> {
    this.#sessions.delete(id);
  }
}

export class RecordingBroadcast extends KeyStateBroadcast {
  readonly announced: { id: string; state: KeyState; at: number; restingUntil?: number; egress?: string }[] =
    [];

  async announce(
    key: ApiKey,
    at: number,
    limits: { restingUntil?: number; egress?: string } = {},
  ): Promise<void> {
    this.announced.push({ id: key.id, state: key.state, at, ...limits });
  }
}

export class RecordingAuditTrail extends AuditTrail {
  readonly notes: Refusal[] = [];

  readonly deeds: (AuditNote & { workspaceId: string | undefined; target: string })[] = [];

  refused(note: Refusal): void {
    this.notes.push(note);
  }

  async done(note: AuditNote & { workspaceId: string | undefined; target: string }): Promise<void> {
    this.deeds.push(note);
  }
}

export class RecordingPoolReport extends PoolReport {
  readonly events: KeyEvent[] = [];
  readonly failures: [string, unknown][] = [];
  states: ReadonlyMap<string, number> = new Map();
  readonly uses = { written: 0, dropped: 0 };

  keyChanged(event: KeyEvent): void {
    this.events.push(event);
  }

  keysByState(counts: ReadonlyMap<string, number>): void {
    this.states = counts;
  }

  utilisation(): void {}

  margin(): void {}

  budgets(): void {}

  usesWritten(outcome: 'written' | 'dropped', leases: number): void {
    this.uses[outcome] += leases;
  }

  failed(sentence: string, error: unknown): void {
    this.failures.push([sentence, error]);
  }
}

export class InMemoryKeyUses extends KeyUses {
  readonly rows = new Map<string, KeyUse>();
  readonly announced: KeyUsePeriod[] = [];
  /** Thrown by every verb while it is set. */
  fault: Error | undefined;

  async write(uses: readonly KeyUse[]): Promise<void> {
    this.#check();
    for (const use of uses) if (!this.rows.has(use.leaseId)) this.rows.set(use.leaseId, { ...use });
  }

  async settle(
    settled: readonly { leaseId: string; settledAt: number; results: Record<string, number> }[],
  ): Promise<void> {
    this.#check();
    for (const { leaseId, ...rest } of settled) {
      const row = this.rows.get(leaseId);
      if (row?.results === null) Object.assign(row, rest);
    }
  }

  async announce(periods: readonly KeyUsePeriod[]): Promise<void> {
    this.#check();
    this.announced.push(...periods);
  }

  async forget(before: number, most: number): Promise<number> {
    this.#check();
    const old = [...this.rows.values()].filter((use) => use.grantedAt < before).slice(0, most);
    for (const { leaseId } of old) this.rows.delete(leaseId);
    return old.length;
  }

  #check(): void {
    if (this.fault !== undefined) throw this.fault;
  }
}
