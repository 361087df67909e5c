import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Encoding, needlesOf } from './encodings';
import { openSegment } from './kafka-batches';
import { NeedleIndex } from './needle-index';

/** A secret that lies where it must not. It has the secret's name, never the secret. */
export interface Finding {
  secret: string;
  encoding: Encoding;
  place: string;
}

export interface FolderOptions {
  /** Files changed since then (wall clock, ms); others cannot hold what did not exist before. */
  changedSince?: number;
  /** Paths, relative to the folder, that are left out: only what is meant to hold the secret. */
  except?: (path: string) => boolean;
}

const PIECE_BYTES = 4 * 1024 * 1024;

/** Looks for secrets, in every encoding of `needlesOf`, in whatever it is shown, and keeps what it found. */
export class SecretScan {
  readonly findings: Finding[] = [];
  /** What could not be looked into, one sentence each: a scan that skipped something proves nothing. */
  readonly unread: string[] = [];
  files = 0;
  bytes = 0;
  readonly #index: NeedleIndex;
  readonly #known = new Set<string>();

  constructor(secrets: Readonly<Record<string, string>>) {
    this.#index = new NeedleIndex(
      Object.entries(secrets).flatMap(([name, secret]) => needlesOf(name, secret)),
    );
  }

  look(place: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    this.bytes += bytes.length;
    for (const { secret, encoding } of this.#index.in(bytes)) {
      const key = `${secret}|${encoding}|${place}`;
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.findings.push({ secret, encoding, place });
    }
  }

  /** A file, piece by piece; gzip files and Kafka's segments are also looked into unpacked. */
  lookIntoFile(place: string, file: string): void {
    this.files += 1;
    const handle = openSync(file, 'r');
    try {
      const { size } = fstatSync(handle);
      const step = PIECE_BYTES - this.#index.longest;
      const piece = Buffer.alloc(Math.min(PIECE_BYTES, Math.max(size, 1)));
      for (let at = 0; at < size; at += step) {
        const read = readSync(handle, piece, 0, piece.length, at);
        this.look(place, piece.subarray(0, read));
      }
    } finally {
      closeSync(handle);
    }
    if (file.endsWith('.gz')) this.look(`${place}, unpacked`, gunzipSync(readFileSync(file)));
    if (/\/\d{20}\.log$/.test(file)) this.#lookIntoSegment(place, readFileSync(file));
  }

  /** Every regular file below a folder; places are paths relative to it. A file that goes away meanwhile is none. */
  lookIntoFolder(place: string, folder: string, options: FolderOptions = {}): void {
    const { changedSince = 0, except = () => false } = options;
    for (const file of filesBelow(folder)) {
      const path = relative(folder, file);
      if (except(path)) continue;
      try {
        if (statSync(file).mtimeMs >= changedSince) this.lookIntoFile(`${place}: ${path}`, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
          this.unread.push(`${place}: ${path}: ${(error as Error).message}`);
      }
    }
  }

  #lookIntoSegment(place: string, segment: Buffer): void {
    const { unpacked, closed } = openSegment(segment);
    for (const records of unpacked) this.look(`${place}, unpacked`, records);
    if (closed > 0) this.unread.push(`${place}: ${closed} batches in a compression that is not known here`);
  }
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    // A link is followed: PostgreSQL's data folder may be one.
    if (entry.isSymbolicLink()) return isFolder(path) ? filesBelow(path) : [];
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
