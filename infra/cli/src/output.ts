import type { Failure } from './failures';
import type { Sink, Terminal } from './terminal';

type Row = Record<string, unknown>;

const RED = '\u001b[31m';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';
/** Wider cells are cut in tables; `--json` has them whole. */
const WIDEST_CELL = 60;
/** Where something was seen, and tokens for programs: a table of people has no room for them unless it is asked for. */
const FOR_PROGRAMS = /\.(importId|callId|keyId)$|^(positions|version)$/;
/** Before this, a number in a field `...At` is no time in milliseconds (2001-09-09). */
const EARLIEST_MS = 1e12;

/** Answers go to stdout, everything else to stderr; as text for people or as JSON for scripts. */
export class Output {
  private columns: { name: string; width: number }[] | undefined;

  constructor(
    private readonly terminal: Terminal,
    readonly json: boolean,
  ) {}

  /** Where progress is drawn. */
  get progress(): Sink {
    return this.terminal.stderr;
  }

  /** One thing: its fields below one another, or one line of JSON. */
  record(value: unknown): void {
    if (this.json) return this.line(JSON.stringify(value ?? null));
    const fields = flat(value);
    const width = Math.max(0, ...fields.map(([name]) => name.length));
    for (const [name, text] of fields) this.line(`${name.padEnd(width)}  ${text}`);
  }

  /**
   * A page of a list; the first one decides the columns: those that have anything to show, `wide`: all of them. A later
   * row that needs more room moves its line, but no id is ever cut.
   */
  rows(page: readonly unknown[], wide = false): void {
    if (this.json) return page.forEach((item) => this.line(JSON.stringify(item)));
    const rows = page.map((item): Row => Object.fromEntries(flat(item)));
    if (rows.length === 0) return;
    this.columns ??= this.header(rows, wide);
    for (const row of rows)
      this.line(this.columns.map(({ name, width }) => cell(row[name], width)).join('  '));
  }

  /** A sentence beside the answer. */
  note(sentence: string): void {
    if (!this.json) this.terminal.stderr.write(`${sentence}\n`);
  }

  /** The answer itself, when it is a sentence. */
  say(sentence: string, facts: unknown): void {
    this.line(this.json ? JSON.stringify(facts) : sentence);
  }

  /** Something that a script must see too, on stderr; of several lines for people. */
  notice(sentence: string, facts: unknown): void {
    const text = this.json ? JSON.stringify(facts) : sentence.split('\n').map(printable).join('\n');
    this.terminal.stderr.write(`${text}\n`);
  }

  failure({ exitCode, message, facts }: Failure): void {
    if (this.json)
      this.terminal.stderr.write(`${JSON.stringify({ error: { exitCode, message, ...facts } })}\n`);
    else
      this.terminal.stderr.write(
        `${this.paint(RED, 'error:', this.terminal.stderr)} ${printable(message)}\n`,
      );
  }

  private header(rows: Row[], wide: boolean): { name: string; width: number }[] {
    const told = (name: string): boolean =>
      wide || (!FOR_PROGRAMS.test(name) && rows.some((row) => (row[name] ?? '') !== ''));
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(told);
    const columns = names.map((name) => {
      const widest = Math.max(...rows.map((row) => [...String(row[name] ?? '')].length));
      return { name, width: Math.min(WIDEST_CELL, Math.max(name.length, widest)) };
    });
    const titles = columns.map(({ name, width }) => name.padEnd(width)).join('  ');
    this.line(this.paint(DIM, titles.trimEnd(), this.terminal.stdout));
    return columns;
  }

  private line(text: string): void {
    this.terminal.stdout.write(`${text.trimEnd()}\n`);
  }

  private paint(colour: string, text: string, sink: Sink): string {
    const { NO_COLOR, TERM } = this.terminal.env;
    const plain = sink.isTTY !== true || (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb';
    return plain ? text : colour + text + PLAIN;
  }
}

/** Names and labels come from strangers: what would steer a terminal is shown as `\x1b` and the like. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}]/gu,
    (char) => `\\x${char.codePointAt(0)?.toString(16).padStart(2, '0')}`,
  );
}

/** The fields of a value, nested ones with a dot, as text. */
function flat(value: unknown, prefix = ''): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [[prefix || 'value', text(prefix, value)]];
  return Object.entries(value).flatMap(([name, inner]): [string, string][] => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const nested = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return nested ? flat(inner, path) : [[path, text(path, inner)]];
  });
}

/** Of a text that was found: pieces of it, some of them the match. */
function isPiece(value: unknown): value is { text: string; match: boolean } {
  const { text: piece, match } = (value ?? {}) as Record<string, unknown>;
  return typeof piece === 'string' && typeof match === 'boolean';
}

function text(name: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) {
    const plain = value.every((item) => typeof item !== 'object');
    if (value.length > 0 && value.every(isPiece)) return printable(value.map((piece) => piece.text).join(''));
    if (plain && value.length <= 20) return printable(value.join(', '));
    return `${value.length} ${value.length === 1 ? 'entry' : 'entries'} (--json shows them)`;
  }
  if (typeof value === 'number' && /(^|\.|[a-z])(At|at)$/.test(name) && value > EARLIEST_MS)
    return new Date(value).toISOString();
  return printable(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

function cell(value: unknown, width: number): string {
  const characters = [...String(value ?? '')];
  const shown = characters.length > WIDEST_CELL ? [...characters.slice(0, WIDEST_CELL - 1), '…'] : characters;
  return shown.join('') + ' '.repeat(Math.max(0, width - shown.length));
}
