import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { type Needle, NeedleIndex, openSegment } from '@sociograph/testing';

/** Kinds of places, in the order of the report. */
export const KINDS = [
  'topic segments',
  'tables and indexes of PostgreSQL',
  'write-ahead log of PostgreSQL',
  'rows of PostgreSQL',
  'files of the graph store',
  'files of redis-pool',
  'keys of redis-pool',
  'keys of redis-cache',
  'files of RabbitMQ',
  'exports',
  'logs',
  'traces',
  'other files',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Trace {
  readonly kind: Kind;
  readonly place: string;
  /** Of the first byte in the file, or in what was unpacked of it. */
  readonly at: number;
  /** What was found: id, first name ... Never the thing itself. */
  readonly what: string;
  readonly encoding: string;
}

const FOLDERS: readonly (readonly [RegExp, Kind])[] = [
  [/^data\/kafka\//, 'topic segments'],
  [/^data\/postgres\/(.*\/)?pg_wal\//, 'write-ahead log of PostgreSQL'],
  [/^data\/postgres\//, 'tables and indexes of PostgreSQL'],
  [/^data\/arango\//, 'files of the graph store'],
  [/^data\/redis-pool\//, 'files of redis-pool'],
  [/^data\/rabbitmq\//, 'files of RabbitMQ'],
  [/^exports\//, 'exports'],
  [/^logs\//, 'logs'],
  [/^traces\//, 'traces'],
];

/** By the path below the stack's folder. */
export function kindOf(path: string): Kind {
  return FOLDERS.find(([folder]) => folder.test(path))?.[1] ?? 'other files';
}

/** They say where records of which time begin, take 10 MB each before anything is in them, and hold nothing else. */
const POSITIONS_ONLY = /^data\/kafka\/.*\/\d{20}\.(index|timeindex)$/;
const SEGMENT = /\/\d{20}\.log(\.\w+)?$/;
/** What services keep packed in a document: base64 of gzip. */
const PACKED_TEXT = /H4sI[A-Za-z0-9+/]{24,}={0,2}/g;
const PIECE_BYTES = 8 * 1024 * 1024;

/** Looks for a person in whatever it is shown, and notes each thing once a place. */
export class PersonScan {
  readonly traces: Trace[] = [];
  /** What could not be looked into: a look that leaves something out proves nothing. */
  readonly unread: string[] = [];
  files = 0;
  bytes = 0;
  readonly #index: NeedleIndex;
  readonly #known = new Set<string>();

  constructor(needles: readonly Needle[]) {
    this.#index = new NeedleIndex(needles);
  }

  look(kind: Kind, place: string, bytes: Uint8Array, from = 0): void {
    this.bytes += bytes.length;
    for (const [{ secret: what, encoding }, at] of this.#index.firstOf(bytes)) {
      const key = `${place}\n${what}\n${encoding}`;
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.traces.push({ kind, place, at: from + at, what, encoding });
    }
  }

  /** Everything below a stack's folder. What goes away meanwhile is none. */
  lookBelow(folder: string): void {
    for (const file of filesBelow(folder)) {
      const path = relative(folder, file);
      if (POSITIONS_ONLY.test(path)) continue;
      try {
        this.#lookInto(kindOf(path), path, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          this.unread.push(`${path}: ${(error as Error).message}`);
      }
    }
  }

  #lookInto(kind: Kind, path: string, file: string): void {
    this.files += 1;
    const handle = openSync(file, 'r');
    try {
      const { size } = fstatSync(handle);
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, Math.max(size, 1)));
      for (let at = 0; at < size; at += PIECE_BYTES - this.#index.longest)
        this.look(kind, path, piece.subarray(0, readSync(handle, piece, 0, piece.length, at)), at);
    } finally {
      closeSync(handle);
    }
    if (file.endsWith('.gz')) this.look(kind, `${path}, unpacked`, gunzipSync(readFileSync(file)));
    if (kind === 'files of the graph store') this.#lookIntoPackedTexts(kind, path, readFileSync(file));
    if (kind !== 'topic segments' || !SEGMENT.test(file)) return;
    const { unpacked, closed } = openSegment(readFileSync(file));
    for (const records of unpacked) this.look(kind, `${path}, unpacked`, records);
    if (closed > 0) this.unread.push(`${path}: ${closed} batches in a compression that is not known here`);
  }

  #lookIntoPackedTexts(kind: Kind, path: string, bytes: Buffer): void {
    for (const { 0: text, index } of bytes.toString('latin1').matchAll(PACKED_TEXT)) {
      const unpacked = unpackedText(text);
      if (unpacked !== undefined) this.look(kind, `${path}, unpacked at ${index}`, unpacked);
    }
  }
}

/** Undefined: what begins like it, and is none any more or was cut. */
function unpackedText(text: string): Buffer | undefined {
  try {
    return gunzipSync(Buffer.from(text, 'base64'), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

function filesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    // PostgreSQL's data folder may be a link.
    if (entry.isSymbolicLink())
      return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? filesBelow(path) : [];
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Kafka and others remove folders while they are looked through. */
function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
