import {
  fillTables,
  inPostgres,
  migratedDatabase,
  type OwnServiceDatabase,
  seededChance,
  servicesWithDatabases,
  type ServiceTable,
  tablesOf,
} from '@sociograph/testing';
import { Postgres, type Queryable } from '../src';

jest.setTimeout(120_000);

const logger = { warn: () => undefined };
const WORKSPACES = ['red', 'green'] as const;
const ROWS = 3;
const QUERIES = 10_000;
/** More transactions at once than connections, so that one connection serves both workspaces in turn. */
const AT_ONCE = 8;
const CONNECTIONS = 2;
const IN_ONE = 10;

describe('of services with a database', () => {
  it('none is left out', () => {
    expect(servicesWithDatabases().sort()).toEqual(['identity-service', 'key-service', 'parser-service']);
  });
});

describe.each(servicesWithDatabases())('the rows of workspaces in the database of %s', (service) => {
  let database: OwnServiceDatabase;
  let tables: ServiceTable[];
  /** Those that the serving role reads. */
  let read: ServiceTable[];
  let app: Postgres;
  /** Rows of one workspace by table; both have as many. */
  const rowsIn = new Map<string, number>();

  beforeAll(async () => {
    database = await migratedDatabase(service);
    tables = await tablesOf(database);
    read = tables.filter(({ columns }) => columns.length > 0);
    await fillTables(database, WORKSPACES, ROWS);
    await inPostgres(database.adminUrl, async (admin) => {
      for (const { name, marks } of read) {
        const { rows } = await admin.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM ${name} WHERE ${marks.join(' = $1 AND ')} = $1`,
          [WORKSPACES[0]],
        );
        rowsIn.set(name, rows[0]?.count ?? 0);
      }
    });
    app = new Postgres({ url: database.urlOf('app'), max: CONNECTIONS, logger });
  });
  afterAll(async () => {
    await app?.end();
    await database?.drop();
  });

  const asAdmin = (sql: string): Promise<unknown> =>
    inPostgres(database.adminUrl, (admin) => admin.query(sql));

  /** Reads, or changes, a whole table; what was wrong with that. */
  async function whole(
    q: Queryable,
    { name, columns, marks, changeable }: ServiceTable,
    workspace: string | undefined,
    changes: boolean,
  ): Promise<string[]> {
    const expected = workspace === undefined ? 0 : rowsIn.get(name);
    if (changes && changeable !== undefined) {
      const { rowCount } = await q.query(`UPDATE ${name} SET ${changeable} = ${changeable}`);
      return rowCount === expected ? [] : [`${workspace} changed ${rowCount} rows of ${name}`];
    }
    const { rows } = await q.query(`SELECT ${columns.join(', ')} FROM ${name}`);
    const foreign = rows.filter((row) => !marks.some((mark) => row[mark] === workspace));
    if (foreign.length > 0) return [`${workspace} saw ${foreign.length} foreign rows of ${name}`];
    return rows.length === expected ? [] : [`${workspace} saw ${rows.length} rows of ${name}`];
  }

  /** So many queries without a where-clause, both workspaces in turn and at once; some transactions fail, some have none. */
  async function interleaved(queries: number, from: readonly ServiceTable[]): Promise<string[]> {
    const chance = seededChance(7);
    const faults: string[] = [];
    const pick = (): ServiceTable => from[Math.floor(chance() * from.length)] as ServiceTable;
    let left = queries;
    const turn = async (): Promise<void> => {
      left -= IN_ONE;
      const workspace = WORKSPACES[Math.floor(chance() * WORKSPACES.length)] as string;
      const chosen = Array.from({ length: IN_ONE }, pick);
      const fate = chance();
      if (fate < 0.05) {
        for (const table of chosen) faults.push(...(await whole(app, table, undefined, false)));
        return;
      }
      const undone = new Error('undone');
      try {
        const seen = await app.inWorkspace(workspace, async (q) => {
          const found: string[] = [];
          // One change, at the end: of two that lock several tables in any order one would be ended as a deadlock.
          for (const [at, table] of chosen.entries())
            found.push(...(await whole(q, table, workspace, at === IN_ONE - 1 && fate > 0.5)));
          if (found.length === 0 && fate < 0.1) throw undone;
          return found;
        });
        faults.push(...seen);
      } catch (error) {
        if (error !== undone) faults.push(String(error));
      }
    };
    const worker = async (): Promise<void> => {
      while (left > 0) await turn();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return faults;
  }

  it('are behind forced row-level security in every table, which its owner does not pass either', async () => {
    expect(tables.length).toBeGreaterThan(10);
    expect([...rowsIn.values()].filter((count) => count === 0)).toEqual([]);
    expect(tables.filter(({ forced }) => !forced).map(({ name }) => name)).toEqual([]);
    expect(read.filter(({ marks }) => marks.length === 0).map(({ name }) => name)).toEqual([]);
    const owned = await inPostgres(database.urlOf('owner'), async (owner) => {
      const counts: string[] = [];
      for (const { name } of tables) {
        const { rows } = await owner.query<{ count: string }>(`SELECT count(*) FROM ${name}`);
        counts.push(`${name} ${rows[0]?.count ?? ''}`);
      }
      return counts;
    });
    expect(owned).toEqual(tables.map(({ name }) => `${name} 0`));
  });

  it('are never seen or changed from another one, in 10,000 queries without where-clauses over two connections', async () => {
    expect(await interleaved(QUERIES, read)).toEqual([]);
    expect(app.load.total).toBeLessThanOrEqual(CONNECTIONS);
  });

  it('would be seen by that where the security of one table is off', async () => {
    for (const table of read) {
      await asAdmin(`ALTER TABLE ${table.name} DISABLE ROW LEVEL SECURITY`);
      const faults = await interleaved(4 * IN_ONE, [table]);
      await asAdmin(`ALTER TABLE ${table.name} ENABLE ROW LEVEL SECURITY`);
      expect([table.name, faults.some((fault) => fault.includes(table.name))]).toEqual([table.name, true]);
    }
  });

  it('are not made for another one, nor given to it', async () => {
    const refused = { code: '42501' };
    for (const { name, marks, takes, changeable } of read) {
      const [mark] = marks;
      if (mark === undefined) continue;
      const give = (q: Queryable): Promise<unknown> => q.query(`UPDATE ${name} SET ${mark} = 'green'`);
      // Without the right to that column it is refused as well.
      if (changeable !== undefined) await expect(app.inWorkspace('red', give)).rejects.toMatchObject(refused);
      const make = (q: Queryable): Promise<unknown> =>
        q.query(`INSERT INTO ${name} (${mark}) VALUES ('green')`);
      if (takes) await expect(app.inWorkspace('red', make)).rejects.toMatchObject(refused);
    }
  });
});
