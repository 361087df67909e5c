/** This vertex's own list names the neighbour. */
export const OWN = 1;
/** The neighbour's list names this vertex. */
export const OTHER = 2;
/** The friendship counts: somebody asserts it and both ends are people. */
export const LIVE = 4;
export const FLAG_BITS = 3;

const SMALLEST_ROOM = 2;
const SHORT_MOVE = 24;

/**
 * Adjacency rows in one pool of 32-bit entries, `neighbour << 3 | flags`, each row sorted by neighbour. Every
 * link stands in the rows of both its ends. A row's room is a power of two; rooms that rows outgrew are kept
 * for the next row of that size, so the pool holds at most about four times the entries in use. Neighbours
 * must stay below 2^29.
 */
export class Links {
  private entries = new Uint32Array(1 << 10);
  private used = 0;
  private starts = new Uint32Array(16);
  private sizes = new Uint32Array(16);
  private rooms = new Uint8Array(16);
  private readonly vacant: number[][] = [];

  /** Makes rows for vertices below `count`. */
  reserve(count: number): void {
    if (count <= this.starts.length) return;
    this.starts = widened(this.starts, count);
    this.sizes = widened(this.sizes, count);
    this.rooms = widened(this.rooms, count);
  }

  /** The pool itself, for scans between `begin` and `end`; any `put` may replace it. */
  get pool(): Uint32Array {
    return this.entries;
  }

  begin(vertex: number): number {
    return this.starts[vertex]!;
  }

  end(vertex: number): number {
    return this.starts[vertex]! + this.sizes[vertex]!;
  }

  /** Flags of the link, 0 when there is none. */
  flagsOf(vertex: number, neighbour: number): number {
    const at = this.search(vertex, neighbour);
    return at < 0 ? 0 : this.entries[at]! & ((1 << FLAG_BITS) - 1);
  }

  /** Sets the flags of one direction of a link; 0 removes it. */
  put(vertex: number, neighbour: number, flags: number): void {
    const at = this.search(vertex, neighbour);
    if (flags === 0) {
      if (at >= 0) this.removeAt(vertex, at);
    } else if (at >= 0) {
      this.entries[at] = (neighbour << FLAG_BITS) | flags;
    } else {
      this.insertAt(vertex, ~at - this.starts[vertex]!, (neighbour << FLAG_BITS) | flags);
    }
  }

  /** Neighbours of a vertex whose flags are wanted, as everything stands now; later changes do not show. */
  frozen(wanted: (flags: number) => boolean): (vertex: number) => number[] {
    const { entries, starts, sizes } = this.copy();
    return (vertex) => {
      const found: number[] = [];
      const begin = starts[vertex] ?? 0;
      for (let at = begin; at < begin + (sizes[vertex] ?? 0); at++)
        if (wanted(entries[at]! & ((1 << FLAG_BITS) - 1))) found.push(entries[at]! >>> FLAG_BITS);
      return found;
    };
  }

  /** A copy of all rows; those of v stand in entries[starts[v] .. starts[v] + sizes[v]). */
  copy(): { entries: Uint32Array; starts: Uint32Array; sizes: Uint32Array } {
    return {
      entries: this.entries.slice(0, this.used),
      starts: this.starts.slice(),
      sizes: this.sizes.slice(),
    };
  }

  /** Index of the entry in the pool, or the complement of where it would be inserted. */
  private search(vertex: number, neighbour: number): number {
    const entries = this.entries;
    let low = this.starts[vertex]!;
    let high = low + this.sizes[vertex]! - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = entries[middle]! >>> FLAG_BITS;
      if (found < neighbour) low = middle + 1;
      else if (found > neighbour) high = middle - 1;
      else return middle;
    }
    return ~low;
  }

  private insertAt(vertex: number, offset: number, entry: number): void {
    const size = this.sizes[vertex]!;
    if (size === 0 && this.rooms[vertex] === 0) {
      this.rooms[vertex] = SMALLEST_ROOM;
      this.starts[vertex] = this.allocate(SMALLEST_ROOM);
    } else if (size === 1 << this.rooms[vertex]!) {
      this.moveToLargerRoom(vertex, size);
    }
    const entries = this.entries;
    const at = this.starts[vertex]! + offset;
    const end = this.starts[vertex]! + size;
    if (end - at > SHORT_MOVE) entries.copyWithin(at + 1, at, end);
    else for (let i = end; i > at; i--) entries[i] = entries[i - 1]!;
    entries[at] = entry;
    this.sizes[vertex] = size + 1;
  }

  private removeAt(vertex: number, at: number): void {
    this.entries.copyWithin(at, at + 1, this.end(vertex));
    this.sizes[vertex]!--;
  }

  private moveToLargerRoom(vertex: number, size: number): void {
    const room = this.rooms[vertex]!;
    const from = this.starts[vertex]!;
    const to = this.allocate(room + 1);
    this.entries.copyWithin(to, from, from + size);
    (this.vacant[room] ??= []).push(from);
    this.starts[vertex] = to;
    this.rooms[vertex] = room + 1;
  }

  private allocate(room: number): number {
    const recycled = this.vacant[room]?.pop();
    if (recycled !== undefined) return recycled;
    const at = this.used;
    this.used += 1 << room;
    if (this.used > this.entries.length) this.entries = widened(this.entries, this.used);
    return at;
  }
}

/** A copy with room for at least `count` elements, at least twice the old room; new elements are 0. */
export function widened<T extends Uint8Array | Uint32Array | Float64Array>(array: T, count: number): T {
  const Constructor = array.constructor as new (length: number) => T;
  const copy = new Constructor(Math.max(count, array.length * 2));
  copy.set(array);
  return copy;
}
