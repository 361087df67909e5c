import { widened } from './links';

const LANES = 4;
/** Keeps the digest of a document apart from that of a name. */
const DOCUMENT = 0x10;
/** Odd multipliers, one a lane (from xxHash and MurmurHash3): what they make is mixed further. */
const FACTORS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f] as const;

/**
 * What is present, as 128 bits for each partition: the sum over its vertices of a digest of the document and one of
 * each name in the own list. A sum does not depend on the order of events, and follows every addition and removal in
 * the same few operations. Two states with equal hashes are equal but for a chance of about 2^-128; it is a check
 * against corruption and mistakes, not against somebody who constructs collisions.
 */
export class StateHash {
  private readonly sums: Uint32Array;
  private digests = new Uint32Array(16 * LANES);
  private partitions = new Uint16Array(16);

  constructor(readonly partitionCount: number) {
    this.sums = new Uint32Array(partitionCount * LANES);
  }

  /** Introduces the vertex of this number: its key decides what its assertions count as, and its partition where. */
  introduce(vertex: number, key: string, partition: number): void {
    if (vertex >= this.partitions.length) {
      const room = Math.max(vertex + 1, this.partitions.length * 2);
      this.digests = widened(this.digests, room * LANES);
      const partitions = new Uint16Array(room);
      partitions.set(this.partitions);
      this.partitions = partitions;
    }
    this.partitions[vertex] = partition;
    for (let lane = 0; lane < LANES; lane++) this.digests[vertex * LANES + lane] = digestOf(key, lane);
  }

  /** The vertex' own list names the other from now on (+1), or no longer (-1). */
  name(vertex: number, other: number, by: 1 | -1): void {
    const at = this.partitions[vertex]! * LANES;
    for (let lane = 0; lane < LANES; lane++) {
      const mixed = mix(
        this.digests[vertex * LANES + lane]!,
        this.digests[other * LANES + lane]!,
        FACTORS[lane]!,
      );
      this.sums[at + lane]! += by === 1 ? mixed : -mixed;
    }
  }

  /** The vertex has this document from now on (+1), or no longer (-1); `text` is the same for equal documents. */
  document(vertex: number, text: string, by: 1 | -1): void {
    const at = this.partitions[vertex]! * LANES;
    for (let lane = 0; lane < LANES; lane++) {
      const mixed = mix(
        this.digests[vertex * LANES + lane]!,
        digestOf(text, lane),
        FACTORS[lane]! ^ DOCUMENT,
      );
      this.sums[at + lane]! += by === 1 ? mixed : -mixed;
    }
  }

  /** Adds the sums of another one, e.g. of another graph. */
  addTo(total: Uint32Array): void {
    for (let i = 0; i < this.sums.length; i++) total[i]! += this.sums[i]!;
  }
}

/** The hashes of all partitions over several graphs, 32 hexadecimal digits each, by partition. */
export function hashesOf(parts: Iterable<StateHash>, partitionCount: number): string[] {
  const total = new Uint32Array(partitionCount * LANES);
  for (const part of parts) part.addTo(total);
  return Array.from({ length: partitionCount }, (_, partition) =>
    Array.from(total.subarray(partition * LANES, (partition + 1) * LANES), (lane) =>
      lane.toString(16).padStart(8, '0'),
    ).join(''),
  );
}

/** 32 bits of a text, others in each lane. */
function digestOf(text: string, lane: number): number {
  const factor = FACTORS[lane]!;
  let digest = factor ^ text.length;
  for (let at = 0; at < text.length; at++) {
    digest = Math.imul(digest ^ text.charCodeAt(at), factor);
    digest ^= digest >>> 13;
  }
  return mix(digest, text.length, factor);
}

/** Both words in full, in this order: (a, b) and (b, a) differ. MurmurHash3's finaliser after one multiplication. */
function mix(a: number, b: number, factor: number): number {
  let mixed = Math.imul(a ^ (a >>> 15), factor) + b;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
