/** One sealed row of a workspace's trail. */
export interface SealedEntry {
  readonly seq: number;
  /** As it was collected; undefined when the row is gone. */
  readonly entry: unknown;
  readonly hash: string;
}

/** How far a trail was sealed at some time, signed with a key that the database does not have. */
export interface Head {
  readonly workspaceId: string;
  readonly seq: number;
  readonly hash: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly mac: string;
}

export interface Finding {
  readonly workspaceId: string;
  /** The first row that the finding is about. */
  readonly seq: number;
  readonly fault: 'changed' | 'missing' | 'head-forged' | 'recomputed' | 'cut' | 'unsealed';
}

/** What links and signs; the key is that of the heads. */
export abstract class Sealing {
  /** SHA-256, hex. */
  abstract digest(text: string): string;
  /** HMAC-SHA-256 under the audit key, hex. */
  abstract sign(text: string): string;
}

/** Before the first row. */
export const GENESIS = '0'.repeat(64);

/** Missing rows of one gap that are named. */
const MOST_NAMED = 1_000;

/** Hash of a row: it covers the row, its number and workspace, and through `before` every earlier row. */
export function linkOf(
  sealing: Sealing,
  before: string,
  workspaceId: string,
  seq: number,
  entry: unknown,
): string {
  return sealing.digest(`${before}\n${workspaceId}\n${seq}\n${canonical(entry)}`);
}

export function macOf(sealing: Sealing, { workspaceId, seq, hash, at }: Omit<Head, 'mac'>): string {
  return sealing.sign(`${workspaceId}\n${seq}\n${hash}\n${at}`);
}

/**
 * Goes over the rows of one workspace in the order of their numbers, then over the heads that were published outside
 * the database. A change, a removal and a swap break a link. Who computes all links anew, or cuts the end off, is found
 * by the heads: they name hashes that the rows no longer have, and numbers beyond the last one.
 */
export class TrailCheck {
  readonly #findings: Finding[] = [];
  readonly #heads = new Map<number, Head[]>();
  #before = GENESIS;
  #last = 0;

  constructor(
    private readonly workspaceId: string,
    heads: readonly Head[],
    private readonly sealing: Sealing,
  ) {
    for (const head of heads) {
      if (macOf(sealing, head) !== head.mac) this.#found(head.seq, 'head-forged');
      else this.#heads.set(head.seq, [...(this.#heads.get(head.seq) ?? []), head]);
    }
  }

  take({ seq, entry, hash }: SealedEntry): void {
    // Of a wide gap the beginning is named: numbers are whatever somebody wrote into the rows.
    const until = Math.min(seq, this.#last + 1 + MOST_NAMED);
    for (let gone = this.#last + 1; gone < until; gone += 1) this.#found(gone, 'missing');
    if (entry === undefined) this.#found(seq, 'missing');
    // Beyond a gap the link cannot be told from a forged one: what is there is taken as the new beginning.
    else if (
      seq === this.#last + 1 &&
      linkOf(this.sealing, this.#before, this.workspaceId, seq, entry) !== hash
    )
      this.#found(seq, 'changed');
    if ((this.#heads.get(seq) ?? []).some((head) => head.hash !== hash)) this.#found(seq, 'recomputed');
    this.#before = hash;
    this.#last = seq;
  }

  end(): readonly Finding[] {
    if ([...this.#heads.keys()].some((seq) => seq > this.#last)) this.#found(this.#last + 1, 'cut');
    return this.#findings;
  }

  #found(seq: number, fault: Finding['fault']): void {
    this.#findings.push({ workspaceId: this.workspaceId, seq, fault });
  }
}

/** JSON with the fields of every object in order: PostgreSQL keeps none. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
