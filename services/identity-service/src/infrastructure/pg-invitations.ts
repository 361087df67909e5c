import type { Ids } from '@sociograph/kernel';
import type { Postgres } from '@sociograph/postgres';
import { invitationUnknown } from '../domain/errors';
import type { WorkspaceRole } from '../domain/members';
import { type Act, type Invitation, Invitations } from '../domain/ports';
import { auditAct } from './audit-rows';

interface Row {
  id: string;
  workspace_id: string;
  roles: WorkspaceRole[];
  note: string | null;
  created_by: string;
  created_at: Date;
  expires_at: Date;
}

const COLUMNS = 'id, workspace_id, roles, note, created_by, created_at, expires_at';

export class PgInvitations extends Invitations {
  constructor(
    private readonly app: Postgres,
    private readonly worker: Postgres,
    private readonly ids: Ids,
  ) {
    super();
  }

  override async add(invitation: Invitation, tokenHash: string, act: Act): Promise<void> {
    const { id, workspaceId, roles, note, createdBy, createdAt, expiresAt } = invitation;
    await this.app.inWorkspace(workspaceId, async (q) => {
      await q.query(
        `INSERT INTO invitations (${COLUMNS}, token_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          ...[id, workspaceId, roles, note ?? null, createdBy],
          ...[new Date(createdAt), new Date(expiresAt), tokenHash],
        ],
      );
      await auditAct(q, this.ids, workspaceId, `invitation/${id}`, createdAt, act);
    });
  }

  override async page(
    workspaceId: string,
    nowMs: number,
    limit: number,
    after?: string,
  ): Promise<Invitation[]> {
    const { rows } = await this.app.inWorkspace(workspaceId, (q) =>
      q.query<Row>(
        `SELECT ${COLUMNS} FROM invitations
         WHERE workspace_id = $1 AND ended_at IS NULL AND expires_at > $2 AND ($3::uuid IS NULL OR id > $3)
         ORDER BY id LIMIT $4`,
        [workspaceId, new Date(nowMs), after ?? null, limit],
      ),
    );
    return rows.map(invitationOf);
  }

  override async withdraw(workspaceId: string, id: string, nowMs: number, act: Act): Promise<void> {
    await this.app.inWorkspace(workspaceId, async (q) => {
      const ended = await q.query(
        `UPDATE invitations SET ended_at = $3, outcome = 'withdrawn'
         WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at > $3`,
        [workspaceId, id, new Date(nowMs)],
      );
      if (ended.rowCount === 0) throw invitationUnknown();
      await auditAct(q, this.ids, workspaceId, `invitation/${id}`, nowMs, act);
    });
  }

  /** As the worker: who accepts belongs to no workspace. */
  override async byToken(tokenHash: string, nowMs: number): Promise<Invitation | undefined> {
    const { rows } = await this.worker.query<Row>(
      `SELECT ${COLUMNS} FROM invitations WHERE token_hash = $1 AND ended_at IS NULL AND expires_at > $2`,
      [tokenHash, new Date(nowMs)],
    );
    return rows[0] && invitationOf(rows[0]);
  }
}

function invitationOf(row: Row): Invitation {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    roles: row.roles,
    note: row.note ?? undefined,
    createdBy: row.created_by,
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at.getTime(),
  };
}
