import { ClickHouseError, createClient, type ClickHouseClient } from '@clickhouse/client';
import { ALL_TABLES } from '../application/tables';
import {
  rowsRefused,
  Warehouse,
  warehouseUnavailable,
  type RowsOfTable,
  type Scope,
} from '../application/warehouse';
import { schemaStatements } from './sql-file';

/** Writes are answered by then, or repeated. */
const WRITE_TIMEOUT_MS = 20_000;
/** A question may go through everything. */
const ASK_TIMEOUT_MS = 300_000;

/** Codes of the server for which the rows are to blame: texts that do not parse, values out of range, constraints. */
const REFUSALS = new Set([
  ...['6', '26', '27', '33', '38', '41', '43', '53', '69', '70', '72', '117', '130', '131', '321', '349'],
  '469',
]);

/**
 * Rows go in as JSON lines, one insert for each table of a batch. A batch that was cut off is written again whole:
 * ReplacingMergeTree makes one row of rows with the same key.
 */
export class ClickHouseWarehouse extends Warehouse {
  readonly #client: ClickHouseClient;
  readonly #asking: ClickHouseClient;

  /** `http://user:password@host:8123/database`; the database must exist, the account may create tables in it. */
  constructor(url: string) {
    super();
    const common = {
      url,
      application: 'sociograph-analytics',
      // A word of the client's log would hold rows.
      log: { level: 127 },
      clickhouse_settings: { mutations_sync: '2' },
    } as const;
    this.#client = createClient({ ...common, request_timeout: WRITE_TIMEOUT_MS });
    this.#asking = createClient({ ...common, request_timeout: ASK_TIMEOUT_MS });
  }

  async prepare(): Promise<void> {
    await translated(async () => {
      for (const query of schemaStatements('clickhouse')) await this.#client.command({ query });
    });
  }

  async write(rows: RowsOfTable): Promise<void> {
    await translated(async () => {
      for (const [{ name, columns }, values] of rows)
        await this.#client.insert({
          table: name,
          columns: Object.keys(columns) as [string, ...string[]],
          values,
          format: 'JSONEachRow',
        });
    });
  }

  async peopleIn(scope: Scope): Promise<string[]> {
    const parts = ALL_TABLES.flatMap(({ name, people: { rows, lists, posts } }) =>
      [
        ...rows.map((column) => `ifNull(${column}, '')`),
        ...lists.map((column) => `arrayJoin(${column})`),
        ...posts.map(ownerOf),
      ].map((id) => `SELECT ${id} AS id FROM ${name} WHERE ${THEIRS}`),
    );
    const sql = `SELECT DISTINCT id FROM (${parts.join(' UNION ALL ')}) WHERE id != ''`;
    const found = await this.#rows(sql, { ...scope });
    return found.map(({ id }) => String(id));
  }

  async erase(scope: Scope, ids: readonly string[]): Promise<void> {
    for (const { name, people } of ALL_TABLES) {
      for (const column of people.rows) await this.#delete(name, `has(${IDS}, ${column})`, scope, ids);
      for (const column of people.lists)
        await this.#update(
          name,
          `${column} = arrayFilter(one -> NOT has(${IDS}, one), ${column})`,
          `hasAny(${column}, ${IDS})`,
          scope,
          ids,
        );
      // Not NULL: that would hide the text behind a mask and keep it on disk.
      for (const column of people.posts)
        await this.#update(name, `${column} = ''`, `has(${IDS}, ${ownerOf(column)})`, scope, ids);
    }
  }

  async removePosts(scope: Scope, ids: readonly string[]): Promise<void> {
    await this.#delete('posts', `has(${IDS}, id)`, scope, ids);
  }

  ask(sql: string): Promise<Record<string, unknown>[]> {
    return this.#rows(sql, {});
  }

  async answers(): Promise<boolean> {
    return (await this.#client.ping()).success;
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#asking.close()]);
  }

  #delete(table: string, which: string, scope: Scope, ids: readonly string[]): Promise<void> {
    return this.#mutate(table, 'DELETE', which, scope, ids);
  }

  #update(table: string, change: string, which: string, scope: Scope, ids: readonly string[]): Promise<void> {
    return this.#mutate(table, `UPDATE ${change}`, which, scope, ids);
  }

  /**
   * A mutation rewrites the parts that hold such rows; it is waited for. It goes on when the wait is over, so whether there
   * are such rows is asked first: repeats would queue up behind it.
   */
  async #mutate(
    table: string,
    change: string,
    which: string,
    scope: Scope,
    ids: readonly string[],
  ): Promise<void> {
    const where = `WHERE ${THEIRS} AND ${which}`;
    const query_params = { ...scope, ids: [...ids] };
    const found = await this.#rows(`SELECT 1 AS one FROM ${table} ${where} LIMIT 1`, query_params);
    if (found.length === 0) return;
    await translated(() =>
      this.#client.command({ query: `ALTER TABLE ${table} ${change} ${where}`, query_params }),
    );
  }

  #rows(query: string, query_params: Record<string, unknown>): Promise<Record<string, unknown>[]> {
    return translated(async () => {
      const answer = await this.#asking.query({ query, query_params, format: 'JSONEachRow' });
      return answer.json<Record<string, unknown>>();
    });
  }
}

const IDS = '{ids:Array(String)}';
const THEIRS = 'workspace_id = {workspaceId:String} AND network = {network:String}';

/** As `wallOwnerOf` says it: an id may hold underscores itself. */
function ownerOf(column: string): string {
  return `replaceRegexpOne(ifNull(${column}, ''), '_[^_]*$', '')`;
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The server's sentences quote rows: only code and type are told, and no cause, which logs would tell.
    if (error instanceof ClickHouseError) {
      const reason = `ClickHouse says ${error.code} ${error.type ?? ''}`.trim();
      throw REFUSALS.has(error.code) ? rowsRefused(reason) : warehouseUnavailable(reason);
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer';
    throw warehouseUnavailable(`ClickHouse: ${code}`, error);
  }
}
