import { DomainError, isDomainError } from '@sociograph/kernel';
import { inStoreSpan } from '@sociograph/observability';
import { Client, Pool, TypeOverrides, types, type PoolClient } from 'pg';
import { LifeLock } from './life-lock';
import { StatementNames } from './statement-names';

/** What a statement may be sent to: the pool itself or one open transaction. Values are always parameters. */
export interface Queryable {
  /**
   * Rows and the count of rows that the statement touched. int8 comes as a number (beyond 2^53 it throws). With `values`,
   * none as well, it is one statement, and prepared when it comes again where that is asked for.
   */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<QueryOutcome<Row>>;
}

export interface QueryOutcome<Row> {
  rows: Row[];
  rowCount: number;
}

/** The part of a pino logger that this lib uses. */
export interface PostgresLogger {
  warn(fields: Record<string, unknown>, sentence: string): void;
}

export interface PostgresOptions {
  url: string;
  /** Connections of the pool, 10 unless told. */
  max?: number;
  logger: PostgresLogger;
  /** A statement that has not answered by then is given up (ms, 30,000): a cut network must not hang a worker. */
  queryTimeoutMs?: number;
  /** Waiting for a connection is given up after this many ms (5,000). */
  connectTimeoutMs?: number;
  applicationName?: string;
  /**
   * Whether statements with values that come again are prepared once a connection (false). Their plans last: see the
   * README for tables that grow quickly, and for poolers.
   */
  prepare?: boolean;
  /** Settings of the server for every connection, e.g. `{ jit: 'off' }`. */
  settings?: Readonly<Record<string, string>>;
}

/** A connection ends after so long (s): plans that were made for tables of another size end with it. */
const LONGEST_CONNECTION_S = 600;

/** How often a transaction is begun before a serialization failure reaches the caller. */
const MAX_TRIES = 6;
/** serialization_failure, deadlock_detected: PostgreSQL asks for the whole transaction again. */
const REPEATABLE = new Set(['40001', '40P01']);
/** admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections. */
const AWAY = new Set(['57P01', '57P02', '57P03', '53300']);
const INT8_OID = 20;

/**
 * One pool of connections. Failures to reach the server are DomainError `POSTGRES.UNAVAILABLE` (kind
 * `unavailable`), so that every transport retries them; errors of a statement pass through with pg's `code`.
 */
export class Postgres implements Queryable {
  readonly #pool: Pool;
  readonly #logger: PostgresLogger;
  /** None: nothing is prepared. */
  readonly #names: StatementNames | undefined;
  readonly #life: LifeLock;

  constructor(options: PostgresOptions) {
    const overrides = new TypeOverrides(types);
    overrides.setTypeParser(INT8_OID, parseInt8);
    this.#logger = options.logger;
    this.#names = options.prepare === true ? new StatementNames() : undefined;
    const settings = Object.entries(options.settings ?? {}).map(([name, value]) => `-c ${name}=${value}`);
    const connection = {
      connectionString: options.url,
      keepAlive: true,
      // Not the two hours of Linux: a server that went without a word is noticed within minutes.
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
      query_timeout: options.queryTimeoutMs ?? 30_000,
      application_name: options.applicationName ?? 'sociograph',
    };
    this.#life = new LifeLock(
      () => new Client(connection),
      (error) =>
        this.#logger.warn({ err: error.message }, 'the connection that shows this process alive broke'),
    );
    this.#pool = new Pool({
      ...connection,
      max: options.max ?? 10,
      types: overrides,
      maxLifetimeSeconds: LONGEST_CONNECTION_S,
      ...(settings.length > 0 && { options: settings.join(' ') }),
    });
    // Without a listener an idle connection that breaks would end the process.
    this.#pool.on('error', (error) =>
      this.#logger.warn({ err: error.message }, 'an idle PostgreSQL connection broke'),
    );
  }

  async query<Row = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryOutcome<Row>> {
    const once = (): Promise<QueryOutcome<Row>> =>
      this.#withClient('query', (q) => q.query<Row>(text, values));
    try {
      return await once();
    } catch (error) {
      if (!this.#isOfPrepared(error)) throw error;
      return once();
    }
  }

  /**
   * Runs `fn` in one transaction: commits what it resolves, rolls back what it throws. `fn` runs again from
   * the start after a serialization failure or deadlock (at most 6 times), so it must have no other effects.
   */
  async tx<R>(fn: (q: Queryable) => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#withClient('transaction', (q, client) => inTransaction(q, client, fn));
      } catch (error) {
        if (attempt >= MAX_TRIES || !(isRepeatable(error) || this.#isOfPrepared(error))) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5 * 2 ** attempt));
      }
    }
  }

  /** Like `tx`, with `app.workspace_id` set for this transaction only: row-level security then shows one workspace. */
  async inWorkspace<R>(workspaceId: string, fn: (q: Queryable) => Promise<R>): Promise<R> {
    return this.tx(async (q) => {
      await q.query("SELECT set_config('app.workspace_id', $1, true)", [workspaceId]);
      return fn(q);
    });
  }

  /**
   * A connection of its own, outside of transactions, for LISTEN. Ends with `release`; `onLost` is called once
   * when the connection breaks before that.
   */
  async listen(
    channel: string,
    onNotify: (payload: string) => void,
    onLost: (error: Error) => void,
  ): Promise<{ release(): void }> {
    const client = await this.#connect();
    let open = true;
    const end = (error?: Error): void => {
      if (!open) return;
      open = false;
      client.release(true);
      if (error !== undefined) onLost(error);
    };
    client.on('error', (error) => end(error));
    client.on('end', () => end(new Error('the connection ended')));
    client.on('notification', (message) => onNotify(message.payload ?? ''));
    try {
      await client.query(`LISTEN "${channel.replaceAll('"', '""')}"`);
    } catch (error) {
      open = false;
      client.release(true);
      throw asUnavailable(error);
    }
    return { release: () => end() };
  }

  /**
   * The number of an advisory lock that this process holds until it dies, for rows that say who works on them: where
   * `pg_try_advisory_xact_lock` gets it, their worker is dead. The first call opens a connection beside the pool's.
   */
  async lifeNumber(): Promise<string> {
    try {
      await this.#life.hold();
    } catch (error) {
      throw asUnavailable(error);
    }
    return this.#life.number;
  }

  /** Connections open, idle and asked for; for gauges. */
  get load(): { total: number; idle: number; waiting: number } {
    return { total: this.#pool.totalCount, idle: this.#pool.idleCount, waiting: this.#pool.waitingCount };
  }

  async end(): Promise<void> {
    await Promise.all([this.#pool.end(), this.#life.end()]);
  }

  /**
   * The statement itself is right, but its table was changed since it was prepared, or the server forgot it: nothing was
   * done, and under a new name it is taken.
   */
  #isOfPrepared(error: unknown): boolean {
    if (this.#names === undefined || !isStalePlan(error)) return false;
    this.#names.renew();
    return true;
  }

  async #connect(): Promise<PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  /** A span where the trace at hand is kept, the wait for a connection included. */
  #withClient<R>(
    operation: 'query' | 'transaction',
    fn: (q: Queryable, client: PoolClient) => Promise<R>,
  ): Promise<R> {
    return inStoreSpan('postgresql', operation, () => this.#withOneClient(fn));
  }

  async #withOneClient<R>(fn: (q: Queryable, client: PoolClient) => Promise<R>): Promise<R> {
    const client = await this.#connect();
    let broken: Error | undefined;
    // The pool listens to idle connections only: one that breaks between two statements would end the process.
    const onError = (error: Error): void => {
      broken = error;
    };
    client.on('error', onError);
    try {
      return await fn(queryableOf(client, this.#names), client);
    } catch (error) {
      const failure = asUnavailable(error);
      if (isDomainError(failure) && failure.code === 'POSTGRES.UNAVAILABLE') broken ??= failure;
      throw failure;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}

function queryableOf(client: PoolClient, names: StatementNames | undefined): Queryable {
  return {
    async query<Row>(text: string, values?: readonly unknown[]): Promise<QueryOutcome<Row>> {
      const name = values === undefined ? undefined : names?.nameOf(text);
      const statement = { text, values: (values ?? []) as unknown[], ...(name !== undefined && { name }) };
      const result = await client.query(statement);
      return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
    },
  };
}

async function inTransaction<R>(
  q: Queryable,
  client: PoolClient,
  fn: (q: Queryable) => Promise<R>,
): Promise<R> {
  await client.query('BEGIN');
  try {
    const result = await fn(q);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // The error of the statement matters more than one of a rollback on a connection that is gone anyway.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** True for the errors after which PostgreSQL wants the whole transaction repeated. */
export function isRepeatable(error: unknown): boolean {
  return REPEATABLE.has(codeOf(error));
}

/** feature_not_supported by its text (its code stands for much else), invalid_sql_statement_name. */
function isStalePlan(error: unknown): boolean {
  const code = codeOf(error);
  return code === '26000' || (code === '0A000' && /cached plan/.test(String((error as Error).message)));
}

/** True when a unique constraint (the named one, if given) refused a row. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (codeOf(error) !== '23505') return false;
  return constraint === undefined || (error as { constraint?: string }).constraint === constraint;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

function asUnavailable(error: unknown): unknown {
  if (isDomainError(error) || !isAway(error)) return error;
  return new DomainError({
    code: 'POSTGRES.UNAVAILABLE',
    kind: 'unavailable',
    message: 'The database cannot be reached right now.',
    retryAfterSeconds: 1,
    cause: error,
  });
}

function isAway(error: unknown): boolean {
  const code = codeOf(error);
  // Class 08 is "connection exception"; Node's socket errors are E...; pg's own have a message only.
  if (AWAY.has(code) || code.startsWith('08') || /^E[A-Z]+$/.test(code)) return true;
  return (
    code === '' &&
    error instanceof Error &&
    /Connection terminated|connect(ion)? timeout|timeout exceeded when trying to connect|Query read timeout|not queryable|Client was closed/i.test(
      error.message,
    )
  );
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 beyond 2^53: ${text}`);
  return value;
}
