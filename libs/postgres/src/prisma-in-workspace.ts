import { DomainError, isDomainError } from '@sociograph/kernel';
import { inStoreSpan } from '@sociograph/observability';

/** What is used of an interactive transaction's client. */
export interface PrismaTransaction {
  $queryRaw(query: TemplateStringsArray, ...values: unknown[]): PromiseLike<unknown>;
}

/** What is used of a generated PrismaClient; `Tx` is inferred from its `$transaction`. */
export interface PrismaTransactions<Tx extends PrismaTransaction> {
  $transaction<R>(fn: (tx: Tx) => Promise<R>, options?: { maxWait?: number; timeout?: number }): Promise<R>;
}

/**
 * Runs `fn` in an interactive transaction in which row-level security shows `workspaceId` only: the same as
 * `Postgres.inWorkspace`, for a PrismaClient. The setting ends with the transaction, so a pooled connection
 * never carries it on. Costs two statements more than a bare query. A database that cannot be reached, or gives no
 * connection within 5 s, is DomainError `POSTGRES.UNAVAILABLE`, as it is there.
 */
export async function prismaInWorkspace<Tx extends PrismaTransaction, R>(
  prisma: PrismaTransactions<Tx>,
  workspaceId: string,
  fn: (tx: Tx) => Promise<R>,
): Promise<R> {
  try {
    return await inStoreSpan('postgresql', 'transaction', () =>
      prisma.$transaction(
        async (tx) => {
          await tx.$queryRaw`SELECT set_config('app.workspace_id', ${workspaceId}, true)`;
          return fn(tx);
        },
        { maxWait: 5_000, timeout: 15_000 },
      ),
    );
  } catch (error) {
    if (isDomainError(error) || !isAway(error)) throw error;
    throw new DomainError({
      code: 'POSTGRES.UNAVAILABLE',
      kind: 'unavailable',
      message: 'The database cannot be reached right now.',
      retryAfterSeconds: 1,
      cause: error,
    });
  }
}

/** Prisma's codes: not reached, reached too late, gone, no connection or transaction in time. */
const AWAY = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037']);
/** PostgreSQL's own, which a raw statement passes on inside P2010. */
const ENDING = new Set(['57P01', '57P02', '57P03', '53300']);

function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, meta } = error as Error & {
    code?: unknown;
    meta?: { driverAdapterError?: { cause?: { kind?: string; originalCode?: string } } };
  };
  // The same code for a transaction that lasted too long, which is ours.
  if (code === 'P2028') return error.message.includes('Unable to start a transaction');
  if (typeof code === 'string' && AWAY.has(code)) return true;
  const cause = meta?.driverAdapterError?.cause;
  if (cause?.kind === 'DatabaseNotReachable' || ENDING.has(cause?.originalCode ?? '')) return true;
  // A connection that breaks under a statement is an error of pg's, which Prisma passes on as it is: it has no code.
  return (
    code === undefined &&
    /^Connection terminated|^timeout exceeded when trying to connect/.test(error.message)
  );
}
