import { DomainError } from '@sociograph/kernel';
import { prismaInWorkspace, type PrismaTransaction, type PrismaTransactions } from './prisma-in-workspace';

const asked: { text: string; values: unknown[]; options?: object }[] = [];
const tx: PrismaTransaction = {
  $queryRaw: (query, ...values) => {
    asked.push({ text: query.join('$'), values });
    return Promise.resolve([]);
  },
};
const prisma: PrismaTransactions<PrismaTransaction> = {
  $transaction: (fn, options) => {
    asked.push({ text: 'BEGIN', values: [], ...(options === undefined ? {} : { options }) });
    return fn(tx);
  },
};
/** As Prisma 7 with its adapter for pg throws them. */
const thrown = (message: string, fields: object = {}): Error => Object.assign(new Error(message), fields);
const driver = (cause: object): object => ({
  meta: { driverAdapterError: { name: 'DriverAdapterError', cause } },
});

describe('a transaction of Prisma in a workspace', () => {
  beforeEach(() => void asked.splice(0));

  it('names its workspace before anything else, and waits 5 s for a connection', async () => {
    expect(await prismaInWorkspace(prisma, 'red', async (given) => given === tx)).toBe(true);
    expect(asked).toEqual([
      { text: 'BEGIN', values: [], options: { maxWait: 5_000, timeout: 15_000 } },
      { text: "SELECT set_config('app.workspace_id', $, true)", values: ['red'] },
    ]);
  });

  it.each<[string, Error]>([
    ['cannot be reached', thrown("Can't reach database server", { code: 'P1001' })],
    [
      'cannot be reached by a raw statement',
      thrown('Raw query failed', { code: 'P2010', ...driver({ kind: 'DatabaseNotReachable' }) }),
    ],
    [
      'gives no connection in time',
      thrown('Unable to start a transaction in the given time.', { code: 'P2028' }),
    ],
    [
      'ends',
      thrown('Raw query failed', { code: 'P2010', ...driver({ kind: 'postgres', originalCode: '57P01' }) }),
    ],
    ['is gone under a statement', thrown('Connection terminated unexpectedly')],
    ['takes too long to connect', thrown('timeout exceeded when trying to connect')],
  ])('is unavailable where the database %s', async (_, error) => {
    const failure = await prismaInWorkspace(prisma, 'red', () => Promise.reject(error)).catch(
      (one: unknown) => one,
    );
    expect(failure).toBeInstanceOf(DomainError);
    expect(failure).toMatchObject({
      code: 'POSTGRES.UNAVAILABLE',
      kind: 'unavailable',
      retryAfterSeconds: 1,
      cause: error,
    });
  });

  it.each<[string, unknown]>([
    [
      'a constraint',
      thrown('Unique constraint failed', { code: 'P2002', ...driver({ kind: 'UniqueConstraintViolation' }) }),
    ],
    [
      'a statement',
      thrown('Raw query failed', { code: 'P2010', ...driver({ kind: 'postgres', originalCode: '42601' }) }),
    ],
    [
      'a transaction that lasted too long',
      thrown('Transaction API error: Transaction already closed', { code: 'P2028' }),
    ],
    ['a fault of ours', new TypeError('Connection is undefined')],
    ['a refusal of ours', new DomainError({ code: 'KEYS.UNKNOWN', kind: 'not-found', message: 'No.' })],
    ['what is no error', 'Connection terminated'],
  ])('passes on %s as it is', async (_, error) => {
    await expect(prismaInWorkspace(prisma, 'red', () => Promise.reject(error))).rejects.toBe(error);
  });
});
