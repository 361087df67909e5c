import type { Postgres } from '@sociograph/postgres';
import type { WorkspaceRole } from '../domain/members';
import { type HashedPassword, type Registration, Registrations } from '../domain/ports';

interface Row {
  id: string;
  email: string;
  password: HashedPassword;
  workspace_id: string;
  workspace_name: string | null;
  roles: WorkspaceRole[];
  invitation_id: string | null;
  tries: number;
}

/** Nothing that Keycloak refuses for a day will be accepted later. */
const KEPT = '1 day';
const LONGEST_PAUSE_S = 60;

/**
 * As the worker: nobody who registers belongs to a workspace yet. `holding` has the connections of those that are
 * carried on: each is kept while Keycloak is asked, and what is stored meanwhile needs another one.
 */
export class PgRegistrations extends Registrations {
  constructor(
    private readonly worker: Postgres,
    private readonly holding: Postgres,
    private readonly onFailure: (error: unknown) => void,
  ) {
    super();
  }

  override async begin(registration: Registration, nowMs: number): Promise<void> {
    const { id, email, password, workspaceId, workspaceName, roles, invitationId } = registration;
    await this.worker.query(
      `INSERT INTO registrations
         (id, email, password, workspace_id, workspace_name, roles, invitation_id, begun_at, next_try_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
       ON CONFLICT (email) DO NOTHING`,
      [
        ...[id, email, JSON.stringify(password), workspaceId, workspaceName ?? null, roles],
        ...[invitationId ?? null, new Date(nowMs)],
      ],
    );
    await this.worker.query(
      `UPDATE registrations SET next_try_at = $2 WHERE id =
         (SELECT id FROM registrations WHERE email = $1 AND next_try_at > $2 FOR UPDATE SKIP LOCKED)`,
      [email, new Date(nowMs)],
    );
  }

  override async carryOn(
    nowMs: number,
    work: (registration: Registration) => Promise<'done'>,
    email?: string,
  ): Promise<boolean> {
    return this.holding.tx(async (q) => {
      const { rows } = await q.query<Row>(
        `SELECT id, email, password, workspace_id, workspace_name, roles, invitation_id, tries FROM registrations
         WHERE next_try_at <= $1 AND ($2::text IS NULL OR email = $2)
         ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
        [new Date(nowMs), email ?? null],
      );
      const row = rows[0];
      if (row === undefined) return false;
      try {
        await work(registrationOf(row));
        await q.query('DELETE FROM registrations WHERE id = $1', [row.id]);
      } catch (error) {
        this.onFailure(error);
        const pauseMs = Math.min(2 ** row.tries, LONGEST_PAUSE_S) * 1000;
        await q.query('UPDATE registrations SET tries = tries + 1, next_try_at = $2 WHERE id = $1', [
          row.id,
          new Date(nowMs + pauseMs),
        ]);
        await q.query(`DELETE FROM registrations WHERE id = $1 AND begun_at < now() - interval '${KEPT}'`, [
          row.id,
        ]);
      }
      return true;
    });
  }
}

function registrationOf(row: Row): Registration {
  return {
    id: row.id,
    email: row.email,
    password: row.password,
    workspaceId: row.workspace_id,
    workspaceName: row.workspace_name ?? undefined,
    roles: row.roles,
    invitationId: row.invitation_id ?? undefined,
  };
}
