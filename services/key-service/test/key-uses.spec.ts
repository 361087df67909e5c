import { TimeOrderedIds } from '@sociograph/kernel';
import { Postgres } from '@sociograph/postgres';
import { demoToken, eventually, inPostgres, workspaceOf } from '@sociograph/testing';
import { PgKeyUses } from '../src/infrastructure/pg-key-uses';
import { METHOD_USES, PgMethodUses } from '../src/infrastructure/pg-method-uses';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(60_000);

const silent = { warn: () => undefined };
const REQUEST = {
  network: 'vk',
  importId: 'i1',
  methods: { 'users.get': 3 },
  timeoutMs: 5_000,
};

describe('uses of keys', () => {
  let fleet: KeyServiceFleet;
  let worker: Postgres;
  let keyId: string;
  let workspaceId: string;

  beforeAll(async () => {
    fleet = await startKeyService();
    worker = new Postgres({ url: fleet.config.DATABASE_URL_WORKER, logger: silent });
    const token = await demoToken();
    workspaceId = workspaceOf(token);
    const response = await fetch(`${fleet.url}/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        network: 'vk',
        kind: 'user',
        token: `vk1.uses.${Math.random()}`,
        consent: { givenBy: 'somebody' },
      }),
    });
    keyId = ((await response.json()) as { id: string }).id;
  }, 60_000);

  afterAll(async () => {
    await worker.end();
    await fleet.close();
  });

  it('are one row a lease, written beside its path, with what came of it', async () => {
    const client = await fleet.client();
    const lease = await eventually(
      async () => {
        const verdict = await client.acquire({ ...REQUEST, workspaceId });
        if (verdict.kind !== 'granted') throw new Error(verdict.reason);
        return verdict.lease;
      },
      { timeoutMs: 15_000 },
    );
    const sentAt = (lease.slots[0]?.notBefore ?? 0) + 1;
    await client.settle(lease, [
      { outcome: 'answered', slot: 0, sentAt, answeredAt: sentAt + 50, status: 200 },
    ]);
    const row = await eventually(async () => {
      const { rows } = await worker.query('SELECT * FROM key_uses WHERE lease_id = $1', [lease.leaseId]);
      if (rows[0]?.['results'] == null) throw new Error('not written yet');
      return rows[0];
    });
    expect(row).toMatchObject({
      key_id: keyId,
      key_workspace_id: workspaceId,
      workspace_id: workspaceId,
      import_id: 'i1',
      service: 'parser-service',
      methods: { 'users.get': 3 },
      calls: 1,
      results: { ok: 1 },
    });
    expect((row['granted_at'] as Date).getTime()).toBe(Math.floor(lease.grantedAt));
  }, 40_000);

  it('are announced and noted at the key, which nobody has to read again for that', async () => {
    const uses = new PgKeyUses(worker, new TimeOrderedIds());
    const state = async () =>
      (
        await worker.query<{ revision: number; last_used_at: Date }>(
          'SELECT revision, last_used_at FROM api_keys WHERE id = $1',
          [keyId],
        )
      ).rows[0];
    const before = await state();
    const to = Date.now() + 60_000;
    const period = {
      keyId,
      keyWorkspaceId: 'demo',
      network: 'vk',
      from: to - 9_000,
      to,
      calls: { 'users.get': 3 },
    };
    await uses.announce([period]);
    expect(await state()).toEqual({ revision: before?.revision, last_used_at: new Date(to) });
    await uses.announce([{ ...period, to: to - 1 }]);
    expect((await state())?.last_used_at).toEqual(new Date(to));
  });

  it('take results later, once, and are forgotten in chunks', async () => {
    const uses = new PgKeyUses(worker, new TimeOrderedIds());
    const old = (leaseId: string, grantedAt: number) => ({
      leaseId,
      keyId,
      keyWorkspaceId: 'demo',
      network: 'vk',
      workspaceId: 'demo',
      importId: 'i1',
      service: 'parser-service',
      methods: {},
      calls: 1,
      grantedAt,
      settledAt: null,
      results: null,
    });
    await uses.write([old('old-1', 1_000), old('old-2', 2_000), old('old-3', 3_000)]);
    await uses.write([old('old-1', 9_000)]);
    await uses.settle([{ leaseId: 'old-1', settledAt: 5_000, results: { ok: 1 } }]);
    await uses.settle([{ leaseId: 'old-1', settledAt: 6_000, results: { broken: 1 } }]);
    const { rows } = await worker.query(
      "SELECT granted_at, settled_at, results FROM key_uses WHERE lease_id = 'old-1'",
    );
    expect(rows).toEqual([{ granted_at: new Date(1_000), settled_at: new Date(5_000), results: { ok: 1 } }]);
    expect(await uses.forget(3_000, 1)).toBe(1);
    expect(await uses.forget(3_000, 10)).toBe(1);
    expect(await uses.forget(3_000, 10)).toBe(0);
    const left = await worker.query("SELECT lease_id FROM key_uses WHERE lease_id LIKE 'old-%'");
    expect(left.rows).toEqual([{ lease_id: 'old-3' }]);
  });

  describe('counted by method', () => {
    const MINUTE = 60_000;
    const DAY = 1_440 * MINUTE;
    const now = Date.now() + 10 * DAY;
    const other = '01930f0e-7b1c-7000-8000-0000000000bb';
    const use = (
      leaseId: string,
      grantedAt: number,
      methods: Record<string, number>,
      details: object = {},
    ) => ({
      ...{ leaseId, keyId, keyWorkspaceId: 'demo', network: 'vk', workspaceId: 'demo', importId: 'i1' },
      ...{ service: 'parser-service', methods, calls: 1, grantedAt, settledAt: null, results: null },
      ...details,
    });
    let app: Postgres;

    beforeAll(async () => {
      app = new Postgres({ url: fleet.config.DATABASE_URL_APP, logger: silent });
      await new PgKeyUses(worker, new TimeOrderedIds()).write([
        use('m-1', now, { 'users.get': 1 }),
        use('m-2', now - 59 * MINUTE, { 'users.get': 25, 'wall.get': 3 }, { results: { ok: 1 } }),
        use('m-3', now - 60 * MINUTE, { 'users.get': 100 }, { workspaceId: 'partner' }),
        use('m-4', now - DAY + 1, { 'groups.get': 7 }),
        use('m-5', now - DAY, { 'groups.get': 1_000, 'likes.getList': 1 }),
        use('m-6', now + 1, { 'users.get': 10_000 }),
        use('m-7', now - MINUTE, { 'users.get': 4, 'wall.search': 4 }, { calls: 4, results: { unsent: 4 } }),
        use('m-8', now - MINUTE, { 'users.get': 4 }, { calls: 4, results: { unsent: 1, ok: 2, broken: 1 } }),
        use(
          'm-9',
          now,
          { 'users.get': 500_000 },
          { keyId: other, keyWorkspaceId: 'other', workspaceId: 'other' },
        ),
      ]);
    });

    afterAll(() => app.end());

    it('are those of the last day and hour, without what was given back unused', async () => {
      expect(await new PgMethodUses(app).of('demo', keyId, now)).toEqual([
        { method: 'groups.get', callsInLastDay: 7, callsInLastHour: 0, lastUsedAt: now - DAY + 1 },
        { method: 'users.get', callsInLastDay: 129, callsInLastHour: 29, lastUsedAt: now },
        { method: 'wall.get', callsInLastDay: 3, callsInLastHour: 3, lastUsedAt: now - 59 * MINUTE },
      ]);
    });

    it('are seen by the owner of the key, and by others as far as they used it', async () => {
      const uses = new PgMethodUses(app);
      expect(await uses.of('demo', other, now)).toEqual([]);
      expect(await uses.of('partner', keyId, now)).toMatchObject([
        { method: 'users.get', callsInLastDay: 100 },
      ]);
    });

    it('are found by the index', async () => {
      // A day of a hundred keys; of a few rows any index will do.
      await inPostgres(fleet.adminDatabaseUrl, async (admin) => {
        await admin.query(
          `INSERT INTO key_uses (lease_id, key_id, key_workspace_id, network, workspace_id, import_id, service, methods,
             calls, granted_at)
           SELECT 'x-' || n, md5((n % 100)::text)::uuid, 'demo', 'vk', 'demo', 'i1', 'parser-service',
             '{"users.get": 1}', 1, $1::timestamptz - n * interval '4 seconds'
           FROM generate_series(1, 20000) AS n`,
          [new Date(now)],
        );
        await admin.query('ANALYZE key_uses');
      });
      const plan = await app.inWorkspace('demo', (q) =>
        q.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${METHOD_USES}`, [keyId, new Date(now)]),
      );
      const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(text).toMatch(/Index Scan using key_uses_of_key|Bitmap Index Scan on key_uses_of_key/);
      expect(text).toMatch(/Index Cond: .*key_id.*granted_at.*granted_at/);
    });
  });
});
