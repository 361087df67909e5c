import type { Ids } from '@sociograph/kernel';
import type { Postgres, Queryable } from '@sociograph/postgres';
import {
  accountForeign,
  alreadyMember,
  invitationUnknown,
  memberUnknown,
  tooManyMembers,
  workspaceChanged,
} from '../domain/errors';
import { decide, type Member, type MemberChange, type WorkspaceRole } from '../domain/members';
import { type Act, type Registration, type Standing, Workspaces } from '../domain/ports';
import { auditAct } from './audit-rows';

interface Row {
  subject: string;
  workspace_id: string;
  email: string;
  roles: WorkspaceRole[];
  joined_at: Date;
  left_at: Date | null;
  version: number;
  applied: number;
}

const COLUMNS = 'subject, workspace_id, email, roles, joined_at, left_at, version, applied';

export interface PgWorkspacesOptions {
  /** Sees the workspace of its transaction. */
  readonly app: Postgres;
  /** Sees all: for what happens before, or between, workspaces. */
  readonly worker: Postgres;
  /** As `worker`, for transactions that wait for Keycloak: they must not take the connections that others need. */
  readonly holding: Postgres;
  readonly ids: Ids;
  readonly memberLimit: (workspaceId: string) => Promise<number>;
}

export class PgWorkspaces extends Workspaces {
  /** The account that was tried last: one that fails for ever must not keep the others waiting. */
  #tried = '';

  constructor(private readonly options: PgWorkspacesOptions) {
    super();
  }

  override async admit(registration: Registration, subject: string, nowMs: number): Promise<void> {
    const { worker, ids, memberLimit } = this.options;
    const { workspaceId, workspaceName, email, roles, invitationId } = registration;
    const most = await memberLimit(workspaceId);
    await worker.tx(async (q) => {
      await lock(q, workspaceId);
      const known = await q.query('SELECT 1 FROM accounts WHERE subject = $1', [subject]);
      if (known.rowCount > 0) return;
      const in_ =
        invitationId === undefined ||
        ((await count(q, workspaceId)) < most && (await useUp(q, invitationId, nowMs)));
      await ensureWorkspace(q, workspaceId, workspaceName ?? workspaceId, nowMs);
      const now = new Date(nowMs);
      // Somebody else was quicker: the account stays, in no workspace.
      await q.query(
        `INSERT INTO accounts (subject, workspace_id, email, roles, joined_at, left_at, version, applied)
         VALUES ($1, $2, $3, $4, $5, $6, 1, 0)`,
        [subject, workspaceId, email, in_ ? roles : [], now, in_ ? null : now],
      );
      const action = invitationId === undefined ? 'workspace.create' : 'member.join';
      const act: Act = { actor: { kind: 'person', id: subject }, action };
      if (in_) await auditAct(q, ids, workspaceId, `member/${subject}`, nowMs, act);
    });
  }

  override async join(invitationId: string, subject: string, nowMs: number, act: Act): Promise<Member> {
    const { worker, ids, memberLimit } = this.options;
    const found = await worker.query<{ workspace_id: string; roles: WorkspaceRole[] }>(
      'SELECT workspace_id, roles FROM invitations WHERE id = $1',
      [invitationId],
    );
    const invitation = found.rows[0];
    if (invitation === undefined) throw invitationUnknown();
    const { workspace_id: workspaceId, roles } = invitation;
    const most = await memberLimit(workspaceId);
    return worker.tx(async (q) => {
      await lock(q, workspaceId);
      const account = await rowOf(q, `SELECT ${COLUMNS} FROM accounts WHERE subject = $1 FOR UPDATE`, [
        subject,
      ]);
      if (account === undefined) throw accountForeign();
      if (account.left_at === null) throw alreadyMember();
      if ((await count(q, workspaceId)) >= most) throw tooManyMembers(most);
      if (!(await useUp(q, invitationId, nowMs))) throw invitationUnknown();
      await ensureWorkspace(q, workspaceId, workspaceId, nowMs);
      const row = await rowOf(
        q,
        `UPDATE accounts SET workspace_id = $2, roles = $3, joined_at = $4, left_at = NULL, version = version + 1
         WHERE subject = $1 RETURNING ${COLUMNS}`,
        [subject, workspaceId, roles, new Date(nowMs)],
      );
      await auditAct(q, ids, workspaceId, `member/${subject}`, nowMs, act);
      return memberOf(row as Row);
    });
  }

  override async describe(
    workspaceId: string,
  ): Promise<{ name: string; createdAt: number | undefined; revision: number }> {
    const { rows } = await this.options.app.inWorkspace(workspaceId, (q) =>
      q.query<{ name: string; created_at: Date; revision: number }>(
        'SELECT name, created_at, revision FROM workspaces WHERE id = $1',
        [workspaceId],
      ),
    );
    // A workspace of service accounts, as the demo's, was never registered.
    const row = rows[0];
    if (row === undefined) return { name: workspaceId, createdAt: undefined, revision: 0 };
    return { name: row.name, createdAt: row.created_at.getTime(), revision: row.revision };
  }

  override async rename(
    workspaceId: string,
    name: string,
    revision: number | undefined,
    nowMs: number,
    act: Act,
  ): Promise<void> {
    await this.options.app.inWorkspace(workspaceId, async (q) => {
      await lock(q, workspaceId);
      await ensureWorkspace(q, workspaceId, workspaceId, nowMs, 0);
      const changed = await q.query(
        `UPDATE workspaces SET name = $2, revision = revision + 1
         WHERE id = $1 AND ($3::integer IS NULL OR revision = $3)`,
        [workspaceId, name, revision ?? null],
      );
      if (changed.rowCount === 0) throw workspaceChanged();
      await auditAct(q, this.options.ids, workspaceId, `workspace/${workspaceId}`, nowMs, act);
    });
  }

  override async members(workspaceId: string, limit: number, after?: string): Promise<Member[]> {
    const { rows } = await this.options.app.inWorkspace(workspaceId, (q) =>
      q.query<Row>(
        `SELECT ${COLUMNS} FROM accounts
         WHERE workspace_id = $1 AND left_at IS NULL AND ($2::text IS NULL OR subject > $2)
         ORDER BY subject LIMIT $3`,
        [workspaceId, after ?? null, limit],
      ),
    );
    return rows.map(memberOf);
  }

  override async find(workspaceId: string, subject: string): Promise<Member | undefined> {
    const row = await this.options.app.inWorkspace(workspaceId, (q) =>
      rowOf(
        q,
        `SELECT ${COLUMNS} FROM accounts WHERE workspace_id = $1 AND subject = $2 AND left_at IS NULL`,
        [workspaceId, subject],
      ),
    );
    return row && memberOf(row);
  }

  override async change(
    workspaceId: string,
    subject: string,
    change: MemberChange,
    { version, nowMs, act }: { version?: number | undefined; nowMs: number; act: Act },
  ): Promise<Member> {
    return this.options.app.inWorkspace(workspaceId, async (q) => {
      // Two admins who remove each other take turns: the later one is the last, and stays.
      await lock(q, workspaceId);
      const { rows } = await q.query<Row>(
        `SELECT ${COLUMNS} FROM accounts
         WHERE workspace_id = $1 AND left_at IS NULL AND (subject = $2 OR 'admin' = ANY (roles))`,
        [workspaceId, subject],
      );
      const members = rows.map(memberOf);
      const member = members.find((each) => each.subject === subject);
      if (member === undefined) throw memberUnknown();
      const decided = decide(members, member, change, version);
      if (decided === undefined) return member;
      const row = await rowOf(
        q,
        `UPDATE accounts SET roles = $3, left_at = $4, version = version + 1
         WHERE workspace_id = $1 AND subject = $2 RETURNING ${COLUMNS}`,
        [workspaceId, subject, decided.roles, decided.out ? new Date(nowMs) : null],
      );
      await auditAct(q, this.options.ids, workspaceId, `member/${subject}`, nowMs, act);
      return memberOf(row as Row);
    });
  }

  override async countMembers(workspaceId: string): Promise<number> {
    return count(this.options.worker, workspaceId);
  }

  override async applyNext(
    work: (subject: string, standing: Standing, isNew: boolean) => Promise<void>,
    subject?: string,
  ): Promise<boolean> {
    return this.options.holding.tx(async (q) => {
      // Of a named account the change is waited for that another process is just applying.
      const row = await rowOf(
        q,
        `SELECT ${COLUMNS} FROM accounts WHERE applied < version AND ($1::text IS NULL OR subject = $1)
         ORDER BY subject <= $2, subject LIMIT 1 FOR UPDATE ${subject === undefined ? 'SKIP LOCKED' : ''}`,
        [subject ?? null, this.#tried],
      );
      if (row === undefined) return false;
      if (subject === undefined) this.#tried = row.subject;
      const workspaceId = row.left_at === null ? row.workspace_id : undefined;
      await work(row.subject, { workspaceId, roles: row.roles }, row.applied === 0 && row.version === 1);
      await q.query('UPDATE accounts SET applied = $2 WHERE subject = $1', [row.subject, row.version]);
      return true;
    });
  }
}

/** Changes of one workspace's members take turns. */
async function lock(q: Queryable, workspaceId: string): Promise<void> {
  await q.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7))', [`members of ${workspaceId}`]);
}

async function count(q: Queryable, workspaceId: string): Promise<number> {
  const sql = 'SELECT count(*) AS members FROM accounts WHERE workspace_id = $1 AND left_at IS NULL';
  return (await q.query<{ members: number }>(sql, [workspaceId])).rows[0]?.members ?? 0;
}

/** False when it was accepted, withdrawn or is over. */
async function useUp(q: Queryable, id: string, nowMs: number): Promise<boolean> {
  const used = await q.query(
    `UPDATE invitations SET ended_at = $2, outcome = 'accepted'
     WHERE id = $1 AND ended_at IS NULL AND expires_at > $2`,
    [id, new Date(nowMs)],
  );
  return used.rowCount === 1;
}

async function ensureWorkspace(
  q: Queryable,
  id: string,
  name: string,
  nowMs: number,
  revision = 1,
): Promise<void> {
  await q.query(
    `INSERT INTO workspaces (id, name, created_at, revision) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
    [id, name, new Date(nowMs), revision],
  );
}

async function rowOf(q: Queryable, sql: string, values: unknown[]): Promise<Row | undefined> {
  return (await q.query<Row>(sql, values)).rows[0];
}

function memberOf(row: Row): Member {
  return {
    subject: row.subject,
    workspaceId: row.workspace_id,
    email: row.email,
    roles: row.roles,
    joinedAt: row.joined_at.getTime(),
    version: row.version,
    pending: row.applied < row.version,
  };
}
