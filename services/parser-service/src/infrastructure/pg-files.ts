import { Postgres, type PostgresLogger, type Queryable } from '@sociograph/postgres';

export interface PgFilesOptions {
  worker: Queryable;
  /** The owner of tables and database; without it only the note stays that there is something to do. */
  ownerUrl: string | undefined;
  /** From the last change to the rewriting: what was in hand when a mark came has ended by then. */
  afterMs: number;
  /** How far it has come with erased people; whoever waits for that hears of it once their bytes are gone. */
  progress: {
    /** Up to where everybody is out of the rows; undefined while somebody is being taken out. */
    settled(): number | undefined;
    /** Looks once more for whoever was marked since then: what somebody had in hand when the mark came is stored by now. */
    again(since: string): Promise<void>;
    announce(upTo: number): Promise<void>;
  };
  logger: PostgresLogger & { info(fields: Record<string, unknown>, sentence: string): void };
}

/** Moments of the first and the last change and of this reading, in all their digits; `due`: long enough ago. */
interface Note {
  readonly first: string;
  readonly last: string;
  readonly seen: string;
  readonly due: boolean;
}

/** Changes that never stop do not keep it off for longer than so many times `afterMs`. */
const AT_MOST = 6;
/** Whoever uses a table is waited for so long, everybody else behind us; then it is tried again later. */
const LOCK_TIMEOUT_MS = '3000';
/** One table of 100 million rows takes minutes. */
const QUERY_TIMEOUT_MS = 3_600_000;
/** Segments of the log that lie ready are at most a server's `max_wal_size`: 64 of them are 1 GB. */
const MOST_SEGMENTS = 256;
const LOCK_NOT_AVAILABLE = '55P03';
/** insufficient_privilege, undefined_function. */
const NOT_ALLOWED = new Set(['42501', '42883']);

/**
 * Takes the bytes of people who left the rows out of the database's files too. PostgreSQL keeps what was deleted or changed
 * in the pages of a table, in what it knows of the values of a column, and in its write-ahead log. Each table is locked while it
 * is written anew; nobody does so more often than people are erased.
 */
export class PgFiles {
  /** By this process; positions begin with 1. */
  private told = 0;
  /** Tables that were written since `doneFor`, the last change: they need not be again for the sake of one in use. */
  private readonly done = new Set<string>();
  private doneFor = '';
  /** The last change after which it was looked again. */
  private lookedFor = '';

  constructor(private readonly options: PgFilesOptions) {}

  /** What `look` should be called after. */
  get everyMs(): number {
    return Math.min(30_000, this.options.afterMs);
  }

  /** Notes, in the transaction that takes somebody out, that there is something to do. */
  static async note(q: Queryable): Promise<void> {
    await q.query(
      'INSERT INTO files_to_rewrite DEFAULT VALUES ON CONFLICT (one) DO UPDATE SET last_at = clock_timestamp()',
    );
  }

  /**
   * Writes the files anew when that is due, and says how far people are gone where there is nothing to write. False: it was
   * not due, or another process writes them, or a table is in use.
   */
  async look(): Promise<boolean> {
    const { ownerUrl, logger, progress } = this.options;
    // Before the note is looked for: who was taken out until then has left one, or is out of the files too.
    const upTo = progress.settled();
    if (upTo === undefined) return false;
    const note = await this.note();
    if (note === undefined) await this.announce(upTo);
    if (note?.due !== true) return false;
    if (note.last !== this.lookedFor) await progress.again(note.first);
    this.lookedFor = note.last;
    if (ownerUrl === undefined) {
      if (await this.announce(upTo))
        logger.warn({}, 'erased people stay in the files of PostgreSQL: DATABASE_URL_OWNER is not given');
      return false;
    }
    const owner = new Postgres({
      ...{ url: ownerUrl, max: 2, logger, queryTimeoutMs: QUERY_TIMEOUT_MS },
      ...{ applicationName: 'rewriting of files', settings: { lock_timeout: LOCK_TIMEOUT_MS } },
    });
    try {
      const done = await this.rewrite(owner);
      // It was settled before the files were written: their bytes are gone, whoever came meanwhile.
      if (done) await this.announce(upTo);
      return done;
    } catch (error) {
      if (codeOf(error) === LOCK_NOT_AVAILABLE) return false;
      throw error;
    } finally {
      await owner.end();
    }
  }

  private rewrite(owner: Postgres): Promise<boolean> {
    // In a transaction: the pool ends a connection that comes back to it after ten minutes, and a lock with it.
    return owner.tx(async (lock) => {
      const { rows } = await lock.query<{ got: boolean }>(
        `SELECT pg_try_advisory_xact_lock(hashtextextended('rewriting of files', 9)) AS got`,
      );
      // Another process may have done it meanwhile.
      const note = rows[0]?.got === true ? await this.note() : undefined;
      if (note?.due !== true) return false;
      await this.rewriteTables(owner, note.last);
      const left = await this.leaveLog(owner);
      await this.drop(note);
      this.options.logger.info(
        {},
        left
          ? 'the files of PostgreSQL were written anew: erased people are out of them'
          : 'the files of PostgreSQL were written anew: erased people are out of them, and in its log until that is used again',
      );
      return true;
    });
  }

  private async rewriteTables(owner: Queryable, last: string): Promise<void> {
    if (last !== this.doneFor) this.done.clear();
    this.doneFor = last;
    const { rows } = await owner.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname = 'public' AND tableowner = current_user ORDER BY 1`,
    );
    for (const { name } of rows.filter((table) => !this.done.has(table.name))) {
      await owner.query(`VACUUM (FULL, ANALYZE) ${name}`);
      this.done.add(name);
    }
    // Samples of values, which ANALYZE has just drawn anew.
    await owner.query('VACUUM (FULL) pg_catalog.pg_statistic');
  }

  private async drop({ last, seen }: Note): Promise<void> {
    const { worker } = this.options;
    const dropped = await worker.query('DELETE FROM files_to_rewrite WHERE last_at = $1::timestamptz', [
      last,
    ]);
    // Who was taken out meanwhile waits from now on, not from the first one, who is out of the files already.
    if (dropped.rowCount === 0)
      await worker.query('UPDATE files_to_rewrite SET first_at = $1::timestamptz', [seen]);
  }

  /** Each position once. */
  private async announce(upTo: number): Promise<boolean> {
    if (upTo <= this.told) return false;
    await this.options.progress.announce(upTo);
    this.told = upTo;
    return true;
  }

  private async note(): Promise<Note | undefined> {
    const { rows } = await this.options.worker.query<Note>(
      `SELECT first_at::text AS first, last_at::text AS last, clock_timestamp()::text AS seen,
         last_at <= clock_timestamp() - $1 * interval '1 millisecond'
           OR first_at <= clock_timestamp() - $1 * $2 * interval '1 millisecond' AS due
       FROM files_to_rewrite`,
      [this.options.afterMs, AT_MOST],
    );
    return rows[0];
  }

  private async leaveLog(owner: Queryable): Promise<boolean> {
    try {
      await leaveLog(owner);
      return true;
    } catch (error) {
      if (!NOT_ALLOWED.has(codeOf(error))) throw error;
      this.options.logger.warn({}, 'PostgreSQL keeps its log as it is: the owner may not switch it');
      return false;
    }
  }
}

/**
 * Segments of the write-ahead log are used again under a new name with all that they hold. After a checkpoint all that were
 * written before lie ready for that, or are gone; each switch to the next one fills the rest of a segment with zeroes.
 */
async function leaveLog(owner: Queryable): Promise<void> {
  await owner.query('SELECT pg_switch_wal()');
  await owner.query('CHECKPOINT');
  const { rows } = await owner.query<{ last: string | null }>(
    `SELECT max(name) AS last FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'`,
  );
  const last = rows[0]?.last ?? '';
  for (let n = 0; n < MOST_SEGMENTS; n += 1) {
    await owner.query(`SELECT pg_logical_emit_message(false, 'sociograph', '')`);
    await owner.query('SELECT pg_switch_wal()');
    const now = await owner.query<{ name: string }>(
      'SELECT pg_walfile_name(pg_current_wal_insert_lsn()) AS name',
    );
    if ((now.rows[0]?.name ?? '') > last) break;
  }
  await owner.query('CHECKPOINT');
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}
