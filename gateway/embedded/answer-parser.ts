/** An answer that breaks the rules of HTTP/1.1, or that two readers might understand differently. */
export class MalformedAnswer extends Error {}

export interface Field {
  name: string;
  lowerName: string;
  value: string;
}

export interface AnswerHead {
  status: number;
  reason: string;
  fields: readonly Field[];
  /** It says beforehand how long its body is. */
  isSized: boolean;
}

/** Told what was understood, in order: one head, pieces of the body, the end. */
export interface AnswerListener {
  head(head: AnswerHead): void;
  data(chunk: Buffer): void;
  end(): void;
}

type State = 'head' | 'sized' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'until-close' | 'done';

const EMPTY = Buffer.alloc(0);
const LONGEST_HEAD = 65_536;
const LONGEST_CHUNK_LINE = 1024;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/;
const CHUNK_LINE = /^([0-9A-Fa-f]{1,8})[\t ]*(?:;.*)?$/;

/** Understands one answer in the pieces in which it comes (RFC 9112). Throws MalformedAnswer. */
export class AnswerParser {
  /** The connection may serve another request after this answer. */
  keepsAlive = false;
  /** Something came. */
  hasBegun = false;
  private state: State = 'head';
  private held: Buffer = EMPTY;
  private left = 0;

  constructor(
    private readonly toHead: boolean,
    private readonly listener: AnswerListener,
  ) {}

  get isDone(): boolean {
    return this.state === 'done';
  }

  feed(chunk: Buffer): void {
    this.hasBegun = true;
    let rest = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    this.held = EMPTY;
    while (rest.length > 0) {
      const taken = this.take(rest);
      if (taken === 0) {
        this.held = rest;
        return;
      }
      rest = rest.subarray(taken);
    }
  }

  /** The connection was closed by its other end: true when the answer is whole by that. */
  close(): boolean {
    if (this.state === 'until-close') this.finish();
    return this.isDone;
  }

  /** Bytes that were understood; 0 = more are needed. */
  private take(bytes: Buffer): number {
    switch (this.state) {
      case 'head':
        return this.takeHead(bytes);
      case 'sized':
      case 'chunk':
        return this.takeBody(bytes);
      case 'until-close':
        this.listener.data(bytes);
        return bytes.length;
      case 'chunk-size':
      case 'chunk-end':
      case 'trailers':
        return this.takeLine(bytes);
      case 'done':
        throw new MalformedAnswer('more than one answer');
    }
  }

  private takeHead(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1 || end > LONGEST_HEAD) {
      if (bytes.length > LONGEST_HEAD) throw new MalformedAnswer('a head that is too long');
      return 0;
    }
    const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const [, minor, digits, reason = ''] = STATUS_LINE.exec(first) ?? [];
    const status = Number(digits);
    if (minor === undefined || status < 100 || status === 101) throw new MalformedAnswer('a bad status line');
    // Of those to come before the answer none is for the client: it was told to go on already.
    if (status < 200) return end + 4;
    const fields = lines.map(fieldOf);
    this.frame(status, fields, minor);
    this.listener.head({ status, reason, fields, isSized: this.state === 'sized' });
    if (this.state === 'sized' && this.left === 0) this.finish();
    return end + 4;
  }

  private frame(status: number, fields: readonly Field[], minor: string): void {
    const all = (name: string): string[] =>
      fields.filter(({ lowerName }) => lowerName === name).map(({ value }) => value);
    const coding = all('transfer-encoding');
    const lengths = new Set(all('content-length'));
    const connection = all('connection').join().toLowerCase();
    this.keepsAlive = minor === '1' ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
    const [length] = lengths;
    if (coding.length > 0 && (lengths.size > 0 || coding.join().toLowerCase() !== 'chunked'))
      throw new MalformedAnswer('an unclear length');
    if (lengths.size > 1 || (length !== undefined && !/^\d{1,15}$/.test(length)))
      throw new MalformedAnswer('a bad length');
    if (this.toHead || status === 204 || status === 304) this.state = 'sized';
    else if (coding.length > 0) this.state = 'chunk-size';
    else if (length === undefined) this.state = 'until-close';
    else {
      this.state = 'sized';
      this.left = Number(length);
    }
    if (this.state === 'until-close') this.keepsAlive = false;
  }

  private takeBody(bytes: Buffer): number {
    const piece = bytes.length > this.left ? bytes.subarray(0, this.left) : bytes;
    this.left -= piece.length;
    this.listener.data(piece);
    if (this.left === 0) {
      if (this.state === 'sized') this.finish();
      else this.state = 'chunk-end';
    }
    return piece.length;
  }

  private takeLine(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n');
    if (end === -1 || end > LONGEST_CHUNK_LINE) {
      if (bytes.length > LONGEST_CHUNK_LINE) throw new MalformedAnswer('a line that is too long');
      return 0;
    }
    const line = bytes.toString('latin1', 0, end);
    if (this.state === 'chunk-end') {
      if (line !== '') throw new MalformedAnswer('a chunk that is longer than it says');
      this.state = 'chunk-size';
    } else if (this.state === 'chunk-size') {
      const digits = CHUNK_LINE.exec(line)?.[1];
      if (digits === undefined) throw new MalformedAnswer('a bad size of a chunk');
      this.left = parseInt(digits, 16);
      this.state = this.left === 0 ? 'trailers' : 'chunk';
    } else if (line === '') {
      // Trailers are not passed on.
      this.finish();
    }
    return end + 2;
  }

  private finish(): void {
    this.state = 'done';
    this.listener.end();
  }
}

function fieldOf(line: string): Field {
  const [, name, value = ''] = FIELD_LINE.exec(line) ?? [];
  if (name === undefined) throw new MalformedAnswer('a bad header');
  return { name, lowerName: name.toLowerCase(), value: value.trimEnd() };
}
