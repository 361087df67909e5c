import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { MakeExportFile } from '../application/make-export-file';
import { EXPORT_FILES, type ExportFormat, requestedExport } from '../domain/export';
import { ImportLog } from '../domain/export-ports';
import { ArangoExportSource } from '../infrastructure/arango-export-source';
import { DuckDbExportDrafts } from '../infrastructure/duckdb-export-drafts';
import { LocalExportFiles } from '../infrastructure/local-export-files';
import { SCOPE } from './graph';
import { connected } from './stand';

export interface MadeExport {
  file: string;
  bytes: number;
  tookMs: number;
  /** Resident memory at its highest beyond what there was before, in MB. */
  moreMb: number;
}

const SAMPLE_MS = 10;
const clock = new SystemClock();

/** A process that makes one file as graph-storage does, and watches its own memory: DuckDB's counts too. */
async function make(order: { url: string; folder: string; format: ExportFormat }): Promise<MadeExport> {
  mkdirSync(order.folder, { recursive: true });
  const db = connected(order.url);
  await db.version();
  const maker = new MakeExportFile(
    new ArangoExportSource(db),
    new NoImports(),
    new DuckDbExportDrafts(order.folder),
    new LocalExportFiles(order.folder),
  );
  const id = new TimeOrderedIds().next();
  const now = clock.nowMs();
  const wanted = requestedExport({ id, ...SCOPE, subject: { kind: 'graph' }, format: order.format }, now);
  const before = process.memoryUsage.rss();
  let highest = before;
  const sampling = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, SAMPLE_MS);
  const begun = clock.monotonicMs();
  const file = `${SCOPE.workspaceId}/${id}.${EXPORT_FILES[order.format].extension}`;
  const signal = new AbortController().signal;
  const { bytes } = await maker.execute(
    wanted,
    { file, startedAt: now },
    { people: 0, friendships: 0 },
    signal,
  );
  clearInterval(sampling);
  const tookMs = clock.monotonicMs() - begun;
  db.close();
  return { file: join(order.folder, 'files', file), bytes, tookMs, moreMb: (highest - before) / 1e6 };
}

/** Whole graphs are asked for, never what an import saw. */
class NoImports extends ImportLog {
  sightings(): Promise<never> {
    return Promise.reject(new Error('this bench asks for whole graphs'));
  }
}

process.once('message', (order: Parameters<typeof make>[0]) => {
  make(order).then(
    (made) => process.send?.(made),
    (error: unknown) => {
      process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(0));
