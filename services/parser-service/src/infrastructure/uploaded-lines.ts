import type { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { EdgeLineParser, LineFault } from '@sociograph/graph-file';
import type { FieldFault } from '@sociograph/kernel';
import { CsvError, parse, type Parser } from 'csv-parse';
import { GraphDraft } from '../domain/graph-draft';
import { PROFILE_FIELDS } from '../domain/import-scope';
import {
  BAD_PERSON_ID,
  columnOf,
  faultsOfColumns,
  isPersonId,
  personOf,
  type UploadedPerson,
  type UploadLimits,
} from '../domain/upload';
import type { ReadFile } from '../domain/upload-ports';

const LONGEST_ROW = 65_536;

/** Nothing of the file can be used, or no more of it is to be looked at. */
export class Refused extends Error {}

type Lines = Omit<ReadFile, 'bytes' | 'digest'>;

/** What the lines of one kind of file become; undefined where there were faults. */
export interface Content {
  push(piece: Buffer): Promise<void>;
  end(): Promise<Lines | undefined>;
}

/** Resolves when the stream takes more, or takes nothing any more. */
export function roomIn(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      stream.off('drain', go).off('close', go);
      resolve();
    };
    stream.on('drain', go).on('close', go);
  });
}

/** The first line that is neither empty nor a comment; undefined while it is not whole. */
export function firstLine(head: Buffer): string | undefined {
  const lines = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/\r?\n/);
  return lines.slice(0, -1).find((line) => line.trim() !== '' && !/^\s*[#%]/.test(line));
}

/** A file is what its first line says. */
export function contentOf(head: Buffer, limits: UploadLimits, faults: FieldFault[]): Content {
  const line = firstLine(head) ?? firstLine(Buffer.concat([head, Buffer.from('\n')])) ?? '';
  const delimiter = [',', ';', '\t'].find((mark) => line.includes(mark)) ?? ',';
  const names = line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/s, '$1'));
  const known = names.map((name) => name.toLowerCase());
  if (known.includes('from') && known.includes('to')) return new FriendshipRows(delimiter, limits, faults);
  if (known.includes('id')) return new PeopleRows(delimiter, limits, faults);
  return new EdgeList(limits, faults);
}

/** Two whole numbers a line, as libs/graph-file reads them. */
class EdgeList implements Content {
  private readonly draft = new GraphDraft();
  private readonly parser = new EdgeLineParser((a, b) => {
    const line = this.parser.lineNumber;
    if (a < 0 || b < 0) throw new LineFault(line, 'not a friendship: an id is below 0');
    this.draft.add(a, b);
    const beyond = beyondLimits(this.draft, this.limits);
    if (beyond !== undefined) throw new LineFault(line, beyond);
  });

  constructor(
    private readonly limits: UploadLimits,
    private readonly faults: FieldFault[],
  ) {}

  async push(piece: Buffer): Promise<void> {
    this.guarded(() => this.parser.push(piece));
  }

  async end(): Promise<Lines | undefined> {
    this.guarded(() => this.parser.end());
    return friendshipsIn(this.draft, this.faults);
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof LineFault)) throw error;
      this.faults.push({ field: `lines.${error.line}`, message: `is ${error.reason}` });
      throw new Refused();
    }
  }
}

/** Rows of CSV, each with the number of its last line. */
abstract class Rows implements Content {
  private readonly text = new TextDecoder('utf-8', { fatal: true });
  private readonly parser: Parser;
  private columns: string[] | undefined;
  private failure: Error | undefined;

  constructor(
    delimiter: string,
    protected readonly limits: UploadLimits,
    protected readonly faults: FieldFault[],
  ) {
    this.parser = parse({
      ...{ bom: true, delimiter, comment: '#', comment_no_infix: true, skip_empty_lines: true },
      ...{ relax_column_count: true, max_record_size: LONGEST_ROW },
      on_record: (cells: string[], { lines }) => {
        if (this.failure === undefined && this.faults.length < this.limits.faults) this.one(cells, lines);
        return null;
      },
    });
    this.parser.on('error', (error: Error) => (this.failure = error));
    this.parser.resume();
  }

  async push(piece: Buffer): Promise<void> {
    const text = this.decoded(piece);
    if (!this.parser.write(text) && this.failure === undefined) await roomIn(this.parser);
    this.check();
  }

  async end(): Promise<Lines | undefined> {
    const rest = this.decoded();
    await new Promise<void>((resolve) => {
      this.parser.once('close', resolve);
      this.parser.end(rest);
    });
    this.check();
    return this.content();
  }

  /** What is wrong with the columns goes to the faults. */
  protected abstract begin(columns: string[]): void;
  protected abstract row(cells: string[], line: number): void;
  protected abstract content(): Promise<Lines | undefined>;

  protected fault(line: number, field: string, message: string): void {
    this.faults.push({ field: `lines.${line}.${field}`, message });
  }

  private one(cells: string[], line: number): void {
    if (this.columns === undefined) {
      this.columns = cells;
      this.begin(cells);
    } else if (cells.length !== this.columns.length)
      this.fault(line, 'row', `must have ${this.columns.length} columns, not ${cells.length}`);
    else this.row(cells, line);
  }

  private decoded(piece?: Buffer): string {
    try {
      return piece === undefined ? this.text.decode() : this.text.decode(piece, { stream: true });
    } catch {
      this.faults.push({ field: 'body', message: 'must be UTF-8' });
      throw new Refused();
    }
  }

  private check(): void {
    if (this.failure === undefined) return;
    if (!(this.failure instanceof CsvError)) throw this.failure;
    const line = Number(this.failure['lines'] ?? 1);
    this.faults.push({ field: `lines.${line}`, message: `is no well-formed CSV (${this.failure.code})` });
    throw new Refused();
  }
}

class FriendshipRows extends Rows {
  private readonly draft = new GraphDraft();
  private from = 0;
  private to = 1;

  protected begin(columns: string[]): void {
    const names = columns.map((name) => name.trim().toLowerCase());
    this.from = names.indexOf('from');
    this.to = names.indexOf('to');
    const unknown = names.find((name, index) => index !== this.from && index !== this.to);
    if (unknown !== undefined)
      this.faults.push({ field: `columns.${unknown.slice(0, 64)}`, message: 'is no known column' });
  }

  protected row(cells: string[], line: number): void {
    const [from, to] = [(cells[this.from] ?? '').trim(), (cells[this.to] ?? '').trim()];
    if (!isPersonId(from)) return this.fault(line, 'from', BAD_PERSON_ID);
    if (!isPersonId(to)) return this.fault(line, 'to', BAD_PERSON_ID);
    this.draft.add(from, to);
    const beyond = beyondLimits(this.draft, this.limits);
    if (beyond === undefined) return;
    this.faults.push({ field: `lines.${line}`, message: `is ${beyond}` });
  }

  protected content(): Promise<Lines | undefined> {
    return friendshipsIn(this.draft, this.faults);
  }
}

class PeopleRows extends Rows {
  private readonly people = new Map<string, { line: number; profile: string }>();
  private columns_: (string | undefined)[] = [];

  protected begin(columns: string[]): void {
    this.faults.push(...faultsOfColumns(columns));
    this.columns_ = columns.map(columnOf);
  }

  protected row(cells: string[], line: number): void {
    const read = personOf(this.columns_, cells);
    if ('faults' in read) {
      for (const { field, message } of read.faults) this.fault(line, field, message);
      return;
    }
    const { person, profile = {} } = read.person;
    const before = this.people.get(person);
    if (before !== undefined) return this.fault(line, 'id', `is on line ${before.line}, too`);
    this.people.set(person, { line, profile: JSON.stringify(profile) });
    if (this.people.size > this.limits.people)
      this.faults.push({ field: `lines.${line}`, message: `is one person more than ${this.limits.people}` });
  }

  protected async content(): Promise<Lines | undefined> {
    const { people } = this;
    if (people.size === 0 || this.faults.length > 0) return nothing(this.faults);
    return {
      ...{ kind: 'people', people: people.size, friendships: 0 },
      fields: PROFILE_FIELDS.filter((field) => this.columns_.includes(field)),
      rows: {
        *[Symbol.iterator](): Iterator<UploadedPerson> {
          for (const [person, { profile }] of people)
            yield { person, profile: JSON.parse(profile) as Record<string, string> };
        },
      },
    };
  }
}

function beyondLimits(draft: GraphDraft, limits: UploadLimits): string | undefined {
  if (draft.people > limits.people) return `one person more than ${limits.people}`;
  if (draft.lines > limits.friendships) return `one friendship more than ${limits.friendships}`;
  return undefined;
}

async function friendshipsIn(draft: GraphDraft, faults: FieldFault[]): Promise<Lines | undefined> {
  if (draft.people === 0 || faults.length > 0) return nothing(faults);
  const rows = await draft.arranged(() => turn());
  return { kind: 'friendships', people: rows.people, friendships: rows.friendships, fields: [], rows };
}

function nothing(faults: FieldFault[]): undefined {
  if (faults.length === 0) faults.push({ field: 'body', message: 'names nobody' });
  return undefined;
}
