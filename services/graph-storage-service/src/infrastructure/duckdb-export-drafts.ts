import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { DuckDBAppender, DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import { ZipFile } from 'yazl';
import type { ExportFormat } from '../domain/export';
import {
  ExportDraft,
  ExportDrafts,
  type ExportedFriendship,
  type ExportedPerson,
} from '../domain/export-ports';
import { EXPORT_TABLES } from './export-tables';
import { gexf, graphml, type XmlFriendship, type XmlPerson } from './export-xml';

type Sdk = typeof import('@duckdb/node-api');

/** Rows of a chunk: the engine's vector size. */
const CHUNK = 2_048;
/** What does not fit waits on disk beside the draft. One thread: exports are background work. */
const SETTINGS = {
  threads: '1',
  memory_limit: '40MB',
  // Nothing is fetched over the network; CSV and Parquet are built in.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/**
 * Drafts as DuckDB files in a folder of their own each. The engine is loaded when the first export is made: it costs
 * 20 MB that a process without exports need not pay.
 */
export class DuckDbExportDrafts extends ExportDrafts {
  /** Drafts lie in `drafts` below the folder. */
  constructor(private readonly folder: string) {
    super();
  }

  async open(id: string, signal: AbortSignal): Promise<ExportDraft> {
    await mkdir(this.#drafts, { recursive: true, mode: 0o700 });
    // Of this attempt alone: a maker that was given up may still be at work beside the next one. What it leaves when it
    // dies is swept by age.
    const folder = await mkdtemp(join(this.#drafts, `${id}-`));
    const sdk = await import('@duckdb/node-api');
    const instance = await sdk.DuckDBInstance.create(join(folder, 'draft.duckdb'), {
      ...SETTINGS,
      temp_directory: join(folder, 'spill'),
    });
    const connection = await instance.connect();
    await connection.run(EXPORT_TABLES.create);
    const appenders = {
      found: await connection.createAppender('found'),
      friendships: await connection.createAppender('friendships'),
    };
    return new DuckDbExportDraft(sdk, instance, connection, appenders, folder, signal);
  }

  async sweep(before: number): Promise<void> {
    const names = await readdir(this.#drafts).catch(() => []);
    for (const name of names) {
      const folder = join(this.#drafts, name);
      const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (mtimeMs < before) await rm(folder, { recursive: true, force: true });
    }
  }

  get #drafts(): string {
    return join(this.folder, 'drafts');
  }
}

class DuckDbExportDraft extends ExportDraft {
  #counts = { people: 0, friendships: 0 };
  readonly #interrupt = (): void => this.connection.interrupt();

  constructor(
    private readonly sdk: Sdk,
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private appenders: Partial<Record<'found' | 'friendships', DuckDBAppender>>,
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {
    super();
    signal.addEventListener('abort', this.#interrupt);
  }

  addFriendships(friendships: readonly ExportedFriendship[]): void {
    const { VARCHAR, DOUBLE, BOOLEAN } = this.sdk;
    this.#append(
      'friendships',
      [VARCHAR, VARCHAR, DOUBLE, BOOLEAN, DOUBLE, DOUBLE, VARCHAR, VARCHAR],
      [
        friendships.map(({ lowId }) => lowId),
        friendships.map(({ highId }) => highId),
        friendships.map(({ since }) => since),
        friendships.map(({ disputed }) => disputed),
        friendships.map(({ lowSeenAt }) => lowSeenAt),
        friendships.map(({ highSeenAt }) => highSeenAt),
        friendships.map(({ lowImport }) => lowImport),
        friendships.map(({ highImport }) => highImport),
      ],
    );
  }

  addPeople(people: readonly ExportedPerson[]): void {
    const { VARCHAR, DOUBLE, BOOLEAN } = this.sdk;
    const field = (name: string): (string | null)[] =>
      people.map(({ profile }) => (typeof profile[name] === 'string' ? profile[name] : null));
    const fields = ['firstName', 'lastName', 'screenName', 'sex', 'birthDate', 'city', 'country'];
    this.#append(
      'found',
      [VARCHAR, BOOLEAN, VARCHAR, ...fields.map(() => VARCHAR), BOOLEAN, DOUBLE],
      [
        people.map(({ id }) => id),
        people.map(({ member }) => member),
        people.map(({ state }) => state),
        ...fields.map(field),
        people.map(({ profile }) => (typeof profile['closed'] === 'boolean' ? profile['closed'] : null)),
        people.map(({ observedAt }) => observedAt),
      ],
    );
  }

  async complete(): Promise<{ people: number; friendships: number }> {
    for (const appender of Object.values(this.appenders)) appender.closeSync();
    this.appenders = {};
    await this.connection.run(EXPORT_TABLES.complete);
    const reader = await this.connection.runAndReadAll(EXPORT_TABLES.count);
    const [people, friendships] = reader.getRows()[0] ?? [];
    this.#counts = { people: Number(people), friendships: Number(friendships) };
    return this.#counts;
  }

  contents(format: ExportFormat, about: { name: string; madeAt: number }): AsyncIterable<Uint8Array> {
    switch (format) {
      case 'gexf':
      case 'graphml':
        return this.#xml(format, about);
      case 'csv':
      case 'parquet':
        return this.#zipped(format, about.madeAt);
    }
  }

  async discard(): Promise<void> {
    this.signal.removeEventListener('abort', this.#interrupt);
    for (const appender of Object.values(this.appenders)) appender.closeSync();
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }

  #append(
    table: 'found' | 'friendships',
    types: Parameters<Sdk['DuckDBDataChunk']['create']>[0],
    columns: readonly (readonly DuckDBValue[])[],
  ): void {
    const rows = columns[0]?.length ?? 0;
    const appender = this.appenders[table];
    if (!appender) throw new Error('the draft is complete');
    for (let at = 0; at < rows; at += CHUNK) {
      const part = columns.map((column) => column.slice(at, at + CHUNK));
      const chunk = this.sdk.DuckDBDataChunk.create(types, part[0]?.length ?? 0);
      chunk.setColumns(part);
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  }

  async *#xml(
    format: 'gexf' | 'graphml',
    { name, madeAt }: { name: string; madeAt: number },
  ): AsyncIterable<Uint8Array> {
    const write = format === 'gexf' ? gexf : graphml;
    const pieces = write({
      name,
      madeAt: new Date(madeAt).toISOString(),
      counts: this.#counts,
      people: this.#pages<XmlPerson>(EXPORT_TABLES.xmlPeople),
      friendships: this.#pages<XmlFriendship>(EXPORT_TABLES.xmlFriendships),
    });
    for await (const piece of pieces) if (piece !== '') yield Buffer.from(piece);
  }

  async *#pages<Row>(sql: string): AsyncIterable<readonly Row[]> {
    const result = await this.connection.stream(sql);
    for await (const rows of result.yieldRowObjects()) yield rows as unknown as readonly Row[];
  }

  /** Two tables, one file: made on disk beside the draft, zipped while it is read. */
  async *#zipped(format: 'csv' | 'parquet', madeAt: number): AsyncIterable<Uint8Array> {
    const tables = ['people', 'friendships'] as const;
    for (const table of tables)
      await this.connection.run(EXPORT_TABLES[format][table](this.#file(table, format)));
    const zip = new ZipFile();
    const open: ReadStream[] = [];
    const options = { mtime: new Date(madeAt), mode: 0o100644, compress: format === 'csv' };
    for (const table of tables) {
      zip.addReadStreamLazy(`${table}.${format}`, options, (found) => {
        open.push(createReadStream(this.#file(table, format)));
        found(null, open.at(-1) as ReadStream);
      });
    }
    zip.on('error', (error: Error) => (zip.outputStream as Readable).destroy(error));
    zip.end();
    try {
      yield* zip.outputStream as Readable as AsyncIterable<Uint8Array>;
    } finally {
      for (const stream of open) stream.destroy();
    }
  }

  #file(table: string, format: string): string {
    return join(this.folder, `${table}.${format}`);
  }
}
