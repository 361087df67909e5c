import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Document } from './graph-store';
import type { RecordLine } from './kafka-log';
import { readLines } from './lines-file';

/** One erased person, as `sociograph.graph.suppressions.v1` says it: names nobody. */
export interface Mark {
  readonly workspaceId: string;
  readonly network: string;
  readonly mark: string;
  readonly erasureId: string;
  readonly at: number;
}

/** Marks in a dump of the topic. */
export async function marksIn(file: string): Promise<Mark[]> {
  const marks: Mark[] = [];
  for await (const { v } of readLines<RecordLine>(file)) {
    if (v === null) continue;
    const value = JSON.parse(Buffer.from(v, 'base64').toString('utf8')) as Partial<Mark>;
    if (typeof value.mark === 'string') marks.push(value as Mark);
  }
  return marks;
}

/** Marks of a file of one JSON value a line; none where there is no file. */
export function readLedger(file: string): Mark[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Mark);
}

/**
 * Adds marks to the file: it lies beside the backups and is newer than most of them, so that a restored backup does not bring
 * back who was erased since. Nothing is ever taken out.
 */
export function addToLedger(file: string, marks: readonly Mark[]): number {
  const all = merged(readLedger(file), marks);
  writeFileSync(`${file}.new`, all.map((mark) => `${JSON.stringify(mark)}\n`).join(''), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return all.length;
}

export function merged(...lists: (readonly Mark[])[]): Mark[] {
  return [...new Map(lists.flat().map((mark) => [mark.mark, mark])).values()];
}

/** Finds whom marks are of among the documents of the graph that it is shown. */
export class ErasedFinder {
  readonly #marks: ReadonlySet<string>;
  readonly #scopes: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  /** Id by mark. */
  readonly found = new Map<string, string>();

  constructor(
    private readonly key: Buffer,
    marks: readonly Mark[],
  ) {
    this.#marks = new Set(marks.map(({ mark }) => mark));
    this.#scopes = new Set(marks.map(({ workspaceId, network }) => `${workspaceId}.${network}`));
  }

  look({ _key, _from, _to }: Document): void {
    if (_from === undefined) this.#ask(_key);
    for (const end of [_from, _to])
      if (typeof end === 'string' && end.startsWith('users/')) this.#ask(end.slice('users/'.length));
  }

  /** `workspace.network.id`: a point stands in none of them. */
  #ask(vertex: string): void {
    const [workspaceId = '', network = '', id = '', more] = vertex.split('.');
    if (id === '' || more !== undefined || !this.#scopes.has(`${workspaceId}.${network}`)) return;
    if (this.#seen.has(vertex)) return;
    this.#seen.add(vertex);
    const mark = markOf(this.key, workspaceId, network, id);
    if (this.#marks.has(mark)) this.found.set(mark, id);
  }
}

/** As libs/suppression makes it; a spec holds both to the same mark. */
export function markOf(key: Buffer, workspaceId: string, network: string, id: string): string {
  return createHmac('sha256', key).update(`${workspaceId}\n${network}\n${id}`).digest('hex');
}

/** Where traces may be, as receipts list them (services/graph-storage-service/src/domain/erasure.ts). */
const PLACES = [
  ...['vertex', 'edges', 'history', 'posts', 'lists-of-others', 'exports', 'views', 'caches', 'queues'],
  ...['change-log', 'observation-log', 'dead-letters', 'logs', 'database-files'],
];

/**
 * The receipt of somebody who stands in what was restored, open: graph-storage tells the mark once more and sweeps the person
 * out as at the first time. `known`: the receipt that the backup has.
 */
export function openErasure(
  mark: Mark,
  personId: string,
  known: Document | undefined,
  now: number,
): Document {
  const id = mark.mark.slice(0, 32);
  const before: Document = known ?? { _key: id, requestedAt: mark.at, requestedBy: 'restore' };
  const { sweptAt: _, suppressedAt: __, checkedAt: ___, completedAt: ____, ...receipt } = before;
  return {
    ...receipt,
    _key: id,
    id,
    workspaceId: mark.workspaceId,
    network: mark.network,
    mark: mark.mark,
    personId,
    state: 'erasing',
    open: true,
    touched: { people: [], repeats: [], posts: [] },
    ends: {},
    places: {
      ...Object.fromEntries(PLACES.map((place) => [place, {}])),
      logs: { doneAt: now },
    },
  };
}
