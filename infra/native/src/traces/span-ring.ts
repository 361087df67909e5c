import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredSpan } from './stored-span';

export interface RingLimits {
  /** A file that has reached this is closed, bytes (8 MB). */
  readonly fileBytes: number;
  /** Files that are kept (8): the ring holds at most their product, about 150,000 spans. */
  readonly files: number;
  /** Files that were last written longer ago (ms, three days) go too. */
  readonly ageMs: number;
}

const USUAL_LIMITS: RingLimits = { fileBytes: 8 * 1024 * 1024, files: 8, ageMs: 3 * 86_400_000 };
const FILE = /^spans-(\d{8})\.jsonl$/;

/** Spans in a ring of files, one a line. One process writes; whoever reads needs no leave, and may read while it writes. */
export class SpanRing {
  readonly #limits: RingLimits;
  #current: string;
  #bytes: number;

  constructor(
    private readonly folder: string,
    limits: Partial<RingLimits> = {},
    private readonly now: () => number = Date.now,
  ) {
    this.#limits = { ...USUAL_LIMITS, ...limits };
    mkdirSync(folder, { recursive: true });
    const last = filesOf(folder).at(-1);
    this.#current = last ?? nameOf(1);
    this.#bytes = last === undefined ? 0 : statSync(join(folder, last)).size;
    this.#forget();
  }

  /** Written when it returns, as far as the kernel is concerned: a crash of the process loses nothing. */
  add(spans: readonly StoredSpan[]): void {
    if (spans.length === 0) return;
    if (this.#bytes >= this.#limits.fileBytes) this.#turn();
    const text = spans.map((span) => `${JSON.stringify(span)}\n`).join('');
    appendFileSync(join(this.folder, this.#current), text);
    this.#bytes += Buffer.byteLength(text);
  }

  #turn(): void {
    this.#current = nameOf(Number(FILE.exec(this.#current)?.[1] ?? 0) + 1);
    this.#bytes = 0;
    this.#forget();
  }

  /** The current file may not be there yet, so one place is kept for it. */
  #forget(): void {
    const { files, ageMs } = this.#limits;
    const others = filesOf(this.folder).filter((name) => name !== this.#current);
    const surplus = Math.max(0, others.length - (files - 1));
    others.forEach((name, place) => {
      const path = join(this.folder, name);
      if (place < surplus || statSync(path).mtimeMs < this.now() - ageMs) rmSync(path);
    });
  }
}

/** All spans whose line `wanted` accepts, oldest first. A line that is only half written yet is passed over. */
export function* readSpans(folder: string, wanted: (line: string) => boolean): Generator<StoredSpan> {
  for (const name of filesOf(folder)) {
    const path = join(folder, name);
    // The ring may have dropped it since.
    if (!existsSync(path)) continue;
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      if (line === '' || !wanted(line)) continue;
      const span = parsed(line);
      if (span !== undefined) yield span;
    }
  }
}

function parsed(line: string): StoredSpan | undefined {
  try {
    return JSON.parse(line) as StoredSpan;
  } catch {
    return undefined; // Its end is not written yet.
  }
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => FILE.test(name))
    .sort();
}

function nameOf(place: number): string {
  return `spans-${String(place).padStart(8, '0')}.jsonl`;
}
