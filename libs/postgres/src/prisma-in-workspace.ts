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
 * never carries it on. Costs two statements more than a bare query.
 */
export async function prismaInWorkspace<Tx extends PrismaTransaction, R>(
  prisma: PrismaTransactions<Tx>,
  workspaceId: string,
  fn: (tx: Tx) => Promise<R>,
): Promise<R> {
  return prisma.$transaction(
    async (tx) => {
      await tx.$queryRaw`SELECT set_config('app.workspace_id', ${workspaceId}, true)`;
      return fn(tx);
    },
    { maxWait: 5_000, timeout: 15_000 },
  );
}
