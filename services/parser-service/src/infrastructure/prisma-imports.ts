import { PrismaPg } from '@prisma/adapter-pg';
import { DomainError } from '@sociograph/kernel';
import { annotateSpan, currentTraceparent } from '@sociograph/observability';
import { Postgres, prismaInWorkspace, type Queryable } from '@sociograph/postgres';
import { Prisma, PrismaClient } from '../../generated/prisma';
import type { ItemTally } from '../domain/certificate';
import type { Act } from '../domain/audit';
import { tooManyRunning } from '../domain/errors';
import {
  ImportJob,
  type ImportCounters,
  type ImportSnapshot,
  type ImportState,
  type Reopened,
} from '../domain/import-job';
import { firstItems, type ImportScope } from '../domain/import-scope';
import type { GapCause } from '../domain/items';
import type { RefreshItem } from '../domain/known-people';
import type { LogPositions } from '../domain/observation';
import { type ImportFilter, Imports, type ImportRecord } from '../domain/ports';
import { announceImport, auditAct } from './outgoing';
import { BANNED } from './pg-finish-calls';
import { NOTHING_KEPT } from './pg-kept-answers';
import { holdUploads } from './pg-uploads';
import { takeListsAgain } from './pg-rounds';
import {
  closePending,
  IMPORT_COLUMNS,
  type ImportRow,
  jobOf,
  lockImport,
  positionsOf,
  saveImport,
  valuesOf,
} from './pg-rows';

const WITH_POSITIONS = { positions: true } as const;
type Row = Prisma.ImportGetPayload<{ include: typeof WITH_POSITIONS }>;

/**
 * A client on the serving role's connections, for reads of imports. A read holds one for six round trips: on a busy machine
 * each of them waits for this process, and with three connections reads waited in line until they were given up.
 */
export function openPrisma(url: string): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 10 }) });
}

/**
 * Imports in PostgreSQL. Reads go through Prisma; what changes an import works on sets of items in the same
 * transaction and is SQL. All of it runs as `app` under row-level security but `settling` and
 * `running`, which are the worker's.
 */
export class PrismaImports extends Imports {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly app: Postgres,
    private readonly worker: Postgres,
    /** Imports of one workspace that may run at once. */
    private readonly mostRunning: number | ((workspaceId: string) => Promise<number>) = Infinity,
  ) {
    super();
  }

  async add(job: ImportJob, act?: Act, given?: readonly RefreshItem[]): Promise<void> {
    const { id, workspaceId, seeds, scope, depth } = job.snapshot;
    annotateSpan({ 'sociograph.import.id': id });
    await this.app.inWorkspace(workspaceId, async (q) => {
      if (scope.files !== undefined) await holdUploads(q, scope.files);
      if (job.snapshot.state === 'running') await this.admit(q, job.snapshot);
      const items = given ?? firstItems(seeds, scope, depth).map((item) => ({ ...item, depth: 0 }));
      const values = [...valuesOf(job.snapshot), currentTraceparent() ?? null];
      const places = values.map((_, index) => `$${index + 1}`).join(', ');
      await q.query(`INSERT INTO imports (${IMPORT_COLUMNS}, traceparent) VALUES (${places})`, values);
      await q.query(
        `INSERT INTO items (import_id, workspace_id, kind, person, depth)
         SELECT $1, $2, kind, person, depth
         FROM unnest($3::text[], $4::text[], $5::smallint[]) AS first (kind, person, depth)`,
        [
          ...[id, workspaceId, items.map(({ kind }) => kind), items.map(({ person }) => person)],
          items.map((item) => item.depth),
        ],
      );
      // Its first event, with which a stream begins.
      await saveImport(q, job.snapshot);
      await announceImport(q, job.snapshot, {});
      if (act !== undefined) await auditAct(q, job.snapshot, act);
    });
  }

  async find(workspaceId: string, importId: string): Promise<ImportRecord | undefined> {
    return this.read(workspaceId, async (tx) => {
      const where = { id: importId, state: { not: 'deleted' } };
      const row = await tx.import.findFirst({ where, include: WITH_POSITIONS });
      return row === null ? undefined : recordOf(row);
    });
  }

  async page(
    workspaceId: string,
    limit: number,
    after?: string,
    { state, network }: ImportFilter = {},
  ): Promise<ImportRecord[]> {
    return this.read(workspaceId, async (tx) => {
      // Ids are UUIDv7: their order is the order of creation.
      const rows = await tx.import.findMany({
        where: {
          workspaceId,
          state: state ?? { not: 'deleted' },
          ...(network === undefined ? {} : { network }),
          ...(after === undefined ? {} : { id: { lt: after } }),
        },
        orderBy: { id: 'desc' },
        take: limit,
        include: WITH_POSITIONS,
        omit: { seeds: true },
      });
      const ids = rows.map(({ id }) => id);
      const counts = await tx.$queryRaw<{ id: string; seeds: number }[]>`
        SELECT id, cardinality(seeds) AS seeds FROM imports WHERE id = ANY (${ids}::uuid[])`;
      const seedsOf = new Map(counts.map(({ id, seeds }) => [id, seeds]));
      return rows.map((row) => ({
        ...recordOf({ ...row, seeds: [] }),
        seedCount: seedsOf.get(row.id) ?? 0,
      }));
    });
  }

  async change(workspaceId: string, importId: string, step: (job: ImportJob) => ImportJob, act?: Act) {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const before = await lockImport(q, importId);
      if (before === undefined || before.snapshot.state === 'deleted') return undefined;
      return this.apply(q, before, step(before), act);
    });
  }

  async retry(
    workspaceId: string,
    importId: string,
    causes: readonly GapCause[],
    decide: (job: ImportJob, reopened: Reopened) => ImportJob,
    act?: Act,
    people?: readonly string[],
  ) {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const before = await lockImport(q, importId);
      if (before === undefined || before.snapshot.state === 'deleted') return undefined;
      const { rows } = await q.query<Reopened>(
        `WITH reopened AS (
           UPDATE items SET state = 'pending', attempts = 0, key_faults = 0, ready_at = 'epoch', cause = NULL,
             detail = NULL, retried = true
           WHERE import_id = $1 AND state = 'gap' AND cause = ANY ($2)
             AND ($3::text[] IS NULL OR person = ANY ($3)) RETURNING kind
         )
         SELECT count(*) FILTER (WHERE kind = 'profile') AS people, count(*) FILTER (WHERE kind <> 'profile') AS lists
         FROM reopened`,
        [importId, [...causes], people === undefined ? null : [...people]],
      );
      return this.apply(q, before, decide(before, rows[0] ?? { people: 0, lists: 0 }), act);
    });
  }

  async lookAgain(
    workspaceId: string,
    importId: string,
    people: readonly string[],
    { revision, now, mostRounds }: { revision: number; now: number; mostRounds: number },
  ): Promise<boolean> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const before = await lockImport(q, importId);
      if (before?.snapshot.state !== 'settling' || before.snapshot.revision !== revision) return false;
      const taken = await takeListsAgain(q, before.snapshot, people, mostRounds);
      if (taken === undefined) return false;
      await this.apply(q, before, before.lookAgain(taken, now), undefined);
      return true;
    });
  }

  /** Saves and announces a step; what is no step needs neither. */
  private async apply(
    q: Queryable,
    before: ImportJob,
    after: ImportJob,
    act: Act | undefined,
  ): Promise<ImportRecord> {
    const { id, state, revision } = after.snapshot;
    const positions = (await positionsOf(q, [id])).get(id) ?? {};
    if (revision === before.snapshot.revision) return { job: after, positions };
    if (state === 'running') await this.admit(q, after.snapshot);
    const saved =
      state === 'cancelled' ? after.absorb(await withdraw(q, id), after.snapshot.changedAt) : after;
    await saveImport(q, saved.snapshot, state === 'running' ? '' : id);
    if (state !== before.snapshot.state) await announceImport(q, saved.snapshot, positions);
    if (act !== undefined) await auditAct(q, saved.snapshot, act);
    return { job: saved, positions };
  }

  /** One at a time for a workspace, so that two cannot both take the last place. */
  private async admit(q: Queryable, { id, workspaceId }: ImportSnapshot): Promise<void> {
    const most =
      typeof this.mostRunning === 'number' ? this.mostRunning : await this.mostRunning(workspaceId);
    await q.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 8))', [`running in ${workspaceId}`]);
    const { rows } = await q.query<{ running: number }>(
      `SELECT count(*) AS running FROM imports WHERE workspace_id = $1 AND state = 'running' AND id <> $2`,
      [workspaceId, id],
    );
    if ((rows[0]?.running ?? 0) >= most) throw tooManyRunning(most);
  }

  async tally(workspaceId: string, importId: string, peopleEach: number): Promise<ItemTally[]> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const { rows } = await q.query<ItemTally & { people: string[] }>(
        `WITH banned AS (
           SELECT person FROM items WHERE import_id = $1 AND kind = 'profile' AND state = 'done' AND detail = '${BANNED}'
         ), told AS (
           SELECT kind, person, state, detail,
             CASE WHEN state = 'gap' AND cause = 'deleted' AND person IN (SELECT person FROM banned) THEN 'banned'
               ELSE cause END AS cause
           FROM items WHERE import_id = $1
         )
         SELECT kind, standing, cause, min(detail) AS detail, count(*) AS count,
           coalesce(array_agg(person ORDER BY person) FILTER (WHERE standing = 'gap' AND place <= $2), '{}') AS people
         FROM (
           SELECT kind, person,
             CASE state WHEN 'done' THEN 'got' WHEN 'gap' THEN 'gap' WHEN 'beyond' THEN 'gap' ELSE 'open' END AS standing,
             CASE WHEN state IN ('gap', 'beyond') THEN cause END AS cause,
             CASE WHEN state = 'gap' THEN detail END AS detail,
             row_number() OVER (PARTITION BY kind, state, cause ORDER BY person) AS place
           FROM told
         ) AS standings
         GROUP BY kind, standing, cause
         ORDER BY kind COLLATE "C", standing COLLATE "C", cause COLLATE "C"`,
        [importId, peopleEach],
      );
      return rows.map((row) => ({ ...row, people: row.people.slice(0, peopleEach) }));
    });
  }

  async running(): Promise<{ workspaceId: string; importId: string }[]> {
    const { rows } = await this.worker.query<{ id: string; workspace_id: string }>(
      `SELECT id, workspace_id FROM imports WHERE state = 'running' ORDER BY id`,
    );
    return rows.map((row) => ({ workspaceId: row.workspace_id, importId: row.id }));
  }

  async settling(): Promise<ImportRecord[]> {
    const { rows } = await this.worker.query<ImportRow>(
      `SELECT ${IMPORT_COLUMNS} FROM imports WHERE state = 'settling'`,
    );
    return recordsOf(this.worker, rows);
  }

  private async read<R>(workspaceId: string, fn: (tx: Prisma.TransactionClient) => Promise<R>): Promise<R> {
    try {
      return await prismaInWorkspace(this.prisma, workspaceId, fn);
    } catch (error) {
      throw isAway(error) ? unavailable(error) : error;
    }
  }
}

/**
 * Takes everything back that has not begun: calls that wait in the queue end at once, open items become gaps. A call
 * that somebody holds is passed over, so that nobody waits here for a lock out of order; its holder withdraws it.
 */
async function withdraw(q: Queryable, importId: string): Promise<Partial<ImportCounters>> {
  await q.query(
    `WITH ended AS (
       UPDATE calls SET state = 'put-back', ended_at = clock_timestamp(), ${NOTHING_KEPT}
       WHERE id IN (SELECT id FROM calls WHERE import_id = $1 AND state = 'queued' FOR UPDATE SKIP LOCKED)
       RETURNING id
     )
     UPDATE items SET state = 'pending', call_id = NULL FROM ended
     WHERE items.import_id = $1 AND items.state = 'called' AND items.call_id = ended.id`,
    [importId],
  );
  return closePending(q, importId, 'withdrawn');
}

function recordOf(row: Row): ImportRecord {
  const positions: LogPositions = {};
  for (const { topic, partition, nextOffset } of row.positions) {
    (positions[topic] ??= {})[String(partition)] = Number(nextOffset);
  }
  const job = ImportJob.restore({
    id: row.id,
    workspaceId: row.workspaceId,
    network: row.network,
    // The table's CHECK allows nothing else.
    state: row.state as ImportState,
    revision: row.revision,
    seeds: row.seeds,
    // Written by this service only, from a scope.
    scope: row.scope as unknown as ImportScope,
    depth: row.depth,
    peopleLimit: row.peopleLimit,
    callsLimit: row.callsLimit,
    createdBy: row.createdBy,
    createdAt: row.createdAt.getTime(),
    changedAt: row.changedAt.getTime(),
    counters: {
      peopleKnown: Number(row.peopleKnown),
      peopleDone: Number(row.peopleDone),
      peopleGaps: Number(row.peopleGaps),
      peopleRetrying: Number(row.peopleRetrying),
      peopleBeyond: Number(row.peopleBeyond),
      listsKnown: Number(row.listsKnown),
      listsDone: Number(row.listsDone),
      listsGaps: Number(row.listsGaps),
      listsRetrying: Number(row.listsRetrying),
      callsMade: Number(row.callsMade),
      friendshipObservations: Number(row.friendshipObservations),
    },
  });
  return { job, positions };
}

/** Prisma's codes for a server that cannot be reached, closed the connection, or has no connection free. */
const AWAY = /^P(1001|1002|1008|1011|1017|2024|2028)$/;

function isAway(error: unknown): boolean {
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (error instanceof Prisma.PrismaClientKnownRequestError && AWAY.test(error.code)) return true;
  return (
    error instanceof Error &&
    /ECONNREFUSED|ECONNRESET|Connection terminated|not reach|57P0[123]/i.test(error.message)
  );
}

function unavailable(cause: unknown): DomainError {
  return new DomainError({
    code: 'POSTGRES.UNAVAILABLE',
    kind: 'unavailable',
    message: 'The database cannot be reached right now.',
    retryAfterSeconds: 1,
    cause,
  });
}

async function recordsOf(q: Queryable, rows: readonly ImportRow[]): Promise<ImportRecord[]> {
  if (rows.length === 0) return [];
  const positions = await positionsOf(
    q,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({ job: jobOf(row), positions: positions.get(row.id) ?? {} }));
}
