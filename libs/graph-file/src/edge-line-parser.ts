const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const HASH = 35;
const PERCENT = 37;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/** More bytes than this before a line ends means that the file holds something else than an edge list. */
const LONGEST_LINE = 4096;
/** What an error sentence shows of a faulty line. */
const SHOWN_CHARACTERS = 40;

/** Thrown by the parser, its line counted from 1; `reason` goes on after "line 7 is". The reader adds the name of the file. */
export class LineFault extends Error {
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/**
 * Turns the bytes of an edge list into pairs of ids. Works on bytes, because splitting 1.3 million lines into
 * strings costs several times the parsing itself. Lines may be cut anywhere between two `push` calls.
 */
export class EdgeLineParser {
  private line = 1;
  private rest: Buffer | undefined;

  /** `onPair` may throw a LineFault of its own, of the line that `lineNumber` tells. */
  constructor(private readonly onPair: (a: number, b: number) => void) {}

  /** The line that is being read, counted from 1. */
  get lineNumber(): number {
    return this.line;
  }

  push(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = undefined;
    let start = 0;
    if (this.line === 1 && bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)
      start = 3;
    for (;;) {
      const end = bytes.indexOf(LF, start);
      if (end === -1) break;
      this.parse(bytes, start, end);
      this.line += 1;
      start = end + 1;
    }
    if (bytes.length - start > LONGEST_LINE)
      throw this.fault(bytes, start, bytes.length, 'it is longer than 4096 bytes');
    // A copy: zlib may use the memory of its chunk again.
    if (start < bytes.length) this.rest = Buffer.from(bytes.subarray(start));
  }

  /** The last line needs no line end. */
  end(): void {
    if (this.rest !== undefined) this.parse(this.rest, 0, this.rest.length);
    this.rest = undefined;
  }

  private parse(bytes: Buffer, from: number, to: number): void {
    const end = to > from && bytes[to - 1] === CR ? to - 1 : to;
    let at = skipBlanks(bytes, from, end);
    if (at === end || bytes[at] === HASH || bytes[at] === PERCENT) return;
    const first = this.id(bytes, at, end, from);
    at = skipBlanks(bytes, first.next, end);
    let separated = at > first.next;
    if (at < end && bytes[at] === COMMA) {
      separated = true;
      at = skipBlanks(bytes, at + 1, end);
    }
    if (at === end) throw this.fault(bytes, from, end, 'it names one person instead of two');
    if (!separated) throw this.fault(bytes, from, end, 'it is not two whole numbers');
    const second = this.id(bytes, at, end, from);
    at = skipBlanks(bytes, second.next, end);
    if (at !== end) throw this.fault(bytes, from, end, 'it holds more than two whole numbers');
    this.onPair(first.id, second.id);
  }

  private id(bytes: Buffer, from: number, end: number, lineStart: number): { id: number; next: number } {
    const negative = bytes[from] === MINUS;
    const digits = negative ? from + 1 : from;
    let at = digits;
    let id = 0;
    for (; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte < ZERO || byte > NINE) break;
      id = id * 10 + (byte - ZERO);
    }
    if (at === digits) throw this.fault(bytes, lineStart, end, 'it is not two whole numbers');
    if (id > Number.MAX_SAFE_INTEGER) {
      throw this.fault(bytes, lineStart, end, 'it holds an id above 9007199254740991');
    }
    return { id: negative && id !== 0 ? -id : id, next: at };
  }

  private fault(bytes: Buffer, from: number, end: number, reason: string): LineFault {
    const shown = Array.from(bytes.subarray(from, Math.min(end, from + SHOWN_CHARACTERS)), (byte) =>
      byte >= SPACE && byte < 127 ? String.fromCharCode(byte) : '?',
    ).join('');
    return new LineFault(this.line, `"${shown}${end - from > SHOWN_CHARACTERS ? '...' : ''}": ${reason}`);
  }
}

function skipBlanks(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at += 1;
  return at;
}
