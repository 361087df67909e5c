import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, SystemRandomness, TimeOrderedIds } from '@sociograph/kernel';
import type { LeaseClient, WorkerLease } from '@sociograph/lease-client';
import { Postgres } from '@sociograph/postgres';
import { demoToken, eventually, freePort, ProcessHandle, TcpProxy, workspaceOf } from '@sociograph/testing';
import { Client } from 'pg';
import { RefreshTokens } from '../src/application/refresh-tokens';
import type { RefreshOutcome } from '../src/domain/token-refresh';
import { EnvelopeVault } from '../src/infrastructure/envelope-vault';
import { LocalKms } from '../src/infrastructure/local-kms';
import { PgKeyRests } from '../src/infrastructure/pg-key-rests';
import { PgTokenPairs } from '../src/infrastructure/pg-token-pairs';
import { PostgresDataKeys } from '../src/infrastructure/postgres-pool-store';
import { VkTokenRefresher } from '../src/infrastructure/vk-token-refresher';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(60_000);

const SIMULATOR = join(__dirname, '../../../infra/vk-simulator/dist/main.js');
const KEYS = 11;
const MARK = 'refreshable.';
const secret = (): string => `${MARK}${randomBytes(16).toString('hex')}`;

describe('the refresh of tokens, against PostgreSQL and the token endpoint of the simulator', () => {
  const pairs = Array.from({ length: KEYS }, () => ({ token: secret(), refreshToken: secret() }));
  const folder = mkdtempSync(join(tmpdir(), 'token-refresh-'));
  let fleet: KeyServiceFleet;
  let simulator: ProcessHandle;
  let client: LeaseClient;
  let proxy: TcpProxy;
  let base: string;
  let authorization: string;
  let workspaceId: string;
  let next = 0;

  beforeAll(async () => {
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    const graph = join(folder, 'graph.txt');
    writeFileSync(graph, '1 2\n2 3\n3 1\n');
    const tokensFile = join(folder, 'tokens.json');
    writeFileSync(tokensFile, JSON.stringify(pairs.map((pair) => ({ ...pair, kind: 'user' }))));
    const args = ['--graph', graph, '--port', String(port), '--delay', '0', '--tokens-file', tokensFile];
    simulator = await new ProcessHandle({ command: process.execPath, args: [SIMULATOR, ...args] }).start();
    await simulator.waitFor(/keys/);
    proxy = await new TcpProxy({ target: { port } }).start();
    fleet = await startKeyService({ VK_OAUTH_URL: `http://127.0.0.1:${proxy.port}/oauth2/auth` });
    const token = await demoToken();
    authorization = `Bearer ${token}`;
    workspaceId = workspaceOf(token);
    client = await fleet.client();
    await eventually(() => client.open(), { timeoutMs: 10_000, everyMs: 100 });
  });

  afterAll(async () => {
    await fleet?.close();
    await proxy?.close();
    await simulator?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  const rest = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${fleet.url}${path}`, { ...init, headers: { authorization, 'content-type': 'application/json' } });

  /** Registers the next pair as the only active key; answers its id. */
  async function register(withRefresh = true, expiresAt?: number): Promise<string> {
    const listed = (await (await rest('/v1/keys?state=active')).json()) as { items: { id: string }[] };
    for (const { id } of listed.items) await rest(`/v1/keys/${id}/pause`, { method: 'POST' });
    const { token, refreshToken } = pairs[next] as (typeof pairs)[0];
    next += 1;
    const refresh = { token: refreshToken, clientId: 'app-1', deviceId: 'device-1', expiresAt };
    const body = { network: 'vk', kind: 'user', token, consent: { givenBy: 'Ada' } };
    const response = await rest('/v1/keys', {
      method: 'POST',
      body: JSON.stringify({ ...body, ...(withRefresh && { refresh }) }),
    });
    expect(response.status).toBe(201);
    const text = await response.text();
    expect(text).not.toContain(MARK);
    return (JSON.parse(text) as { id: string }).id;
  }

  async function acquire(): Promise<WorkerLease> {
    let lease: WorkerLease | undefined;
    await eventually(
      async () => {
        const wanted = {
          workspaceId,
          network: 'vk',
          importId: 'import',
          methods: { 'users.get': 1 },
        };
        const verdict = await client.acquire({ ...wanted, timeoutMs: 500 });
        if (verdict.kind === 'denied') throw new Error(verdict.reason);
        lease = verdict.lease;
      },
      { timeoutMs: 15_000, everyMs: 100 },
    );
    return lease as WorkerLease;
  }

  function settle(lease: WorkerLease, code: number): Promise<unknown> {
    const sentAt = lease.slots[0]?.notBefore ?? 0;
    const error = { code, text: 'User authorization failed' };
    return client.settle(lease, [
      { outcome: 'answered', slot: 0, sentAt, answeredAt: sentAt + 5, status: 200, error },
    ]);
  }

  const works = async (token: string): Promise<boolean> => {
    const response = await fetch(`${base}/method/users.get?user_ids=1&v=5.199&access_token=${token}`);
    return 'response' in ((await response.json()) as object);
  };

  const oauth = async (mode?: string): Promise<{ refreshed: number; refused: number }> => {
    const response = await (mode === undefined
      ? fetch(`${base}/oauth`)
      : fetch(`${base}/oauth?mode=${mode}`, { method: 'POST' }));
    return (await response.json()) as { refreshed: number; refused: number };
  };

  async function rows<R>(sql: string, values: unknown[] = []): Promise<R[]> {
    const admin = new Client({ connectionString: fleet.adminDatabaseUrl });
    await admin.connect();
    try {
      return (await admin.query(sql, values)).rows as R[];
    } finally {
      await admin.end();
    }
  }

  const stateOf = async (id: string): Promise<[string, string | null]> => {
    const key = (await (await rest(`/v1/keys/${id}`)).json()) as { state: string; reason: string | null };
    return [key.state, key.reason];
  };

  it('gets another token when the network says that the present one is over, and tells the log of keys', async () => {
    const id = await register();
    const before = await oauth();
    const lease = await acquire();
    expect(lease.token.reveal()).toBe(pairs[0]?.token);
    await settle(lease, 1117);
    const renewed = await acquire();
    expect(renewed.keyId).toBe(id);
    expect(renewed.keyVersion).toBe(2);
    expect(renewed.token.reveal()).not.toBe(pairs[0]?.token);
    expect(await works(renewed.token.reveal())).toBe(true);
    expect(await works(pairs[0]?.token ?? '')).toBe(false);
    expect((await oauth()).refreshed - before.refreshed).toBe(1);
    expect(await stateOf(id)).toEqual(['active', null]);
    const [history] = await rows(
      'SELECT action, changes FROM key_history WHERE key_id = $1 AND version = 2',
      [id],
    );
    expect(history).toEqual({ action: 'key.refresh', changes: { tokenVersion: { from: 1, to: 2 } } });
    const [pair] = await rows('SELECT token_version, due_at, tries FROM refresh_tokens WHERE key_id = $1', [
      id,
    ]);
    expect(pair).toEqual({ token_version: 2, due_at: expect.any(Date), tries: 0 });
  });

  it('refreshes a token before it ends, once, while leases go on with the old one', async () => {
    const before = await oauth();
    proxy.delay(1_500);
    const id = await register(true, Date.now() + 4_000);
    const times = async (): Promise<{ due: number; end: number }> => {
      const [pair] = await rows<{ due_at: Date; expires_at: Date }>(
        'SELECT due_at, expires_at FROM refresh_tokens WHERE key_id = $1',
        [id],
      );
      return { due: Number(pair?.due_at), end: Number(pair?.expires_at) };
    };
    const planned = await times();
    // Half of so short a life.
    expect(planned.end - planned.due).toBeGreaterThan(1_500);
    expect(planned.end - planned.due).toBeLessThan(2_500);
    const old = (await acquire()).token.reveal();
    let withTheOldOne = 0;
    await eventually(
      async () => {
        const lease = await acquire();
        if (lease.keyVersion === 1) withTheOldOne += 1;
        expect([lease.keyId, lease.keyVersion]).toEqual([id, 2]);
        expect(await works(lease.token.reveal())).toBe(true);
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
    proxy.restore();
    expect(withTheOldOne).toBeGreaterThan(5);
    expect(await works(old)).toBe(false);
    expect((await oauth()).refreshed - before.refreshed).toBe(1);
    expect(await stateOf(id)).toEqual(['active', null]);
    const { due, end } = await times();
    expect(end - Date.now()).toBeGreaterThan(3_580_000);
    expect(end - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect(end - due).toBeGreaterThanOrEqual(359_000);
    expect(end - due).toBeLessThanOrEqual(720_000);
  });

  it('gives a key up when the answer with its new pair got lost, and asks for its owner', async () => {
    const id = await register();
    await oauth('lost');
    await settle(await acquire(), 5);
    await eventually(
      async () => expect(await stateOf(id)).toEqual(['invalid', 'refresh-answer-lost: invalid_grant']),
      { timeoutMs: 15_000, everyMs: 50 },
    );
    await oauth('usual');
    expect(await rows('SELECT 1 FROM refresh_tokens WHERE key_id = $1', [id])).toEqual([]);
    const said = fleet.logs.filter((line) => line.includes(id) && line.includes('"needs-owner"'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('refresh-answer-lost: invalid_grant');
  });

  it('has the key back when connections broke before the network heard of it', async () => {
    const id = await register();
    const lease = await acquire();
    proxy.refuse();
    await settle(lease, 5);
    await eventually(
      async () => {
        const [pair] = await rows<{ tries: number }>('SELECT tries FROM refresh_tokens WHERE key_id = $1', [
          id,
        ]);
        expect(pair?.tries).toBeGreaterThan(1);
      },
      { timeoutMs: 15_000, everyMs: 50 },
    );
    proxy.restore();
    expect(await acquire()).toMatchObject({ keyId: id, keyVersion: 2 });
    const [pair] = await rows('SELECT answer_lost, tries FROM refresh_tokens WHERE key_id = $1', [id]);
    expect(pair).toEqual({ answer_lost: false, tries: 0 });
  });

  it('goes on asking a network that cannot answer, and then has the key back', async () => {
    const id = await register();
    await oauth('unavailable');
    await settle(await acquire(), 5);
    await eventually(
      async () => {
        const [pair] = await rows<{ tries: number }>('SELECT tries FROM refresh_tokens WHERE key_id = $1', [
          id,
        ]);
        expect(pair?.tries).toBeGreaterThan(0);
      },
      { timeoutMs: 10_000, everyMs: 50 },
    );
    expect((await stateOf(id))[0]).toBe('active');
    await oauth('usual');
    expect((await acquire()).keyVersion).toBe(2);
  });

  it('gives a key up whose refresh token is refused, and forgets it', async () => {
    const id = await register();
    await oauth('refuse');
    await settle(await acquire(), 5);
    await eventually(
      async () => expect(await stateOf(id)).toEqual(['invalid', 'refresh-refused: invalid_grant']),
      { timeoutMs: 10_000, everyMs: 50 },
    );
    await oauth('usual');
    expect(await rows('SELECT 1 FROM refresh_tokens WHERE key_id = $1', [id])).toEqual([]);
  });

  it('makes a key without a refresh token invalid, and destroys the refresh token of a deleted one', async () => {
    const without = await register(false);
    await settle(await acquire(), 5);
    await eventually(async () => expect(await stateOf(without)).toEqual(['invalid', 'token-refused']), {
      timeoutMs: 10_000,
      everyMs: 50,
    });
    const id = await register();
    expect(await rows('SELECT 1 FROM refresh_tokens WHERE key_id = $1', [id])).toHaveLength(1);
    expect((await rest(`/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await rows('SELECT 1 FROM refresh_tokens WHERE key_id = $1', [id])).toEqual([]);
  });

  it('names the fields of a refresh token that cannot be', async () => {
    const post = async (refresh: unknown): Promise<unknown> => {
      const body = { network: 'vk', kind: 'user', token: secret(), consent: { givenBy: 'Ada' }, refresh };
      const response = await rest('/v1/keys', { method: 'POST', body: JSON.stringify(body) });
      const { errors } = (await response.json()) as { errors?: { field: string }[] };
      return [response.status, errors?.map(({ field }) => field)];
    };
    expect(await post({ token: 'short', clientId: 'app' })).toEqual([400, ['refresh.token']]);
    expect(await post({ token: 'with blanks inside', clientId: 'app' })).toEqual([400, ['refresh.token']]);
    expect(await post({ token: secret() })).toEqual([400, ['refresh.clientId']]);
    expect(await post({ token: secret(), clientId: 'app', deviceId: ' ' })).toEqual([
      400,
      ['refresh.deviceId'],
    ]);
    expect(await post('token')).toEqual([400, ['refresh']]);
    for (const expiresAt of [-1, 1.5, 'soon', 4_102_444_800_001, 1e300])
      expect(await post({ token: secret(), clientId: 'app', expiresAt })).toEqual([
        400,
        ['refresh.expiresAt'],
      ]);
  });

  it.each(['when it is wanted', 'when it is planned'])('is done by one process of many, %s', async (when) => {
    const id = await register();
    if (when === 'when it is planned')
      await rows("UPDATE refresh_tokens SET due_at = now() + interval '1 hour' WHERE key_id = $1", [id]);
    const before = await oauth();
    const postgres = new Postgres({
      url: fleet.config.DATABASE_URL_WORKER,
      logger: { warn: () => undefined },
      max: 8,
    });
    const clock = new SystemClock();
    const ids = new TimeOrderedIds();
    const renewed: string[] = [];
    const processes = Array.from(
      { length: 6 },
      () =>
        new RefreshTokens({
          pairs: new PgTokenPairs(postgres, ids),
          refresher: new VkTokenRefresher({ url: `${base}/oauth2/auth` }),
          vault: new EnvelopeVault({
            kms: new LocalKms(fleet.config.KMS_MASTER_KEY_FILE as string),
            dataKeys: new PostgresDataKeys(postgres),
            clock,
            ids,
          }),
          clock,
          chance: new SystemRandomness(),
          onRenewed: async (keyId) => renewed.push(keyId),
          onRefused: async () => renewed.push('refused'),
        }),
    );
    if (when === 'when it is wanted') await Promise.all(processes.map((refreshes) => refreshes.want(id, 1)));
    else await rows('UPDATE refresh_tokens SET due_at = now() WHERE key_id = $1', [id]);
    await Promise.all(processes.map((refreshes) => refreshes.run()));
    await postgres.end();
    expect(await rows('SELECT last_failure FROM refresh_tokens WHERE key_id = $1', [id])).toEqual([
      { last_failure: null },
    ]);
    // The service itself may have been the one: what the network gave it is stored a little later.
    await eventually(
      async () => {
        const [pair] = await rows('SELECT token_version FROM refresh_tokens WHERE key_id = $1', [id]);
        expect(pair).toEqual({ token_version: 2 });
      },
      { timeoutMs: 20_000, everyMs: 50 },
    );
    const after = await oauth();
    expect([after.refreshed - before.refreshed, after.refused]).toEqual([1, before.refused]);
    expect(renewed.length).toBeLessThanOrEqual(1);
  });

  it('knows of an answer that was lost with the process that had asked', async () => {
    const id = await register();
    await rows("UPDATE refresh_tokens SET due_at = now() + interval '1 minute' WHERE key_id = $1", [id]);
    const postgres = new Postgres({
      url: fleet.config.DATABASE_URL_WORKER,
      logger: { warn: () => undefined },
      max: 2,
    });
    const kept = new PgTokenPairs(postgres, new TimeOrderedIds());
    // The key-service itself comes to it only in a minute.
    const then = Date.now() + 120_000;
    const found: boolean[] = [];
    const work = (outcome: () => Promise<RefreshOutcome>) =>
      kept.withDue(then, async (due) => {
        expect(due.keyId).toBe(id);
        found.push(due.answerLost);
        const [seen] = await rows('SELECT answer_lost FROM refresh_tokens WHERE key_id = $1', [id]);
        expect(seen).toEqual({ answer_lost: true });
        return outcome();
      });
    await expect(work(() => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    const later = { kind: 'later' as const, dueAt: then, cause: 'status 503', answerLost: false };
    expect((await work(() => Promise.resolve(later)))?.outcome).toEqual(later);
    await work(() => Promise.resolve({ kind: 'refused', reason: 'invalid_grant' }));
    expect(found).toEqual([false, true, false]);
    expect(await kept.withDue(then, () => Promise.reject(new Error('nothing is due')))).toBeUndefined();
    await postgres.end();
  });

  it('keeps long rests where they outlive Redis, for keys that there are', async () => {
    const [{ id } = { id: '' }] = await rows<{ id: string }>('SELECT id FROM api_keys LIMIT 1');
    const postgres = new Postgres({
      url: fleet.config.DATABASE_URL_WORKER,
      logger: { warn: () => undefined },
      max: 1,
    });
    const rests = new PgKeyRests(postgres);
    const now = Date.now();
    const about = { keyId: id, tokenVersion: 1, untilAt: now + 1000, lengthMs: 3_600_000, code: 29 };
    const method = { ...about, kind: 'method' as const, name: 'wall.get', barred: false };
    const egress = { ...about, kind: 'egress' as const, name: 'home', barred: true };
    const unknown = { ...method, keyId: '01930f0e-7b1c-7000-8000-0000000000ff' };
    await rests.write({ kept: [method, egress, unknown], gone: [] });
    expect(await rests.all(now)).toEqual([egress, method]);
    await rests.write({ kept: [{ ...method, lengthMs: 7_200_000 }], gone: [egress] });
    expect(await rests.all(now)).toEqual([{ ...method, lengthMs: 7_200_000 }]);
    expect(await rests.all(now + 1000 + 2 * 86_400_000)).toHaveLength(1);
    expect(await rests.all(now + 1001 + 2 * 86_400_000)).toEqual([]);
    await postgres.end();
  });

  it('leaves no token in a row or a log line', async () => {
    const tables = ['api_keys', 'refresh_tokens', 'key_history', 'outbox', 'idempotency_keys'];
    for (const table of tables) {
      const found = await rows<{ row: string }>(`SELECT t::text AS row FROM ${table} t`);
      expect(found.filter(({ row }) => row.includes(MARK))).toEqual([]);
      const hex = Buffer.from(MARK).toString('hex');
      expect(found.filter(({ row }) => row.includes(hex))).toEqual([]);
    }
    expect(fleet.logs.filter((line) => line.includes(MARK))).toEqual([]);
  });
});
