import type { Needle } from './encodings';

/**
 * Looks for many needles in one pass: bytes whose first two begin no needle cost one table look-up, so that a hundred
 * needles are as quick as one.
 */
export class NeedleIndex {
  /** Longest needle, in bytes: what two neighbouring pieces must share so that none is missed between them. */
  readonly longest: number;
  readonly #pairs = new Uint8Array(65_536);
  readonly #byStart = new Map<number, Needle[]>();

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if (needle.bytes.length < 4) throw new Error('a needle has at least four bytes');
      this.#pairs[needle.bytes.readUInt16LE(0)] = 1;
      const start = needle.bytes.readUInt32LE(0);
      const known = this.#byStart.get(start);
      if (known === undefined) this.#byStart.set(start, [needle]);
      else known.push(needle);
    }
    this.longest = Math.max(0, ...needles.map((needle) => needle.bytes.length));
  }

  /** The needles that lie in these bytes, each once. */
  in(bytes: Uint8Array): Set<Needle> {
    return new Set(this.firstOf(bytes).keys());
  }

  /** The needles that lie in these bytes, and where each begins first. */
  firstOf(bytes: Uint8Array): Map<Needle, number> {
    const found = new Map<Needle, number>();
    const pairs = this.#pairs;
    const hay = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const last = bytes.length - 4;
    for (let at = 0; at <= last; at += 1) {
      if (pairs[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] === 0) continue;
      const candidates = this.#byStart.get(hay.readUInt32LE(at));
      if (candidates === undefined) continue;
      for (const needle of candidates) {
        if (
          hay.compare(
            needle.bytes,
            0,
            needle.bytes.length,
            at,
            Math.min(at + needle.bytes.length, hay.length),
          ) === 0 &&
          !found.has(needle)
        )
          found.set(needle, at);
      }
    }
    return found;
  }
}
