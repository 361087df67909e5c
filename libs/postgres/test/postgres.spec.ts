import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  eventually,
  type OwnDatabase,
  ownDatabase,
  TcpProxy,
  testServers,
  withPath,
} from '@sociograph/testing';
import {
  isRepeatable,
  isUniqueViolation,
  migrate,
  Postgres,
  prismaInWorkspace,
  PostgresIdempotencyStore,
} from '../src';

jest.setTimeout(60_000);

const logger = { warn: () => undefined, info: () => undefined };
const IDEMPOTENCY_KEYS = `
  CREATE TABLE idempotency_keys (
    workspace_id text NOT NULL, operation text NOT NULL, key text NOT NULL, body_hash text NOT NULL,
    answer jsonb, created_at timestamptz NOT NULL DEFAULT now(), holder bigint, PRIMARY KEY (workspace_id, operation, key));
  ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;`;

describe('postgres', () => {
  const name = `spec_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const role = `${name}_app`;
  const admin = new Postgres({ url: testServers().adminDatabaseUrl, max: 2, logger });
  let owner: Postgres;
  let app: Postgres;
  let ownerUrl: string;
  let appUrl: string;

  beforeAll(async () => {
    await admin.query(`CREATE ROLE ${role} LOGIN NOBYPASSRLS PASSWORD '${name}'`);
    await admin.query(`CREATE DATABASE ${name}`);
    ownerUrl = withPath(testServers().adminDatabaseUrl, name);
    const url = new URL(ownerUrl);
    url.username = role;
    url.password = name;
    appUrl = url.toString();
    owner = new Postgres({ url: ownerUrl, max: 4, logger });
    app = new Postgres({ url: appUrl, max: 4, logger });
    await owner.query(
      'CREATE TABLE things (workspace_id text NOT NULL, name text PRIMARY KEY, n int8 NOT NULL)',
    );
    await owner.query('ALTER TABLE things ENABLE ROW LEVEL SECURITY');
    const own = "workspace_id = current_setting('app.workspace_id', true)";
    await owner.query(`CREATE POLICY of_workspace ON things TO ${role} USING (${own}) WITH CHECK (${own})`);
    await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON things TO ${role}`);
    await owner.query(IDEMPOTENCY_KEYS);
    await owner.query(
      `CREATE POLICY of_workspace ON idempotency_keys TO ${role} USING (${own}) WITH CHECK (${own})`,
    );
    await owner.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO ${role}`);
  });

  afterAll(async () => {
    await Promise.all([owner.end(), app.end()]);
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.query(`DROP ROLE ${role}`);
    await admin.end();
  });

  describe('Postgres', () => {
    it('shows a transaction its own workspace only, and nothing without one', async () => {
      const add = (workspaceId: string, thing: string) =>
        app.inWorkspace(workspaceId, (q) =>
          q.query('INSERT INTO things VALUES ($1, $2, 1)', [workspaceId, thing]),
        );
      await add('red', 'apple');
      await add('green', 'pear');
      const names = async (workspaceId: string): Promise<string[]> =>
        app.inWorkspace(workspaceId, async (q) =>
          (await q.query<{ name: string }>('SELECT name FROM things')).rows.map((row) => row.name),
        );
      expect(await names('red')).toEqual(['apple']);
      expect(await names('green')).toEqual(['pear']);
      expect((await app.query('SELECT name FROM things')).rows).toEqual([]);
      const foreign = app.inWorkspace('red', (q) =>
        q.query("INSERT INTO things VALUES ('green', 'plum', 1)"),
      );
      await expect(foreign).rejects.toMatchObject({ code: '42501' });
    });

    it('commits what resolves, rolls back what throws, and counts rows', async () => {
      const failing = owner.tx(async (q) => {
        await q.query("INSERT INTO things VALUES ('x', 'undone', 1)");
        throw new Error('undo');
      });
      await expect(failing).rejects.toThrow('undo');
      const { rows, rowCount } = await owner.query<{ n: number }>(
        "INSERT INTO things VALUES ('x', 'big', 9007199254740991) RETURNING n",
      );
      expect([rows, rowCount]).toEqual([[{ n: Number.MAX_SAFE_INTEGER }], 1]);
      await expect(owner.query('SELECT 9007199254740992::int8')).rejects.toThrow('int8 beyond 2^53');
      const again = owner.query("INSERT INTO things VALUES ('x', 'big', 1)");
      const error: unknown = await again.catch((thrown: unknown) => thrown);
      expect(isUniqueViolation(error)).toBe(true);
      expect(isUniqueViolation(error, 'things_pkey')).toBe(true);
      expect(isUniqueViolation(error, 'other')).toBe(false);
      expect(isUniqueViolation(new Error('x'))).toBe(false);
      expect(await owner.query("SELECT 1 FROM things WHERE name = 'undone'")).toEqual({
        rows: [],
        rowCount: 0,
      });
    });

    it('repeats a transaction that PostgreSQL asks to be repeated, six times at most', async () => {
      let tries = 0;
      const clash = (until: number) => async (): Promise<string> => {
        tries += 1;
        if (tries < until) throw Object.assign(new Error('serialize'), { code: '40001' });
        return 'done';
      };
      expect(await owner.tx(clash(3))).toBe('done');
      expect(tries).toBe(3);
      tries = 0;
      await expect(owner.tx(clash(100))).rejects.toMatchObject({ code: '40001' });
      expect(tries).toBe(6);
      expect([isRepeatable({ code: '40P01' }), isRepeatable({ code: '23505' }), isRepeatable(null)]).toEqual([
        true,
        false,
        false,
      ]);
    });

    it('says that the server is unavailable, survives cuts between two statements, and comes back', async () => {
      const { hostname, port } = new URL(ownerUrl);
      const proxy = await new TcpProxy({ target: { host: hostname, port: Number(port) } }).start();
      const url = new URL(ownerUrl);
      url.port = String(proxy.port);
      const fragile = new Postgres({
        url: url.toString(),
        max: 2,
        logger,
        connectTimeoutMs: 1_000,
        queryTimeoutMs: 300,
      });
      const unavailable = { code: 'POSTGRES.UNAVAILABLE', kind: 'unavailable', retryAfterSeconds: 1 };
      const cut = fragile.tx(async (q) => {
        await q.query('SELECT 1');
        proxy.cut();
        await eventually(() => proxy.connections === 0);
        await q.query('SELECT 1');
      });
      await expect(cut).rejects.toMatchObject(unavailable);
      await expect(fragile.query('SELECT pg_sleep(2)')).rejects.toMatchObject(unavailable);
      proxy.refuse();
      await expect(fragile.query('SELECT 1')).rejects.toMatchObject(unavailable);
      proxy.restore();
      await eventually(async () => (await fragile.query('SELECT 1 AS one')).rows.length === 1);
      await fragile.end();
      await proxy.close();
    });

    it('hears notifications until it lets go, and says when the connection is lost', async () => {
      const heard: string[] = [];
      const lost: string[] = [];
      const first = await owner.listen(
        'spec "channel"',
        (payload) => heard.push(payload),
        () => undefined,
      );
      const second = await owner.listen(
        'spec "channel"',
        () => undefined,
        (error) => lost.push(error.message),
      );
      await owner.query('SELECT pg_notify($1, $2)', ['spec "channel"', 'news']);
      await eventually(() => heard.length === 1);
      expect(heard).toEqual(['news']);
      first.release();
      await admin.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'LISTEN%'",
        [name],
      );
      await eventually(() => lost.length === 1);
      second.release();
      expect(owner.load.waiting).toBe(0);
    });
  });

  describe('prepared statements', () => {
    const prepared = async (of: Postgres): Promise<string[]> =>
      (
        await of.query<{ statement: string }>('SELECT statement FROM pg_prepared_statements ORDER BY 1')
      ).rows.map(({ statement }) => statement);
    const one = (options: object = {}): Postgres =>
      new Postgres({ url: ownerUrl, max: 1, logger, prepare: true, ...options });
    const BY_NAME = 'SELECT n FROM things WHERE name = $1';

    it('are those with values that come again, none as well, in transactions of a workspace too', async () => {
      const postgres = one();
      await postgres.query(BY_NAME, ['a']);
      expect(await prepared(postgres)).toEqual([]);
      await postgres.query(BY_NAME, ['b']);
      for (const _ of [1, 2]) await postgres.query('SELECT n FROM things');
      expect(await prepared(postgres)).toEqual([BY_NAME]);
      const read = (q: { query: Postgres['query'] }): Promise<unknown> => q.query(BY_NAME, ['c']);
      for (const workspaceId of ['red', 'green']) await postgres.inWorkspace(workspaceId, read);
      expect(await prepared(postgres)).toEqual([BY_NAME, "SELECT set_config('app.workspace_id', $1, true)"]);
      await postgres.end();
    });

    it('show each workspace its own rows all the same', async () => {
      for (const workspaceId of ['blue', 'gold'])
        await owner.query('INSERT INTO things VALUES ($1, $2, 1)', [workspaceId, `${workspaceId}-thing`]);
      const seen: unknown[] = [];
      const postgres = one({ url: appUrl });
      // Beyond the sixth time, from which on a plan is kept.
      for (let round = 0; round < 8; round += 1)
        for (const workspaceId of ['blue', 'gold'])
          seen.push(
            await postgres.inWorkspace(workspaceId, async (q) =>
              (await q.query<{ name: string }>('SELECT name FROM things WHERE n = $1', [1])).rows.map(
                (row) => row.name,
              ),
            ),
          );
      expect(seen).toEqual(seen.map((_, index) => [index % 2 === 0 ? 'blue-thing' : 'gold-thing']));
      await postgres.end();
    });

    it('are none where they were not asked for', async () => {
      const postgres = new Postgres({ url: ownerUrl, max: 1, logger });
      for (const _ of [1, 2, 3]) await postgres.query(BY_NAME, ['a']);
      expect(await prepared(postgres)).toEqual([]);
      await postgres.end();
    });

    it('are made anew when their table is changed, alone and in a transaction, and after the server forgot them', async () => {
      await owner.query('CREATE TABLE shapes (id int)');
      await owner.query('INSERT INTO shapes VALUES (1)');
      const postgres = one();
      const read = async (q: Pick<Postgres, 'query'>): Promise<unknown> =>
        (await q.query('SELECT * FROM shapes WHERE id = $1', [1])).rows;
      for (const _ of [1, 2, 3]) expect(await read(postgres)).toEqual([{ id: 1 }]);
      await owner.query('ALTER TABLE shapes ADD COLUMN sides int');
      expect(await read(postgres)).toEqual([{ id: 1, sides: null }]);
      await owner.query('ALTER TABLE shapes DROP COLUMN sides');
      let begun = 0;
      const rows = await postgres.tx(async (q) => {
        begun += 1;
        return read(q);
      });
      expect([rows, begun]).toEqual([[{ id: 1 }], 2]);
      await postgres.query('DEALLOCATE ALL');
      expect(await read(postgres)).toEqual([{ id: 1 }]);
      const wrong = postgres.query('SELECT nothing FROM shapes WHERE id = $1', [1]);
      await expect(wrong).rejects.toMatchObject({ code: '42703' });
      await postgres.end();
    });

    it('are there again on a connection that takes the place of one that broke', async () => {
      const postgres = one();
      for (const _ of [1, 2]) await postgres.query(BY_NAME, ['a']);
      const { rows } = await postgres.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await admin.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
      await eventually(async () => (await prepared(postgres)).length === 0, { timeoutMs: 20_000 });
      await postgres.query(BY_NAME, ['a']);
      expect(await prepared(postgres)).toEqual([BY_NAME]);
      await postgres.end();
    });
  });

  it('sets what it is told to on each connection', async () => {
    const postgres = new Postgres({
      url: ownerUrl,
      max: 1,
      logger,
      settings: { jit: 'off', work_mem: '7MB' },
    });
    expect((await postgres.query('SHOW jit')).rows).toEqual([{ jit: 'off' }]);
    expect((await postgres.query('SHOW work_mem')).rows).toEqual([{ work_mem: '7MB' }]);
    await postgres.end();
  });

  it('sets the workspace in an interactive transaction of Prisma', async () => {
    const said: unknown[] = [];
    const tx = {
      $queryRaw: async (text: TemplateStringsArray, ...values: unknown[]) => said.push([[...text], values]),
    };
    const prisma = { $transaction: <R>(fn: (given: typeof tx) => Promise<R>): Promise<R> => fn(tx) };
    expect(await prismaInWorkspace(prisma, 'red', async (given) => given === tx)).toBe(true);
    expect(said).toEqual([[["SELECT set_config('app.workspace_id', ", ', true)'], ['red']]]);
  });

  describe('migrate', () => {
    let empty: OwnDatabase;
    let migrated: Postgres;
    let url: string;
    let folder: string;
    beforeAll(async () => {
      // The engine refuses to begin in a database that already holds tables.
      empty = await ownDatabase(testServers());
      url = empty.adminUrl;
      migrated = new Postgres({ url, max: 2, logger });
    });
    afterAll(async () => {
      await migrated.end();
      await empty.drop();
    });
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'migrations-'));
      await writeFile(join(folder, 'schema.prisma'), 'datasource db {\n  provider = "postgresql"\n}\n');
      await writeFile(join(folder, 'migration_lock.toml'), 'provider = "postgresql"\n');
    });
    afterEach(() => rm(folder, { recursive: true }));

    async function aMigration(id: string, sql: string): Promise<void> {
      await mkdir(join(folder, id));
      await writeFile(join(folder, id, 'migration.sql'), sql);
    }
    const run = (): Promise<{ applied: string[] }> =>
      migrate({ url, schemaFile: join(folder, 'schema.prisma'), migrationsDir: folder, logger });

    it('applies what is missing in order, once, also when two ask at the same time; then names the one that fails', async () => {
      await aMigration(
        '20260101000000_first',
        'CREATE TABLE m (id int); -- with; semicolons\nINSERT INTO m VALUES (1);',
      );
      await aMigration('20260102000000_second', 'UPDATE m SET id = id + 1;');
      const both = await Promise.all([run(), run()]);
      expect(both.map(({ applied }) => applied).sort((a, b) => b.length - a.length)).toEqual([
        ['20260101000000_first', '20260102000000_second'],
        [],
      ]);
      expect((await migrated.query('SELECT id FROM m')).rows).toEqual([{ id: 2 }]);
      expect(await run()).toEqual({ applied: [] });
      const { rows } = await migrated.query(
        'SELECT migration_name FROM _prisma_migrations ORDER BY started_at',
      );
      expect(rows.map((row) => row['migration_name'])).toEqual([
        '20260101000000_first',
        '20260102000000_second',
      ]);
      await aMigration('20260103000000_broken', 'SELECT * FROM nowhere;');
      await expect(run()).rejects.toThrow(/nowhere[\s\S]*20260103000000_broken/);
    });
  });

  describe('PostgresIdempotencyStore', () => {
    const request = { workspaceId: 'red', key: 'k1', operation: 'POST /v1/imports', bodyHash: 'aa' };
    const answer = { status: 202, body: { id: '7' }, headers: { location: '/v1/imports/7' } };
    const store = (): PostgresIdempotencyStore => new PostgresIdempotencyStore(app);

    it('lets one of twenty equal requests be the first, and answers repeats with what it answered', async () => {
      const claims = await Promise.all(Array.from({ length: 20 }, () => store().claim(request)));
      expect(claims.filter(({ kind }) => kind === 'first')).toHaveLength(1);
      expect(claims.filter(({ kind }) => kind === 'in-progress')).toHaveLength(19);
      await store().complete(request, answer);
      expect(await store().claim(request)).toEqual({ kind: 'repeat', answer });
      expect(await store().claim({ ...request, bodyHash: 'bb' })).toEqual({ kind: 'different-body' });
      expect(await store().claim({ ...request, operation: 'POST /v1/keys' })).toEqual({ kind: 'first' });
      expect(await store().claim({ ...request, workspaceId: 'green' })).toEqual({ kind: 'first' });
      await store().release(request);
      expect(await store().claim(request)).toEqual({ kind: 'repeat', answer });
    });

    it('gives the key of a dead process free after 5 s, and keeps the key of one that lives', async () => {
      const orphan = { ...request, key: 'k3' };
      const dying = new Postgres({ url: appUrl, max: 1, logger });
      const dead = new PostgresIdempotencyStore(dying);
      expect(await dead.claim(orphan)).toEqual({ kind: 'first' });
      const age = (interval: string) =>
        owner.query('UPDATE idempotency_keys SET created_at = now() - $1::interval WHERE key = $2', [
          interval,
          'k3',
        ]);
      await age('30 seconds');
      expect(await store().claim(orphan)).toEqual({ kind: 'in-progress' });
      await dying.end();
      await age('3 seconds');
      expect(await store().claim(orphan)).toEqual({ kind: 'in-progress' });
      await age('6 seconds');
      // The server needs a moment to notice that the connection is gone.
      await eventually(async () => expect(await store().claim(orphan)).toEqual({ kind: 'first' }));
      await age('30 seconds');
      expect(await store().claim(orphan)).toEqual({ kind: 'in-progress' });
    });

    it('lets a request whose key a repeat took over in the same process change nothing any more', async () => {
      const [slow, repeat] = [
        { ...request, key: 'k5' },
        { ...request, key: 'k5' },
      ];
      const only = store();
      await only.claim(slow);
      await owner.query(
        "UPDATE idempotency_keys SET created_at = now() - interval '2 minutes' WHERE key = 'k5'",
      );
      expect(await only.claim(repeat)).toEqual({ kind: 'first' });
      await only.release(slow);
      await only.complete(slow, { status: 500, body: null });
      expect(await only.claim({ ...slow })).toEqual({ kind: 'in-progress' });
      await only.complete(repeat, answer);
      expect(await only.claim({ ...slow })).toEqual({ kind: 'repeat', answer });
    });

    it('lets a holder whose claim was taken over change nothing any more', async () => {
      const late = { ...request, key: 'k4' };
      const frozen = new Postgres({ url: appUrl, max: 1, logger });
      try {
        await new PostgresIdempotencyStore(frozen).claim(late);
        await owner.query(
          "UPDATE idempotency_keys SET created_at = now() - interval '2 minutes' WHERE key = 'k4'",
        );
        expect(await store().claim(late)).toEqual({ kind: 'first' });
        await new PostgresIdempotencyStore(frozen).release(late);
        await new PostgresIdempotencyStore(frozen).complete(late, { status: 500, body: null });
        expect(await store().claim(late)).toEqual({ kind: 'in-progress' });
        await store().complete(late, answer);
        expect(await store().claim(late)).toEqual({ kind: 'repeat', answer });
      } finally {
        await frozen.end();
      }
    });

    it('shows a process alive again after its connection was ended', async () => {
      const number = await app.lifeNumber();
      const alive = async (): Promise<boolean> => {
        const { rows } = await owner.query<{ free: boolean }>(
          'SELECT pg_try_advisory_xact_lock($1::bigint) AS free',
          [number],
        );
        return rows[0]?.free === false;
      };
      const backends = async (): Promise<unknown> =>
        (
          await owner.query(
            `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
          )
        ).rows;
      expect(await alive()).toBe(true);
      const before = await backends();
      await owner.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND pid <> pg_backend_pid()
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      // By itself: nobody asks for it.
      await eventually(
        async () => {
          expect(await backends()).not.toEqual(before);
          expect(await alive()).toBe(true);
        },
        { timeoutMs: 20_000 },
      );
      expect(await app.lifeNumber()).toBe(number);
    });

    it('gives a key free when it is released, abandoned for a minute, or a day old', async () => {
      const other = { ...request, key: 'k2' };
      expect(await store().claim(other)).toEqual({ kind: 'first' });
      await store().release(other);
      expect(await store().claim(other)).toEqual({ kind: 'first' });
      const age = (interval: string) =>
        owner.query('UPDATE idempotency_keys SET created_at = now() - $1::interval WHERE key = $2', [
          interval,
          'k2',
        ]);
      await age('55 seconds');
      expect(await store().claim(other)).toEqual({ kind: 'in-progress' });
      await age('65 seconds');
      expect(await store().claim({ ...other, bodyHash: 'cc' })).toEqual({ kind: 'first' });
      await store().complete(other, answer);
      await age('23 hours 59 minutes');
      expect(await store().claim({ ...other, bodyHash: 'cc' })).toEqual({ kind: 'repeat', answer });
      await age('24 hours 1 minute');
      expect(await store().claim({ ...other, bodyHash: 'dd' })).toEqual({ kind: 'first' });
    });
  });
});
