import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import type { ColumnKind, Row, Table } from '../application/tables';
import { ALL_TABLES } from '../application/tables';
import {
  rowsRefused,
  Warehouse,
  warehouseUnavailable,
  type RowsOfTable,
  type Scope,
} from '../application/warehouse';
import { schemaStatements } from './sql-file';

const TYPES: Readonly<Record<ColumnKind, unknown>> = {
  text: 'VARCHAR',
  number: 'UBIGINT',
  flag: 'BOOLEAN',
  texts: ['VARCHAR'],
};

const SETTINGS = {
  threads: '2',
  memory_limit: '512MB',
  // Nothing is fetched over the network; JSON is built in.
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
};

/** Errors of the engine for which the rows are to blame. */
const REFUSALS = /^(Constraint|Conversion|Invalid Input|Out of Range|Invalid Type) Error/;

/** Errors that quote paths and processes, never rows. */
const ABOUT_FILES = /^(IO|Permission|Connection) Error/;

/**
 * The embedded warehouse: one file, one process at a time. A batch is one transaction; rows go in as one JSON text for
 * each table and are merged by key and version.
 */
export class DuckDbWarehouse extends Warehouse {
  #open: Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> | undefined;
  #closed = false;

  /** `:memory:` keeps nothing. The file holds what people show of themselves, hence mode 0600. */
  constructor(private readonly file: string) {
    super();
  }

  async prepare(): Promise<void> {
    await this.#transaction(async (connection) => {
      for (const statement of schemaStatements('duckdb')) await connection.run(statement);
    });
  }

  async write(rows: RowsOfTable): Promise<void> {
    await this.#transaction(async (connection) => {
      for (const [table, content] of rows)
        await connection.run(mergeInto(table), [JSON.stringify(content.map((row) => asJson(table, row)))]);
    });
  }

  async peopleIn({ workspaceId, network }: Scope): Promise<string[]> {
    const parts = ALL_TABLES.flatMap(({ name, people: { rows, lists, posts } }) =>
      [...rows, ...lists.map((column) => `unnest(${column})`), ...posts.map((column) => ownerOf(column))].map(
        (id) => `SELECT ${id} AS id FROM ${name} WHERE workspace_id = $1 AND network = $2`,
      ),
    );
    const sql = `SELECT DISTINCT id FROM (${parts.join(' UNION ALL ')}) AS named WHERE id <> ''`;
    const found = await this.#rows(sql, [workspaceId, network]);
    return found.map(({ id }) => String(id));
  }

  async erase(scope: Scope, ids: readonly string[]): Promise<void> {
    const values = [scope.workspaceId, scope.network, JSON.stringify(ids)];
    const gone = `(SELECT unnest(from_json($3::JSON, '["VARCHAR"]')))`;
    const theirs = 'workspace_id = $1 AND network = $2';
    await this.#transaction(async (connection) => {
      for (const { name, people } of ALL_TABLES) {
        for (const column of people.rows)
          await connection.run(`DELETE FROM ${name} WHERE ${theirs} AND ${column} IN ${gone}`, values);
        for (const column of people.lists) {
          const list = `from_json($3::JSON, '["VARCHAR"]')`;
          await connection.run(
            `UPDATE ${name} SET ${column} = list_filter(${column}, one -> NOT list_contains(${list}, one)) ` +
              `WHERE ${theirs} AND list_has_any(${column}, ${list})`,
            values,
          );
        }
        for (const column of people.posts)
          await connection.run(
            `UPDATE ${name} SET ${column} = '' WHERE ${theirs} AND ${ownerOf(column)} IN ${gone}`,
            values,
          );
      }
    });
    // What was deleted leaves the write-ahead log with a checkpoint.
    await this.#run((connection) => connection.run('CHECKPOINT'));
  }

  async removePosts({ workspaceId, network }: Scope, ids: readonly string[]): Promise<void> {
    await this.#run((connection) =>
      connection.run(
        `DELETE FROM posts WHERE workspace_id = $1 AND network = $2 AND id IN (SELECT unnest(from_json($3::JSON, '["VARCHAR"]')))`,
        [workspaceId, network, JSON.stringify(ids)],
      ),
    );
  }

  ask(sql: string): Promise<Record<string, unknown>[]> {
    return this.#rows(sql, []);
  }

  async answers(): Promise<boolean> {
    return (await this.#rows('SELECT 1 AS one', [])).length === 1;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = await this.#open?.catch(() => undefined);
    this.#open = undefined;
    open?.connection.closeSync();
    open?.instance.closeSync();
  }

  #rows(sql: string, values: DuckDBValue[]): Promise<Record<string, unknown>[]> {
    return this.#run(async (connection) => (await connection.runAndReadAll(sql, values)).getRowObjectsJson());
  }

  async #transaction(work: (connection: DuckDBConnection) => Promise<unknown>): Promise<void> {
    await this.#run(async (connection) => {
      await connection.run('BEGIN TRANSACTION');
      try {
        await work(connection);
        await connection.run('COMMIT');
      } catch (error) {
        await connection.run('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  async #run<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    if (this.#closed) throw warehouseUnavailable('it is closed');
    try {
      this.#open ??= this.#connect();
      return await work((await this.#open).connection);
    } catch (error) {
      // Errors of a native module are of another realm under jest: `instanceof` does not know them.
      const { message = error } = error as { message?: unknown };
      const reason = String(message).split('\n')[0] ?? '';
      if (REFUSALS.test(reason)) throw rowsRefused(withoutValues(reason));
      throw warehouseUnavailable(ABOUT_FILES.test(reason) ? reason.slice(0, 200) : withoutValues(reason));
    }
  }

  async #connect(): Promise<{ instance: DuckDBInstance; connection: DuckDBConnection }> {
    try {
      const { DuckDBInstance: Instance } = await import('@duckdb/node-api');
      if (this.file !== ':memory:') mkdirSync(dirname(resolve(this.file)), { recursive: true, mode: 0o700 });
      const instance = await Instance.create(this.file, SETTINGS);
      if (this.file !== ':memory:') chmodSync(this.file, 0o600);
      return { instance, connection: await instance.connect() };
    } catch (error) {
      this.#open = undefined;
      throw error;
    }
  }
}

/** As `wallOwnerOf` says it: an id may hold underscores itself. */
function ownerOf(column: string): string {
  return `regexp_replace(${column}, '_[^_]*$', '')`;
}

/** Sentences of the engine quote what they refuse, which may be somebody's name. */
function withoutValues(reason: string): string {
  return (reason.split(/[:"']/)[0] ?? '').slice(0, 100);
}

/** Of rows with the same key the newest stays, whatever the order and however often they come. */
function mergeInto({ name, columns, key, newestBy }: Table): string {
  const names = Object.keys(columns);
  const structure = JSON.stringify([
    Object.fromEntries(Object.entries(columns).map(([column, kind]) => [column, TYPES[kind]])),
  ]);
  const given = `SELECT r.* FROM (SELECT unnest(from_json_strict($1::JSON, '${structure}')) AS r)`;
  const same = key.map((column) => `t.${column} = s.${column}`).join(' AND ');
  const versions = (table: string): string =>
    `(${newestBy.map((column) => `${table}.${column}`).join(', ')})`;
  const newer = newestBy.length === 0 ? 'false' : `${versions('s')} > ${versions('t')}`;
  return (
    `MERGE INTO ${name} AS t USING (${given}) AS s ON ${same} ` +
    `WHEN MATCHED AND ${newer} THEN UPDATE SET ${names.map((column) => `${column} = s.${column}`).join(', ')} ` +
    `WHEN NOT MATCHED THEN INSERT (${names.join(', ')}) VALUES (${names.map((column) => `s.${column}`).join(', ')})`
  );
}

/** Every column, so that an absent one is not taken from elsewhere. */
function asJson({ columns }: Table, row: Row): Row {
  return Object.fromEntries(Object.keys(columns).map((column) => [column, row[column] ?? null]));
}
