import { PrismaPg } from '@prisma/adapter-pg';
import { DomainError } from '@sociograph/kernel';
import { Postgres, prismaInWorkspace, type Queryable } from '@sociograph/postgres';
import { Prisma, PrismaClient } from '../../generated/prisma';
import type { ItemTally } from '../domain/certificate';
import { ImportJob, type ImportState } from '../domain/import-job';
import type { LogPositions } from '../domain/observation';
import { Imports, type ImportRecord } from '../domain/ports';
import { announceImport } from './outgoing';
import {
  closePending,
  IMPORT_COLUMNS,
  type ImportRow,
  jobOf,
  lockImport,
  positionsOf,
  saveImport,
  valuesOf,
  wakeDispatcher,
} from './pg-rows';

const WITH_POSITIONS = { positions: true } as const;
type Row = Prisma.ImportGetPayload<{ include: typeof WITH_POSITIONS }>;

/** A client on the serving role's connections; few, because only reads of imports go through it. */
export function openPrisma(url: string): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 3 }) });
}

/**
 * Imports in PostgreSQL. Reads go through Prisma; what changes an import works on sets of items in the same
 * transaction and is SQL. All of it runs as `app` under row-level security but `settling`, which is the worker's.
 */
export class PrismaImports extends Imports {
  constructor(
    private readonly prisma: PrismaClient,
    private readonly app: Postgres,
    private readonly worker: Postgres,
  ) {
    super();
  }

  async add(job: ImportJob): Promise<void> {
    const { id, workspaceId, seeds } = job.snapshot;
    await this.app.inWorkspace(workspaceId, async (q) => {
      const values = valuesOf(job.snapshot);
      const places = values.map((_, index) => `$${index + 1}`).join(', ');
      await q.query(`INSERT INTO imports (${IMPORT_COLUMNS}) VALUES (${places})`, values);
      await q.query(
        `INSERT INTO items (import_id, workspace_id, kind, person, depth)
         SELECT $1, $2, kind, person, 0 FROM unnest($3::text[]) AS person, unnest($4::text[]) AS kind`,
        [id, workspaceId, [...seeds], job.fetchesListAt(0) ? ['profile', 'friends'] : ['profile']],
      );
      await announceImport(q, job.snapshot, {});
      await wakeDispatcher(q);
    });
  }

  async find(workspaceId: string, importId: string): Promise<ImportRecord | undefined> {
    return this.read(workspaceId, async (tx) => {
      const row = await tx.import.findUnique({ where: { id: importId }, include: WITH_POSITIONS });
      return row === null ? undefined : recordOf(row);
    });
  }

  async page(workspaceId: string, limit: number, after?: string): Promise<ImportRecord[]> {
    return this.read(workspaceId, async (tx) => {
      // Ids are UUIDv7: their order is the order of creation.
      const rows = await tx.import.findMany({
        where: { workspaceId, ...(after === undefined ? {} : { id: { lt: after } }) },
        orderBy: { id: 'desc' },
        take: limit,
        include: WITH_POSITIONS,
      });
      return rows.map(recordOf);
    });
  }

  async change(workspaceId: string, importId: string, step: (job: ImportJob) => ImportJob) {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const before = await lockImport(q, importId);
      if (before === undefined) return undefined;
      const after = step(before);
      const positions = (await positionsOf(q, [importId])).get(importId) ?? {};
      if (after.snapshot.state !== before.snapshot.state) {
        if (after.snapshot.state === 'cancelled') await closePending(q, importId, 'withdrawn');
        await saveImport(q, after.snapshot);
        await announceImport(q, after.snapshot, positions);
        await wakeDispatcher(q);
      }
      return { job: after, positions };
    });
  }

  async tally(workspaceId: string, importId: string, peopleEach: number): Promise<ItemTally[]> {
    return this.app.inWorkspace(workspaceId, async (q) => {
      const { rows } = await q.query<ItemTally & { people: string[] }>(
        `SELECT kind, standing, cause, count(*) AS count,
           coalesce(array_agg(person ORDER BY person) FILTER (WHERE standing = 'gap' AND place <= $2), '{}') AS people
         FROM (
           SELECT kind, person,
             CASE state WHEN 'done' THEN 'got' WHEN 'gap' THEN 'gap' WHEN 'beyond' THEN 'gap' ELSE 'open' END AS standing,
             CASE WHEN state IN ('gap', 'beyond') THEN cause END AS cause,
             row_number() OVER (PARTITION BY kind, state, cause ORDER BY person) AS place
           FROM items WHERE import_id = $1
         ) AS standings
         GROUP BY kind, standing, cause
         ORDER BY kind COLLATE "C", standing COLLATE "C", cause COLLATE "C"`,
        [importId, peopleEach],
      );
      return rows.map((row) => ({ ...row, people: row.people.slice(0, peopleEach) }));
    });
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
    seeds: row.seeds,
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
      peopleBeyond: Number(row.peopleBeyond),
      listsKnown: Number(row.listsKnown),
      listsDone: Number(row.listsDone),
      listsGaps: Number(row.listsGaps),
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
