import { join } from 'node:path';
import { migrate, Postgres } from '@sociograph/postgres';
import {
  FakeClock,
  inPostgres,
  ownServiceDatabase,
  type OwnServiceDatabase,
  sequentialIds,
  testServers,
} from '@sociograph/testing';
import { Registrar } from '../src/application/register-accounts';
import { forgetAnswers } from '../src/infrastructure/forget-answers';
import { PgAttempts } from '../src/infrastructure/pg-attempts';

jest.setTimeout(60_000);

const logger = { warn: () => undefined, info: () => undefined };
const LIMIT = { most: 2, withinMs: 1_000 };

describe('attempts', () => {
  let database: OwnServiceDatabase;
  /** Two processes. */
  let pools: Postgres[];
  let clock: FakeClock;

  beforeAll(async () => {
    database = await ownServiceDatabase(testServers(), 'identity-service');
    const root = join(__dirname, '..', 'database');
    await migrate({
      url: database.urlOf('owner'),
      schemaFile: join(root, 'schema.prisma'),
      migrationsDir: join(root, 'migrations'),
      logger,
    });
    pools = [0, 1].map(() => new Postgres({ url: database.urlOf('worker'), max: 4, logger }));
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await database.drop();
  });
  beforeEach(() => {
    clock = new FakeClock();
  });

  const both = (): [PgAttempts, PgAttempts] => [
    new PgAttempts(pools[0] as Postgres),
    new PgAttempts(pools[1] as Postgres),
  ];

  it('are not all that is forgotten: answers of the day before are, too', async () => {
    await inPostgres(database.adminUrl, (admin) =>
      admin.query(`INSERT INTO idempotency_keys (workspace_id, operation, key, body_hash, created_at) VALUES
        ('w', 'o', 'old', 'h', now() - interval '25 hours'), ('w', 'o', 'new', 'h', now() - interval '23 hours')`),
    );
    await forgetAnswers(pools[0] as Postgres);
    const { rows } = await inPostgres(database.adminUrl, (admin) =>
      admin.query<{ key: string }>('SELECT key FROM idempotency_keys'),
    );
    expect(rows).toEqual([{ key: 'new' }]);
  });

  it('are allowed up to the limit, whoever counts them, then told how long to wait', async () => {
    const [here, there] = both();
    const at = clock.nowMs();
    expect(await here.take('a', LIMIT, at)).toBe(0);
    expect(await there.take('a', LIMIT, at + 400.7)).toBe(0);
    expect(await here.take('a', LIMIT, at + 500)).toBe(500);
    expect(await there.take('a', LIMIT, at + 999)).toBe(1);
    expect(await there.take('a', LIMIT, at + 1000)).toBe(0);
    expect(await here.take('a', LIMIT, at + 1001)).toBe(399);
    expect(await here.take('b', LIMIT, at + 1001)).toBe(0);
  });

  it('are counted exactly when many come at once to two processes', async () => {
    const counters = both();
    const limit = { most: 5, withinMs: 60_000 };
    const waits = await Promise.all(
      Array.from({ length: 24 }, (_, n) => counters[n % 2]?.take('crowd', limit, clock.nowMs())),
    );
    expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
    expect(new Set(waits)).toEqual(new Set([0, 60_000]));
  });

  it('are forgotten when no window reaches back to them, and never name an address', async () => {
    const [here] = both();
    const now = clock.nowMs();
    const kept = async (): Promise<string[]> => {
      const { rows } = await inPostgres(database.adminUrl, (admin) =>
        admin.query<{ name: string }>('SELECT name FROM attempts ORDER BY id'),
      );
      return rows.map(({ name }) => name);
    };
    await inPostgres(database.adminUrl, (admin) => admin.query('DELETE FROM attempts'));
    await here.take('address ada@example.org', LIMIT, now);
    await here.take('address bob@example.org', LIMIT, now + 1);
    const names = await kept();
    expect(names.map((name) => /^[0-9a-f]{64}$/.test(name))).toEqual([true, true]);
    await here.forgetOld(now + 1_000, 1_000);
    expect(await kept()).toEqual(names.slice(1));
  });

  it('to register are limited over all processes: by address without a word, altogether with when to come again', async () => {
    const begun: string[] = [];
    const registrar = (attempts: PgAttempts): Registrar =>
      new Registrar(
        {
          begin: async ({ email }) => void begun.push(email),
          carryOn: async () => false,
        },
        {
          available: async () => true,
          create: async () => ({ kind: 'taken' }),
          apply: async () => undefined,
        },
        undefined as never,
        undefined as never,
        async () => 1,
        clock,
        sequentialIds(),
        {
          attempts,
          everybody: { most: 8, withinMs: 60_000 },
          perAddress: { most: 2, withinMs: 3_600_000 },
          hash: async () => ({ algorithm: 'pbkdf2-sha512', iterations: 1, salt: '', value: '' }),
          hashToken: (token) => token,
          verifyEmail: false,
          applied: async () => undefined,
          onFailure: () => undefined,
        },
      );
    const [here, there] = both().map(registrar) as [Registrar, Registrar];
    const register = (by: Registrar, email: string): Promise<void> =>
      by.register({ email, password: 'correct horse battery', workspaceName: 'Spec' });
    for (const by of [here, there, here, there]) await register(by, 'Eve@example.org');
    expect(begun).toEqual(['eve@example.org', 'eve@example.org']);
    for (const [n, by] of [here, there, here, there].entries()) await register(by, `n${n}@example.org`);
    expect(begun).toHaveLength(6);
    clock.advance(500);
    for (const by of [here, there])
      await expect(register(by, 'late@example.org')).rejects.toMatchObject({
        code: 'IDENTITY.REGISTER_RATE',
        kind: 'too-many',
        retryAfterSeconds: 60,
      });
    clock.advance(59_500);
    await register(there, 'late@example.org');
    expect(begun.at(-1)).toBe('late@example.org');
  });
});
