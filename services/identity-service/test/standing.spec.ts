import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { createLogger } from '@sociograph/observability';
import { migrate, Postgres } from '@sociograph/postgres';
import {
  eventually,
  inPostgres,
  ownServiceDatabase,
  type OwnServiceDatabase,
  testServers,
} from '@sociograph/testing';
import { MemberKeeper } from '../src/application/change-members';
import { Registrar } from '../src/application/register-accounts';
import { Directory, type NewAccount, type Standing, TakenBack } from '../src/domain/ports';
import { PgAttempts } from '../src/infrastructure/pg-attempts';
import { PgInvitations } from '../src/infrastructure/pg-invitations';
import { PgRegistrations } from '../src/infrastructure/pg-registrations';
import { PgWorkspaces } from '../src/infrastructure/pg-workspaces';
import { RedisTakenBack } from '../src/infrastructure/redis-taken-back';
import { hashToken } from '../src/infrastructure/secrets';

jest.setTimeout(120_000);

const SLOW = { timeoutMs: 40_000, everyMs: 50 };

/** Knows accounts by address; fails for those that it is told to fail for. */
class MemoryDirectory extends Directory {
  readonly standings = new Map<string, Standing>();
  readonly failing = new Set<string>();
  asked = 0;
  /** Waited for before an account is made. */
  gate: Promise<void> = Promise.resolve();

  override available(): Promise<boolean> {
    return Promise.resolve(true);
  }

  override async create({ email }: NewAccount): Promise<{ kind: 'made'; subject: string }> {
    this.asked += 1;
    await this.gate;
    return { kind: 'made', subject: `of-${email}` };
  }

  override async apply(subject: string, standing: Standing): Promise<void> {
    if (this.failing.has(subject)) throw new Error('the directory fails');
    this.standings.set(subject, standing);
  }
}

class MemoryTakenBack extends TakenBack {
  readonly told: string[] = [];
  away = false;

  override async shutOut(subject: string): Promise<void> {
    if (this.away) throw new Error('redis is away');
    this.told.push(`out ${subject}`);
  }

  override async letIn(subject: string): Promise<void> {
    this.told.push(`in ${subject}`);
  }
}

describe('the standing of accounts', () => {
  const clock = new SystemClock();
  const ids = new TimeOrderedIds();
  const logger = createLogger({ service: 'identity-service', instance: 'spec', level: 'silent' });
  let database: OwnServiceDatabase;
  const pools: Postgres[] = [];
  let worker: Postgres;
  let holding: Postgres;
  let workspaces: PgWorkspaces;
  let failures: unknown[];
  let directory: MemoryDirectory;
  let takenBack: MemoryTakenBack;
  let keeper: MemberKeeper;
  let registrar: Registrar;

  beforeAll(async () => {
    database = await ownServiceDatabase(testServers(), 'identity-service');
    const root = join(__dirname, '..', 'database');
    await migrate({
      url: database.urlOf('owner'),
      schemaFile: join(root, 'schema.prisma'),
      migrationsDir: join(root, 'migrations'),
      logger,
    });
    // One connection each: whoever needs a second one of a pool while holding the first would wait for ever.
    const pool = (role: 'app' | 'worker'): Postgres => {
      const made = new Postgres({ url: database.urlOf(role), max: 1, logger });
      pools.push(made);
      return made;
    };
    const app = pool('app');
    [worker, holding] = [pool('worker'), pool('worker')];
    workspaces = new PgWorkspaces({ app, worker, holding, ids, memberLimit: async () => 3 });
  });
  afterAll(async () => {
    await Promise.all(pools.map((each) => each.end()));
    await database.drop();
  });

  beforeEach(() => {
    failures = [];
    const failed = (error: unknown): void => void failures.push(error);
    directory = new MemoryDirectory();
    takenBack = new MemoryTakenBack();
    keeper = new MemberKeeper(workspaces, directory, takenBack, clock, failed);
    const many = { most: 1_000, withinMs: 60_000 };
    registrar = new Registrar(
      new PgRegistrations(worker, holding, failed),
      directory,
      workspaces,
      new PgInvitations(pools[0] as Postgres, worker, ids),
      async () => 3,
      clock,
      ids,
      {
        ...{
          attempts: new PgAttempts(worker),
          everybody: many,
          perAddress: many,
          hashToken,
          verifyEmail: false,
          onFailure: failed,
        },
        hash: async () => ({ algorithm: 'pbkdf2-sha512', iterations: 1, salt: '', value: '' }),
        applied: (subject) => keeper.applied(subject),
      },
    );
  });

  const rows = <R>(sql: string, values: unknown[] = []): Promise<R[]> =>
    inPostgres(database.adminUrl, async (client) => (await client.query(sql, values)).rows as R[]);
  const anAddress = (): string => `${randomUUID()}@example.org`;
  const anAct = { actor: { kind: 'person', id: 'ada' } as const, action: 'member.set-roles' };
  const begin = async (email: string): Promise<void> => {
    const workspaceName = 'Spec';
    await registrar.register({ email, password: 'correct horse battery', workspaceName });
  };
  const carriedOn = async (): Promise<void> => {
    while (await registrar.carryOn());
  };

  /** A registered admin; answers subject and workspace. */
  async function aMember(): Promise<{ subject: string; workspaceId: string }> {
    const email = anAddress();
    const subject = `of-${email}`;
    await begin(email);
    return eventually(async () => {
      await carriedOn();
      const [row] = await rows<{ workspace_id: string }>(
        'SELECT workspace_id FROM accounts WHERE subject = $1 AND applied = version',
        [subject],
      );
      if (row === undefined) throw new Error('not a member yet');
      return { subject, workspaceId: row.workspace_id };
    }, SLOW);
  }

  it('comes to the directory when the account is a member, and a newcomer is not shut out', async () => {
    const { subject, workspaceId } = await aMember();
    const roles = ['viewer', 'analyst', 'operator', 'admin'];
    expect(directory.standings.get(subject)).toEqual({ workspaceId, roles });
    expect([takenBack.told, failures]).toEqual([[], []]);
  });

  it('of a registration that is repeated is the one that the member has by now', async () => {
    const { subject, workspaceId } = await aMember();
    await rows(`UPDATE accounts SET roles = '{viewer}', version = 2, applied = 2 WHERE subject = $1`, [
      subject,
    ]);
    directory.standings.clear();
    await rows(
      `INSERT INTO registrations (id, email, password, workspace_id, workspace_name, roles, begun_at, next_try_at)
       VALUES ($1, $2, '{}', $3, 'Spec', '{viewer,admin}', now(), now())`,
      [randomUUID(), subject.replace(/^of-/, ''), workspaceId],
    );
    await carriedOn();
    expect(await rows('SELECT 1 FROM registrations')).toEqual([]);
    expect(directory.standings.get(subject)).toBeUndefined();
  });

  it('keeps no second registration of an address waiting while the first asks the directory', async () => {
    let open = (): void => undefined;
    directory.gate = new Promise((resolve) => (open = resolve));
    const email = anAddress();
    await begin(email);
    await eventually(() => expect(directory.asked).toBe(1), SLOW);
    // Its row is locked and Keycloak does not answer; the answer of this one comes all the same.
    await begin(email);
    open();
    await eventually(async () => {
      await carriedOn();
      expect(await rows('SELECT 1 FROM registrations')).toEqual([]);
      expect(directory.standings.has(`of-${email}`)).toBe(true);
    }, SLOW);
    expect(failures).toEqual([]);
  });

  it('of an account that the directory refuses keeps no other account waiting', async () => {
    const [a, b] = [await aMember(), await aMember()];
    const [refused, other] = a.subject < b.subject ? [a, b] : [b, a];
    directory.failing.add(refused.subject);
    for (const { subject } of [refused, other])
      await rows('UPDATE accounts SET version = version + 1 WHERE subject = $1', [subject]);
    directory.standings.clear();
    const outcomes: unknown[] = [];
    for (let round = 0; round < 2; round += 1)
      outcomes.push(await keeper.applyNext().catch((error: Error) => error.message));
    expect(outcomes).toContain('the directory fails');
    expect([...directory.standings.keys()]).toEqual([other.subject]);
    directory.failing.clear();
    expect(await keeper.applied(refused.subject)).toBe(true);
  });

  it('comes to the directory also while nobody can be told of the revocation, and stays pending', async () => {
    const { subject, workspaceId } = await aMember();
    takenBack.away = true;
    const change = { kind: 'roles', roles: ['viewer', 'admin'] } as const;
    const member = await keeper.change(workspaceId, subject, change, { act: anAct });
    expect(member.pending).toBe(true);
    expect(directory.standings.get(subject)?.roles).toEqual(['viewer', 'admin']);
    takenBack.away = false;
    expect(await keeper.applied(subject)).toBe(true);
    expect(takenBack.told).toEqual([`out ${subject}`, `in ${subject}`]);
  });

  describe('as redis-pool is told of it', () => {
    /** What RedisTakenBack uses of Redis. */
    class MemoryRedis {
      run = 'first';
      readonly entries: string[] = [];
      readonly values = new Map<string, string>();

      info = async (): Promise<string> => `# Server\r\nrun_id:${this.run}\r\n`;
      get = async (name: string): Promise<string | null> => this.values.get(name) ?? null;
      set = async (name: string, value: string): Promise<'OK'> => {
        this.values.set(name, value);
        return 'OK';
      };
      xadd = async (...words: unknown[]): Promise<string> => {
        const [subject, , iat, , at] = words.slice(words.indexOf('subject') + 1);
        this.entries.push([subject, iat, at].join(' '));
        return '1-0';
      };
    }
    const now = 1_795_000_000_000;

    it('is told again to a Redis that lost its memory, also when it was told something since', async () => {
      const redis = new MemoryRedis();
      const told = new RedisTakenBack(worker, redis as never);
      const [a, b] = [randomUUID(), randomUUID()];
      await told.shutOut(a, now);
      await told.letIn(a, 1_795_000_001, now);
      expect(redis.entries).toEqual([`${a} 32503680000 ${now}`, `${a} 1795000001 ${now + 1}`]);
      await told.refill(now);
      const known = redis.entries.length;
      await told.refill(now);
      expect(redis.entries).toHaveLength(known);

      redis.values.clear();
      redis.entries.length = 0;
      await told.letIn(b, 7, now + 5);
      await told.refill(now + 10);
      expect(redis.entries).toEqual(
        expect.arrayContaining([`${a} 1795000001 ${now + 1}`, `${b} 7 ${now + 5}`]),
      );
      redis.run = 'second';
      redis.entries.length = 0;
      await told.refill(now + 20);
      expect(redis.entries).toContain(`${a} 1795000001 ${now + 1}`);
    });
  });
});
