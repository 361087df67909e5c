import { Metrics } from '@sociograph/observability';
import { PgImportFigures } from '../src/infrastructure/pg-import-figures';
import { PrismaImports } from '../src/infrastructure/prisma-imports';
import { parserMetrics } from '../src/metrics';
import { anImport } from './builders';
import { scratchDatabase, type ScratchDatabase } from './scratch-database';

jest.setTimeout(60_000);

let database: ScratchDatabase;
beforeAll(async () => {
  database = await scratchDatabase();
});
afterAll(() => database.drop());

describe('the figures of imports (PostgreSQL)', () => {
  it('count all workspaces by state and add up their gaps, deleted imports left out', async () => {
    const registry = new Metrics({ service: 's', instance: '0', processMetrics: false });
    const figures = new PgImportFigures(database.worker, parserMetrics(registry));
    const values = async (name: string): Promise<unknown> =>
      ((await registry.registry.getSingleMetric(name)?.get())?.values ?? []).map(({ labels, value }) => [
        Object.values(labels)[0],
        value,
      ]);
    await figures.look();
    expect(await values('parser_imports')).toEqual(
      ['running', 'paused', 'settling', 'completed', 'cancelled', 'failed'].map((state) => [state, 0]),
    );
    expect(await values('parser_import_gaps')).toEqual([
      ['people', 0],
      ['lists', 0],
    ]);

    const imports = new PrismaImports(database.prisma, database.app, database.worker);
    const ids = [1, 2, 3, 4].map((at) => `01900000-0000-7000-8000-00000000000${at}`);
    for (const [at, id] of ids.entries())
      await imports.add(anImport({ id, workspaceId: at < 2 ? 'a' : 'b' }));
    const change = (set: string, id = ''): Promise<unknown> =>
      database.admin.query(`UPDATE imports SET ${set} WHERE id = $1`, [id]);
    await change(`people_gaps = 3, lists_gaps = 5`, ids[0]);
    await change(`people_gaps = 4, state = 'failed'`, ids[2]);
    await change(`people_gaps = 100, lists_gaps = 100, state = 'deleted'`, ids[3]);
    await figures.look();
    expect(await values('parser_imports')).toEqual([
      ['running', 2],
      ['paused', 0],
      ['settling', 0],
      ['completed', 0],
      ['cancelled', 0],
      ['failed', 1],
    ]);
    expect(await values('parser_import_gaps')).toEqual([
      ['people', 7],
      ['lists', 5],
    ]);
  });
});
