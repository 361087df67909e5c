import { setImmediate as turn } from 'node:timers/promises';
import type { Postgres, Queryable } from '@sociograph/postgres';
import type { Suppressions } from '@sociograph/suppression';
import type { Act } from '../domain/audit';
import { invalidImport } from '../domain/errors';
import type { ProfileField, ScopeFiles } from '../domain/import-scope';
import {
  FILE_KINDS,
  type FileKind,
  tooManyUploads,
  type Upload,
  type UploadedPerson,
} from '../domain/upload';
import { Uploads } from '../domain/upload-ports';
import { auditAct } from './outgoing';

interface UploadRow {
  id: string;
  workspace_id: string;
  network: string;
  kind: FileKind;
  digest: string;
  bytes: number;
  people: number;
  friendships: number;
  fields: ProfileField[];
  created_by: string;
  created_at: Date;
  kept_since: Date;
}

const COLUMNS = `id, workspace_id, network, kind, digest, bytes, people, friendships, fields, created_by, created_at, kept_since`;
/** People of one INSERT. */
const ROWS_AT_ONCE = 2_000;
/** Of a file with the names of popular people: a statement does not grow beyond some megabytes. */
const IDS_AT_ONCE = 200_000;
/** Ids that are looked at for erased ones in one query, or one turn of the event loop: an id costs an HMAC. */
const LOOKED_AT_ONCE = 5_000;

/** An import that has not ended reads it. */
export const READ_BY_AN_IMPORT = `EXISTS (
  SELECT FROM imports i WHERE i.workspace_id = uploads.workspace_id AND i.network = uploads.network
    AND i.state IN ('running', 'paused', 'settling')
    AND uploads.id::text IN (i.scope->'files'->>'friendships', i.scope->'files'->>'people'))`;

/** Until the import is stored nobody removes what it reads; whoever did so before is told of like one who never sent it. */
export async function holdUploads(q: Queryable, files: ScopeFiles): Promise<void> {
  const { rows } = await q.query<{ id: string }>(
    'SELECT id FROM uploads WHERE id = ANY ($1) AND NOT removed ORDER BY id FOR SHARE',
    [Object.values(files)],
  );
  const faults = FILE_KINDS.filter(
    (kind) => files[kind] !== undefined && !rows.some(({ id }) => id === files[kind]),
  ).map((kind) => ({ field: `files.${kind}`, message: 'there is no such upload' }));
  if (faults.length > 0) throw invalidImport(faults);
}

/** Uploads in PostgreSQL, one row for each person; the file itself is not kept. Erased people are left out of what is stored. */
export class PgUploads extends Uploads {
  constructor(
    private readonly app: Postgres,
    private readonly worker: Postgres,
    private readonly suppressions: Pick<Suppressions, 'size' | 'isSuppressed'>,
    /** Uploads that one workspace may keep. */
    private readonly most = Infinity,
    /** Resolves when all erased people are known. */
    private readonly caughtUp: Promise<unknown> = Promise.resolve(),
  ) {
    super();
  }

  async add(
    upload: Upload,
    rows: Iterable<UploadedPerson>,
    act?: Act,
  ): Promise<{ upload: Upload; isNew: boolean }> {
    await this.caughtUp;
    const { workspaceId, network } = upload;
    const isErased = (id: string): boolean => this.suppressions.isSuppressed(workspaceId, network, id);
    const known = this.suppressions.size;
    const stored = await this.store(upload, rows, await erasedAmong(rows, isErased), act);
    // Whoever erased somebody while the rows were written did not see them.
    if (this.suppressions.size !== known) await forgetUploaded(this.worker, upload, isErased);
    return stored;
  }

  async find(workspaceId: string, uploadId: string): Promise<Upload | undefined> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const { rows } = await q.query<UploadRow>(
        `SELECT ${COLUMNS} FROM uploads WHERE id = $1 AND NOT removed`,
        [uploadId],
      );
      return rows[0] === undefined ? undefined : uploadOf(rows[0]);
    });
  }

  async page(workspaceId: string, limit: number, after?: string): Promise<Upload[]> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      // Ids are UUIDv7: their order is the order of creation.
      const { rows } = await q.query<UploadRow>(
        `SELECT ${COLUMNS} FROM uploads WHERE NOT removed AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $1`,
        [limit, after ?? null],
      );
      return rows.map(uploadOf);
    });
  }

  async remove(workspaceId: string, uploadId: string, act?: Act): Promise<'removed' | 'in-use' | 'unknown'> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const found = await q.query('SELECT FROM uploads WHERE id = $1 AND NOT removed FOR UPDATE', [uploadId]);
      if (found.rows.length === 0) return 'unknown';
      // A statement of its own: it sees the import that held the row until now.
      const { rows } = await q.query<{ used: boolean }>(
        `SELECT ${READ_BY_AN_IMPORT} AS used FROM uploads WHERE id = $1`,
        [uploadId],
      );
      if (rows[0]?.used === true) return 'in-use';
      await q.query('UPDATE uploads SET removed = true WHERE id = $1', [uploadId]);
      if (act !== undefined) await auditAct(q, { id: uploadId, workspaceId }, act);
      return 'removed';
    });
  }

  private store(
    upload: Upload,
    rows: Iterable<UploadedPerson>,
    erased: ReadonlySet<string>,
    act: Act | undefined,
  ): Promise<{ upload: Upload; isNew: boolean }> {
    const { workspaceId } = upload;
    return this.app.inWorkspace(workspaceId, async (q) => {
      await q.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 10))', [`uploads of ${workspaceId}`]);
      const known = await keptAnew(q, upload);
      if (known !== undefined) return { upload: known, isNew: false };
      await this.admit(q, workspaceId);
      await q.query(
        `INSERT INTO uploads (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
        valuesOf(upload),
      );
      for (const page of pagesOf(rows, erased)) {
        await q.query(
          `INSERT INTO uploaded_people (upload_id, workspace_id, person, friends, profile)
           SELECT $1, $2, person, friends, profile::jsonb FROM unnest($3::text[], $4::text[], $5::text[])
             AS uploaded (person, friends, profile)`,
          [
            upload.id,
            workspaceId,
            page.map(({ person }) => person),
            page.map(({ friends }) => friends?.join(',') ?? null),
            page.map(({ profile }) => (profile === undefined ? null : JSON.stringify(profile))),
          ],
        );
      }
      if (act !== undefined) await auditAct(q, upload, act);
      return { upload, isNew: true };
    });
  }

  private async admit(q: Queryable, workspaceId: string): Promise<void> {
    const { rows } = await q.query<{ kept: number }>(
      'SELECT count(*) AS kept FROM uploads WHERE workspace_id = $1 AND NOT removed',
      [workspaceId],
    );
    if ((rows[0]?.kept ?? 0) >= this.most) throw tooManyUploads(this.most);
  }
}

async function keptAnew(q: Queryable, upload: Upload): Promise<Upload | undefined> {
  const { rows } = await q.query<UploadRow>(
    `UPDATE uploads SET kept_since = $5
     WHERE workspace_id = $1 AND network = $2 AND kind = $3 AND digest = $4 AND NOT removed RETURNING ${COLUMNS}`,
    [upload.workspaceId, upload.network, upload.kind, upload.digest, new Date(upload.keptSince)],
  );
  return rows[0] === undefined ? undefined : uploadOf(rows[0]);
}

/** Found once, before anything is stored: who is erased meanwhile has a row, by which they are found afterwards. */
async function erasedAmong(
  rows: Iterable<UploadedPerson>,
  isErased: (id: string) => boolean,
): Promise<Set<string>> {
  const erased = new Set<string>();
  let looked = 0;
  for (const { person } of rows) {
    if (isErased(person)) erased.add(person);
    looked += 1;
    if (looked % LOOKED_AT_ONCE === 0) await turn();
  }
  return erased;
}

function* pagesOf(rows: Iterable<UploadedPerson>, erased: ReadonlySet<string>): Iterable<UploadedPerson[]> {
  let page: UploadedPerson[] = [];
  let ids = 0;
  for (const row of rows) {
    if (erased.has(row.person)) continue;
    const friends = row.friends?.filter((id) => !erased.has(id));
    page.push(friends === undefined ? row : { ...row, friends });
    ids += 1 + (friends?.length ?? 0);
    if (page.length < ROWS_AT_ONCE && ids < IDS_AT_ONCE) continue;
    yield page;
    page = [];
    ids = 0;
  }
  if (page.length > 0) yield page;
}

function valuesOf(upload: Upload): unknown[] {
  const { id, workspaceId, network, kind, digest, bytes, people, friendships, fields, createdBy } = upload;
  return [
    ...[id, workspaceId, network, kind, digest, bytes, people, friendships, [...fields], createdBy],
    ...[new Date(upload.createdAt), new Date(upload.keptSince)],
  ];
}

function uploadOf(row: UploadRow): Upload {
  const { id, network, kind, digest, bytes, people, friendships, fields } = row;
  return {
    ...{ id, workspaceId: row.workspace_id, network, kind, digest, bytes, people, friendships, fields },
    ...{ createdBy: row.created_by },
    ...{ createdAt: row.created_at.getTime(), keptSince: row.kept_since.getTime() },
  };
}

/** Takes erased people out of the uploads of a network, as the worker: their rows, and their ids out of the lists of others. */
export async function forgetUploaded(
  worker: Postgres,
  { workspaceId, network }: { workspaceId: string; network: string },
  isErased: (id: string) => boolean,
): Promise<void> {
  const { rows: uploads } = await worker.query<{ id: string }>(
    'SELECT id FROM uploads WHERE workspace_id = $1 AND network = $2',
    [workspaceId, network],
  );
  for (const { id } of uploads) {
    for (let after: string | undefined = ''; after !== undefined;) {
      const { rows }: { rows: { person: string }[] } = await worker.query(
        'SELECT person FROM uploaded_people WHERE upload_id = $1 AND person > $2 ORDER BY person LIMIT $3',
        [id, after, LOOKED_AT_ONCE],
      );
      for (const { person } of rows) if (isErased(person)) await forgetIn(worker, id, person);
      after = rows.length < LOOKED_AT_ONCE ? undefined : rows.at(-1)?.person;
    }
  }
}

async function forgetIn(worker: Postgres, uploadId: string, person: string): Promise<void> {
  await worker.tx(async (q) => {
    const { rows } = await q.query<{ friends: string | null }>(
      'DELETE FROM uploaded_people WHERE upload_id = $1 AND person = $2 RETURNING friends',
      [uploadId, person],
    );
    const friends = rows[0]?.friends ?? '';
    if (friends !== '')
      await q.query(
        `UPDATE uploaded_people SET friends = array_to_string(array_remove(string_to_array(friends, ','), $3), ',')
         WHERE upload_id = $1 AND person = ANY (string_to_array($2, ','))`,
        [uploadId, friends, person],
      );
    await q.query('UPDATE uploads SET people = people - $2 WHERE id = $1', [uploadId, rows.length]);
  });
}
