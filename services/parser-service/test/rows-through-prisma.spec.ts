import { PrismaPg } from '@prisma/adapter-pg';
import { prismaInWorkspace } from '@sociograph/postgres';
import { fillTables, migratedDatabase, type OwnServiceDatabase } from '@sociograph/testing';
import { PrismaClient } from '../generated/prisma';

jest.setTimeout(120_000);

const ROWS = 3;
const QUERIES = 300;
const AT_ONCE = 6;

describe('rows through Prisma', () => {
  let database: OwnServiceDatabase;
  let prisma: PrismaClient;

  beforeAll(async () => {
    database = await migratedDatabase('parser-service');
    await fillTables(database, ['red', 'green'], ROWS);
    prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: database.urlOf('app'), max: 2 }) });
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  it('are those of the workspace, in 300 reads without where-clauses over two connections', async () => {
    const faults: string[] = [];
    let asked = 0;
    const work = async (workspace: string): Promise<void> => {
      while (asked < QUERIES) {
        asked += 1;
        const isFailing = asked % 50 === 0;
        const read = prismaInWorkspace(
          prisma,
          workspace,
          async (tx: Pick<PrismaClient, 'import' | '$queryRaw'>) => {
            const rows = await tx.import.findMany();
            if (rows.length !== ROWS || rows.some(({ workspaceId }) => workspaceId !== workspace))
              faults.push(`${workspace} saw ${rows.map(({ workspaceId }) => workspaceId).join()}`);
            if (isFailing) throw new Error('undone');
          },
        );
        await read.catch((error: Error) => void (error.message === 'undone' || faults.push(error.message)));
        if (isFailing) faults.push(...(await prisma.import.findMany()).map(({ id }) => `anybody saw ${id}`));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => work(at % 2 === 0 ? 'red' : 'green')));
    expect(faults).toEqual([]);
  });
});
