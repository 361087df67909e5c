import { widened } from './links';

/** In `values`: the id is none that fits there, and is spelled out in `spelled`. */
const SPELLED = 0xffffffff;
const LONGEST = 10;

/**
 * Small integers for the networks' ids, in the order in which they were first named. Never forgets one. Ids that are
 * decimal numbers below 2^32 - 1 (those of VK are) stand in an open hash table of integers, 12 to 20 bytes each and a
 * lookup without hashing a text; all others in maps.
 */
export class IdIndex {
  /** The number given + 1 by hash of the value; 0 is free. At most half of them are in use. */
  private slots = new Uint32Array(64);
  /** By number. */
  private values = new Uint32Array(16);
  private readonly words = new Map<string, number>();
  private readonly spelled = new Map<number, string>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The number of `id`; a new one if nobody named it before. */
  intern(id: string): number {
    const value = decimal(id);
    if (value === SPELLED) {
      const known = this.words.get(id);
      if (known !== undefined) return known;
      this.words.set(id, this.count);
      this.spelled.set(this.count, id);
      return this.give(value);
    }
    const slot = this.slotOf(value);
    if (this.slots[slot] !== 0) return this.slots[slot]! - 1;
    this.slots[slot] = this.count + 1;
    const number = this.give(value);
    if (this.count * 2 > this.slots.length) this.rehash();
    return number;
  }

  /** A number without an id; its name is empty. */
  skip(): number {
    this.spelled.set(this.count, '');
    return this.give(SPELLED);
  }

  find(id: string): number | undefined {
    const value = decimal(id);
    if (value === SPELLED) return this.words.get(id);
    const found = this.slots[this.slotOf(value)]!;
    return found === 0 ? undefined : found - 1;
  }

  /** A copy of all ids, by number. */
  all(): string[] {
    return Array.from({ length: this.count }, (_, number) => this.nameOf(number));
  }

  /** The id behind a number that `intern` gave. */
  nameOf(number: number): string {
    if (number >= this.count) throw new RangeError(`No id has the number ${number}`);
    const value = this.values[number]!;
    return value === SPELLED ? this.spelled.get(number)! : String(value);
  }

  private give(value: number): number {
    const number = this.count++;
    if (number >= this.values.length) this.values = widened(this.values, this.count);
    this.values[number] = value;
    return number;
  }

  /** Where the value stands, or the free slot where it would. */
  private slotOf(value: number): number {
    const last = this.slots.length - 1;
    let slot = (Math.imul(value, 0x9e3779b1) >>> 7) & last;
    for (;;) {
      const found = this.slots[slot]!;
      if (found === 0 || this.values[found - 1] === value) return slot;
      slot = (slot + 1) & last;
    }
  }

  private rehash(): void {
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let number = 0; number < this.count; number++) {
      const value = this.values[number]!;
      if (value !== SPELLED) this.slots[this.slotOf(value)] = number + 1;
    }
  }
}

/** The number that the text spells without sign and leading zeros; SPELLED when it is no such text or too large. */
function decimal(id: string): number {
  const { length } = id;
  if (length === 0 || length > LONGEST || (length > 1 && id.charCodeAt(0) === 48)) return SPELLED;
  let value = 0;
  for (let at = 0; at < length; at++) {
    const digit = id.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return SPELLED;
    value = value * 10 + digit;
  }
  return value < SPELLED ? value : SPELLED;
}
