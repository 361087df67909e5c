import type { Clock } from '@sociograph/kernel';
import { GENESIS, type Head, linkOf, macOf, type Sealing } from '../domain/audit-chain';

/** An entry that waits for its seal. */
export interface PendingEntry {
  readonly entryId: number;
  readonly workspaceId: string;
  readonly entry: unknown;
}

export interface Seal {
  readonly workspaceId: string;
  readonly seq: number;
  readonly entryId: number;
  readonly hash: string;
}

/** The trail in the database. */
export abstract class AuditTrail {
  /** Keeps what is not there yet, by audit id: once, however often it arrives. */
  abstract collect(
    entries: readonly { auditId: string; workspaceId: string; entry: unknown }[],
  ): Promise<void>;
  /**
   * One sealer at a time: gives `seal` the oldest waiting entries and the last seal of each of their workspaces, stores
   * what it makes of them and hands the heads to the outbox, in one transaction. The number of entries sealed.
   */
  abstract sealNext(
    most: number,
    seal: (
      pending: readonly PendingEntry[],
      last: ReadonlyMap<string, { seq: number; hash: string }>,
    ) => { seals: readonly Seal[]; heads: readonly Head[] },
  ): Promise<{ sealed: number; heads: readonly Head[] }>;
  /** Heads after this one of `headsFrom`'s numbering, oldest first. */
  abstract headsAfter(id: number, most: number): Promise<{ id: number; head: Head }[]>;
}

/** What was collected, for reading. */
export abstract class AuditLog {
  /** Newest first; without a workspace of all, or of `only`. */
  abstract page(
    workspaceId: string | undefined,
    limit: number,
    filter: { before?: number | undefined; only?: string | undefined },
  ): Promise<CollectedEntry[]>;
}

export interface CollectedEntry {
  /** Grows in the order of collecting. */
  readonly id: number;
  readonly workspaceId: string;
  readonly entry: unknown;
}

/** Where heads go besides Kafka. */
export abstract class HeadFile {
  /** Number of the last head that the file holds; 0 for none. */
  abstract last(): Promise<number>;
  abstract append(heads: readonly { id: number; head: Head }[]): Promise<void>;
}

const AT_A_TIME = 1_000;

/** Numbers and links what was collected, per workspace, and publishes signed heads outside the database. */
export class Sealer {
  #filed: number | undefined;

  constructor(
    private readonly trail: AuditTrail,
    private readonly file: HeadFile,
    private readonly sealing: Sealing,
    private readonly clock: Clock,
  ) {}

  /** True while there is more to seal. */
  async sealNext(): Promise<boolean> {
    const { sealed } = await this.trail.sealNext(AT_A_TIME, (pending, last) => this.#seal(pending, last));
    await this.#fileHeads();
    return sealed === AT_A_TIME;
  }

  #seal(
    pending: readonly PendingEntry[],
    last: ReadonlyMap<string, { seq: number; hash: string }>,
  ): { seals: Seal[]; heads: Head[] } {
    const at = Math.floor(this.clock.nowMs());
    const ends = new Map(last);
    const seals = pending.map(({ workspaceId, entryId, entry }) => {
      const before = ends.get(workspaceId) ?? { seq: 0, hash: GENESIS };
      const seq = before.seq + 1;
      const hash = linkOf(this.sealing, before.hash, workspaceId, seq, entry);
      ends.set(workspaceId, { seq, hash });
      return { workspaceId, seq, entryId, hash };
    });
    const heads = [...new Set(pending.map(({ workspaceId }) => workspaceId))].map((workspaceId) => {
      const head = { workspaceId, ...(ends.get(workspaceId) as { seq: number; hash: string }), at };
      return { ...head, mac: macOf(this.sealing, head) };
    });
    return { seals, heads };
  }

  /** What a crash kept from the file is written by the next process. */
  async #fileHeads(): Promise<void> {
    this.#filed ??= await this.file.last();
    for (;;) {
      const heads = await this.trail.headsAfter(this.#filed, AT_A_TIME);
      const end = heads.at(-1);
      if (end === undefined) return;
      await this.file.append(heads);
      this.#filed = end.id;
    }
  }
}
