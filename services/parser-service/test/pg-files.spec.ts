import { randomBytes } from 'node:crypto';
import { Secret, TimeOrderedIds } from '@sociograph/kernel';
import { markOf, Suppressions } from '@sociograph/suppression';
import { eventually } from '@sociograph/testing';
import { PgFiles } from '../src/infrastructure/pg-files';
import { PgForgetting } from '../src/infrastructure/pg-forgetting';
import { PrismaImports } from '../src/infrastructure/prisma-imports';
import { anImport } from './builders';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(120_000);

const KEY = new Secret(Buffer.alloc(32, 6).toString('base64'));
const ids = new TimeOrderedIds();
/** Chance makes no such word a second time. */
const PERSON = `p${randomBytes(12).toString('hex')}`;

let database: ScratchDatabase;

beforeAll(async () => {
  database = await scratchDatabase();
  // As infra/native gives them.
  await database.admin.query(
    `GRANT EXECUTE ON FUNCTION pg_switch_wal(), pg_ls_waldir() TO parser_service_owner;
     GRANT pg_checkpoint TO parser_service_owner`,
  );
});

afterAll(() => database.drop());

const logged: string[] = [];
const logger = {
  info: (_fields: object, sentence: string) => void logged.push(sentence),
  warn: (_fields: object, sentence: string) => void logged.push(sentence),
};

let settled: number | undefined;
const announced: number[] = [];
let again: string[] = [];
const progress = {
  settled: () => settled,
  again: async (since: string) => void again.push(since),
  announce: async (upTo: number) => void announced.push(upTo),
};

beforeEach(() => {
  settled = 7;
  announced.length = 0;
  again = [];
  logged.length = 0;
});

function files(ownerUrl: string | undefined, afterMs = 0): PgFiles {
  return new PgFiles({ worker: database.worker, ownerUrl, afterMs, progress, logger });
}

/** Names of the relations whose files hold the word. */
async function relationsHolding(word: string): Promise<string[]> {
  await database.admin.query('CHECKPOINT');
  const { rows } = await database.admin.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relkind IN ('r', 'i', 't') AND NOT relisshared AND pg_relation_filepath(oid) IS NOT NULL
       AND position($1::bytea IN pg_read_binary_file(pg_relation_filepath(oid))) > 0 ORDER BY 1`,
    [Buffer.from(word)],
  );
  return rows.map(({ name }) => name);
}

async function segmentsHolding(word: string): Promise<number> {
  const { rows } = await database.admin.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_ls_waldir()
     WHERE name ~ '^[0-9A-F]{24}$'
       -- A segment may be gone or renamed since it was listed.
       AND position($1::bytea IN pg_read_binary_file('pg_wal/' || name, 0, 67108864, true)) > 0`,
    [Buffer.from(word)],
  );
  return rows[0]?.count ?? 0;
}

async function noted(): Promise<number> {
  return (await database.admin.query('SELECT FROM files_to_rewrite')).rowCount;
}

describe('files of PostgreSQL', () => {
  it('hold whoever left the rows, until they are written anew', async () => {
    const { prisma, app, worker, admin } = database;
    const suppressions = new Suppressions(KEY);
    const importId = ids.next();
    await new PrismaImports(prisma, app, worker).add(anImport({ id: importId, seeds: [PERSON, 'other'] }));
    await admin.query('ANALYZE');
    suppressions.add({
      ...{ workspaceId: 'demo', network: 'toy', erasureId: 'e', at: 1 },
      mark: markOf(KEY, 'demo', 'toy', PERSON),
    });
    expect(await noted()).toBe(0);
    const scope = { workspaceId: 'demo', network: 'toy' };
    expect(await new PgForgetting(worker, suppressions).removeFrom(importId, scope, [PERSON])).toBe(1);
    expect(await noted()).toBe(1);
    const holding = await relationsHolding(PERSON);
    expect(holding).toEqual(expect.arrayContaining(['imports', 'items', 'items_pkey', 'pg_statistic']));
    expect(await segmentsHolding(PERSON)).toBeGreaterThan(0);

    expect(await files(database.ownerUrl, 3_600_000).look()).toBe(false);
    // Somebody who reads a table for long keeps it off.
    await eventually(async () => expect(await files(database.ownerUrl).look()).toBe(true), {
      timeoutMs: 60_000,
      everyMs: 500,
    });
    expect([await noted(), announced]).toEqual([0, [7]]);
    expect(await relationsHolding(PERSON)).toEqual([]);
    expect(await segmentsHolding(PERSON)).toBe(0);
    expect(logged).toEqual(['the files of PostgreSQL were written anew: erased people are out of them']);
    const next = files(database.ownerUrl);
    expect([await next.look(), await next.look(), announced]).toEqual([false, false, [7, 7]]);
    expect((await new PrismaImports(prisma, app, worker).find('demo', importId))?.job.snapshot.seeds).toEqual(
      [expect.stringMatching(/^#[0-9a-f]{16}$/), 'other'],
    );
  });

  it('are to be written anew after every erasure, whether or not a row named the person', async () => {
    const { worker } = database;
    const suppressions = new Suppressions(KEY);
    const scope = { workspaceId: 'nobody-here', network: 'toy' };
    expect(await new PgForgetting(worker, suppressions).removeAll(scope, ['mark-1'])).toBe(true);
    expect(await noted()).toBe(1);
    expect(await new PgForgetting(worker, suppressions).removeAll(scope, ['mark-1'])).toBe(false);
  });

  it('stay as they are without the owner`s account, which is said once; the rows let go all the same', async () => {
    const without = files(undefined);
    expect([await without.look(), await without.look(), await noted()]).toEqual([false, false, 1]);
    expect(logged).toEqual([
      'erased people stay in the files of PostgreSQL: DATABASE_URL_OWNER is not given',
    ]);
    expect(announced).toEqual([7]);
    settled = undefined;
    await files(undefined).look();
    expect(announced).toEqual([7]);
  });

  it('are left to the process that writes them already', async () => {
    const held = await database.admin.tx(async (q) => {
      await q.query(`SELECT pg_advisory_xact_lock(hashtextextended('rewriting of files', 9))`);
      return files(database.ownerUrl).look();
    });
    expect([held, await noted(), announced]).toEqual([false, 1, []]);
  });

  it('are tried again when a table is in use for long', async () => {
    const busy = await database.admin.tx(async (q) => {
      await q.query('SELECT FROM imports LIMIT 1');
      return files(database.ownerUrl).look();
    });
    expect([busy, await noted(), announced]).toEqual([false, 1, []]);
  });

  it('wait while somebody is being taken out', async () => {
    settled = undefined;
    expect([await files(database.ownerUrl).look(), await noted(), announced]).toEqual([false, 1, []]);
  });

  it('are said to be rid of people when nothing is left to write, by each process up to where it has come', async () => {
    const [one, other] = [files(database.ownerUrl), files(undefined)];
    expect([await one.look(), await noted(), announced]).toEqual([true, 0, [7]]);
    await other.look();
    settled = 9;
    await one.look();
    await one.look();
    settled = 8;
    await other.look();
    expect(announced).toEqual([7, 7, 9, 8]);
  });

  it('are spoken of again when the word was lost', async () => {
    const told: number[] = [];
    let away = true;
    const progressOf = async (upTo: number): Promise<void> => {
      if (away) throw new Error('the log is away');
      told.push(upTo);
    };
    const lost = new PgFiles({
      ...{ worker: database.worker, ownerUrl: undefined, afterMs: 0, logger },
      progress: { settled: () => 8, again: progress.again, announce: progressOf },
    });
    await expect(lost.look()).rejects.toThrow('the log is away');
    away = false;
    expect([await lost.look(), told]).toEqual([false, [8]]);
  });

  it('wait anew for whoever was taken out while they were written', async () => {
    const { worker, admin } = database;
    await PgFiles.note(worker);
    await admin.query(`UPDATE files_to_rewrite SET first_at = now() - interval '2 hours'`);
    const meddled = new PgFiles({
      worker: {
        query: async (text, values) => {
          if (text.startsWith('DELETE FROM files_to_rewrite')) await PgFiles.note(worker);
          return worker.query(text, values);
        },
      },
      ...{ ownerUrl: database.ownerUrl, afterMs: 600_000, progress, logger },
    });
    expect(again).toEqual([]);
    await eventually(async () => expect(await meddled.look()).toBe(true), {
      timeoutMs: 60_000,
      everyMs: 500,
    });
    // What was settled before is told all the same.
    expect([await noted(), announced, again.length]).toEqual([1, [7], 1]);
    expect(await files(database.ownerUrl, 600_000).look()).toBe(false);
    await admin.query('DELETE FROM files_to_rewrite');
  });

  it('are written after another look for whoever was in somebody`s hands when the mark came', async () => {
    const { prisma, app, worker, admin } = database;
    const suppressions = new Suppressions(KEY);
    const scope = { workspaceId: 'demo', network: 'toy' };
    const late = `p${randomBytes(12).toString('hex')}`;
    suppressions.add({
      ...{ ...scope, erasureId: 'e2', at: 1 },
      mark: markOf(KEY, 'demo', 'toy', late),
    });
    const forgetting = new PgForgetting(worker, suppressions);
    await forgetting.removeAll(scope, [markOf(KEY, 'demo', 'toy', late)]);
    const importId = ids.next();
    await new PrismaImports(prisma, app, worker).add(anImport({ id: importId, seeds: [late] }));
    const { rows } = await admin.query<{ first: string }>(
      'SELECT first_at::text AS first FROM files_to_rewrite',
    );
    await forgetting.removeAgain(rows[0]?.first ?? '');
    expect((await new PrismaImports(prisma, app, worker).find('demo', importId))?.job.snapshot.seeds).toEqual(
      [expect.stringMatching(/^#[0-9a-f]{16}$/)],
    );
    await admin.query('DELETE FROM files_to_rewrite');
  });

  it('are looked at as often as they may have to wait, and at least every half minute', () => {
    expect([files(undefined, 2_000).everyMs, files(undefined, 600_000).everyMs]).toEqual([2_000, 30_000]);
  });
});
