import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { actionAudited } from '@sociograph/contracts';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { createKafka, EventPublisher } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { Postgres } from '@sociograph/postgres';
import { eventually, inPostgres, startTokenIssuer, testServers, type TokenIssuer } from '@sociograph/testing';
import { checkTrail, type HeadsByWorkspace } from '../src/application/check-trail';
import { headLines } from '../src/infrastructure/append-head-file';
import { PgAuditTrail } from '../src/infrastructure/pg-audit-trail';
import { KeyedSealing } from '../src/infrastructure/secrets';
import { type IdentityStand, identityStand } from './identity-stand';

jest.setTimeout(120_000);

const SLOW = { timeoutMs: 40_000, everyMs: 200 };

describe('the audit trail', () => {
  const logger = createLogger({ service: 'identity-service', instance: 'spec', level: 'silent' });
  const servers = testServers();
  let issuer: TokenIssuer;
  let stand: IdentityStand;
  let publisher: EventPublisher;
  let worker: Postgres;

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    stand = await identityStand(issuer);
    worker = new Postgres({ url: stand.database.urlOf('worker'), max: 2, logger });
    const kafka = createKafka({
      brokers: servers.of('key-service', 'KAFKA_BROKERS'),
      username: servers.of('key-service', 'KAFKA_USERNAME'),
      password: servers.of('key-service', 'KAFKA_PASSWORD'),
      clientId: 'audit-spec',
      logger,
    });
    publisher = new EventPublisher({
      ...{ kafka, source: 'key-service' },
      ...{ clock: new SystemClock(), ids: new TimeOrderedIds() },
    });
  });
  afterAll(async () => {
    await publisher.close();
    await worker.end();
    await stand.close();
    await issuer.close();
  });

  const asAdmin = (sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
    inPostgres(stand.database.adminUrl, async (client) => {
      // As somebody who owns the server would: triggers do not stop them.
      await client.query('SET session_replication_role = replica');
      return (await client.query(sql, values)).rows as Record<string, unknown>[];
    });

  /** So many records of a workspace of their own, each sent twice, sealed. */
  async function aTrail(rows: number): Promise<string> {
    const workspaceId = `w-${randomUUID()}`;
    const events = Array.from({ length: rows }, (_, n) => ({
      message: actionAudited,
      key: workspaceId,
      value: {
        ...{ auditId: randomUUID(), workspaceId, actor: { kind: 'person' as const, id: 'ada' } },
        ...{ action: 'key.register', target: `key/${n}`, at: 1_795_000_000_000 + n, result: 'done' as const },
      },
    }));
    await publisher.publish(events);
    await publisher.publish(events);
    await eventually(async () => {
      const [count] = await asAdmin('SELECT max(seq)::int AS seq FROM audit_heads WHERE workspace_id = $1', [
        workspaceId,
      ]);
      expect(count).toEqual({ seq: rows });
      expect(readFileSync(stand.headsFile, 'utf8')).toContain(
        `"workspaceId":"${workspaceId}","seq":${rows},`,
      );
    }, SLOW);
    return workspaceId;
  }

  /** What the check finds in one workspace, with the heads of the file. */
  async function found(workspaceId: string): Promise<string[]> {
    const heads: HeadsByWorkspace = new Map();
    for await (const { id: _id, ...head } of headLines(stand.headsFile))
      heads.set(head.workspaceId, [...(heads.get(head.workspaceId) ?? []), head]);
    const trail = new PgAuditTrail(worker, worker, new TimeOrderedIds());
    const { findings } = await checkTrail(trail, heads, new KeyedSealing(stand.auditKey), 3_600);
    return findings
      .filter((finding) => finding.workspaceId === workspaceId)
      .map(({ seq, fault }) => `${seq} ${fault}`);
  }

  it('keeps what services tell once, numbered, and shows it to the admins of that workspace', async () => {
    const workspace = await aTrail(3);
    expect(await found(workspace)).toEqual([]);
    const admin = issuer.token({ roles: ['admin'], workspace, subject: 'admin' });
    const first = await stand.ask('GET', '/v1/audit?limit=2', admin);
    const targets = (body: Record<string, unknown>): string[] =>
      (body['items'] as { target: string }[]).map(({ target }) => target);
    expect(targets(first.body)).toEqual(['key/2', 'key/1']);
    const second = await stand.ask('GET', `/v1/audit?limit=2&cursor=${String(first.body['next'])}`, admin);
    expect(second.body).toMatchObject({ items: [{ target: 'key/0' }], next: null });
    const stranger = issuer.token({ roles: ['admin'], workspace: `w-${randomUUID()}`, subject: 'stranger' });
    expect((await stand.ask('GET', `/v1/audit?workspace=${workspace}`, stranger)).body['items']).toEqual([]);
    const operator = issuer.token({ roles: ['platform-operator'], workspace: '', subject: 'operator' });
    const all = await stand.ask('GET', `/v1/audit?workspace=${workspace}`, operator);
    expect(targets(all.body)).toEqual(['key/2', 'key/1', 'key/0']);
    expect((await stand.ask('GET', '/v1/audit', issuer.token({ roles: ['viewer'] }))).status).toBe(403);
  });

  it('says what was done, by whom, from where and under which correlation id', async () => {
    const workspace = `w-${randomUUID()}`;
    const admin = issuer.token({ roles: ['admin'], workspace, subject: 'ada' });
    const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.7', 'x-correlation-id': 'spec-1' };
    const invited = await stand.ask(
      'POST',
      '/v1/workspace/invitations',
      admin,
      { roles: ['viewer'] },
      headers,
    );
    expect(invited.status).toBe(201);
    await eventually(async () => {
      const { body } = await stand.ask('GET', '/v1/audit', admin);
      expect(body['items']).toEqual([
        {
          ...{ auditId: expect.any(String), workspaceId: workspace, at: expect.any(Number) },
          ...{ actor: { kind: 'person', id: 'ada' }, action: 'member.invite', result: 'done' },
          target: `invitation/${String(invited.body['id'])}`,
          ...{ peer: '203.0.113.7', correlationId: 'spec-1' },
        },
      ]);
    }, SLOW);
  });

  it.each(['audit_entries', 'audit_seals', 'audit_heads'])('refuses changes of %s', async (table) => {
    await aTrail(1);
    for (const role of ['owner', 'worker'] as const) {
      const attempt = (sql: string): Promise<unknown> =>
        inPostgres(stand.database.urlOf(role), (client) => client.query(sql));
      await expect(attempt(`DELETE FROM ${table}`)).rejects.toMatchObject({ code: '42501' });
      await expect(attempt(`UPDATE ${table} SET workspace_id = 'x'`)).rejects.toMatchObject({
        code: '42501',
      });
    }
  });

  it('shows a planted change, removal, swap, recomputation and cut tail', async () => {
    const [changed, removed, swapped, cut, anew] = (await Promise.all(
      Array.from({ length: 5 }, () => aTrail(4)),
    )) as [string, string, string, string, string];
    const entryOf = 'SELECT entry_id FROM audit_seals WHERE workspace_id = $1 AND seq = $2';
    await asAdmin(`UPDATE audit_entries SET entry = entry || '{"target":"other"}' WHERE id = (${entryOf})`, [
      changed,
      2,
    ]);
    await asAdmin(`DELETE FROM audit_entries WHERE id = (${entryOf})`, [removed, 3]);
    await asAdmin(
      `UPDATE audit_entries a SET entry = b.entry FROM audit_entries b
       WHERE a.workspace_id = $1 AND b.workspace_id = $1
         AND a.entry->>'target' IN ('key/0', 'key/1') AND b.entry->>'target' IN ('key/0', 'key/1')
         AND a.id <> b.id`,
      [swapped],
    );
    await asAdmin('DELETE FROM audit_seals WHERE workspace_id = $1 AND seq = 4', [cut]);
    await asAdmin('DELETE FROM audit_entries WHERE workspace_id = $1', [anew]);
    await asAdmin('DELETE FROM audit_seals WHERE workspace_id = $1', [anew]);
    const [row] = await asAdmin(
      `INSERT INTO audit_entries (audit_id, workspace_id, entry) VALUES ($1, $2, '{"forged":true}') RETURNING id`,
      [randomUUID(), anew],
    );
    await asAdmin('INSERT INTO audit_pending (entry_id) VALUES ($1)', [row?.['id']]);
    await eventually(
      async () =>
        expect(await asAdmin('SELECT 1 FROM audit_seals WHERE workspace_id = $1', [anew])).toHaveLength(1),
      SLOW,
    );
    expect(await found(changed)).toEqual(['2 changed']);
    expect(await found(removed)).toEqual(['3 missing']);
    expect(await found(swapped)).toEqual(['1 changed', '2 changed']);
    expect(await found(cut)).toEqual(['4 cut']);
    expect((await found(anew)).filter((finding) => /recomputed|cut/.test(finding))).not.toEqual([]);
  });
});
