import { randomBytes, randomUUID } from 'node:crypto';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import {
  failedExport,
  finishedExport,
  requestedExport,
  takenExport,
  type Export,
} from '../src/domain/export';
import type { ExportRecords } from '../src/domain/export-ports';
import { ArangoExports } from '../src/infrastructure/arango-exports';
import { InMemoryExports } from '../src/infrastructure/in-memory-exports';
import { MIGRATIONS } from '../src/infrastructure/migrations';

const DAY = 86_400_000;
jest.setTimeout(120_000);

const NOW = 1_795_000_000_000;
let last = 0;
/** Ids in their order also within a millisecond, on which the list's order rests. */
const nextId = (): string => `01930f0e-7b1c-7000-8000-${(last += 1).toString(16).padStart(12, '0')}`;

/** What every adapter of the records must do. */
function exportRecordsContract(make: () => ExportRecords): void {
  let records: ExportRecords;
  let workspaceId: string;
  beforeEach(() => {
    records = make();
    workspaceId = `w${randomBytes(6).toString('hex')}`;
  });

  const anExport = (at = NOW, network = 'vk'): Export =>
    requestedExport({ id: nextId(), workspaceId, network, subject: { kind: 'graph' }, format: 'csv' }, at);
  const added = async (one: Export): Promise<Export> => {
    await records.add(one);
    return one;
  };
  const own = (found: Export[]): Export[] => found.filter((one) => one.workspaceId === workspaceId);

  it('give back what was added', async () => {
    const one = await added(anExport());
    expect(await records.find(one.id)).toEqual(one);
    expect(await records.find(randomUUID())).toBeUndefined();
  });

  it('come newest first, page by page, without those that are over', async () => {
    const all: Export[] = [];
    for (let n = 0; n < 5; n++) all.unshift(await added(anExport(NOW + n)));
    const page = (limit: number, after?: string, now = NOW): Promise<Export[]> =>
      records.page(workspaceId, { limit, after, now });
    expect(await page(3)).toEqual(all.slice(0, 3));
    expect(await page(3, all[2]?.id)).toEqual(all.slice(3));
    expect(await page(9, undefined, NOW + DAY + 2)).toEqual(all.slice(0, 2));
    expect(own(await records.expired(NOW + DAY + 1)).map(({ id }) => id)).toEqual([all[4]?.id, all[3]?.id]);
  });

  it('tell which are not finished', async () => {
    const [waiting, running, failed] = [
      await added(anExport()),
      await added(anExport()),
      await added(anExport()),
    ];
    await records.change(running.id, (one) => takenExport(one, 'me', NOW));
    await records.change(failed.id, (one) => failedExport(one, { code: 'A.B', message: 'No.' }, NOW));
    expect(own(await records.unfinished()).map(({ id }) => id)).toEqual([waiting.id, running.id]);
  });

  it('tell which are of one graph', async () => {
    const [vk] = [await added(anExport()), await added(anExport(NOW, 'ok'))];
    expect(await records.ofGraph(workspaceId, 'vk')).toEqual([vk]);
  });

  it('tell how many a workspace has and the bytes of its finished files, those that are over aside', async () => {
    await added(anExport(NOW - DAY));
    const [waiting, ready] = [await added(anExport()), await added(anExport())];
    const result = { people: 1, friendships: 0, bytes: 7, complete: true };
    for (const id of [ready.id, waiting.id]) {
      await records.change(id, (one) => takenExport(one, 'me', NOW));
      await records.change(id, (one) => finishedExport(one, result, NOW));
    }
    await added(anExport());
    expect((await records.use(NOW)).get(workspaceId)).toEqual({ exports: 3, bytes: 14 });
    expect((await records.use(NOW + 2 * DAY)).get(workspaceId)).toBeUndefined();
  });

  it('are changed by one of twenty', async () => {
    const { id } = await added(anExport());
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        records.change(id, (one) =>
          one.state.kind === 'waiting' ? takenExport(one, `p${n}`, NOW) : undefined,
        ),
      ),
    );
    const [winner, ...others] = taken.filter((one) => one !== undefined);
    expect(others).toEqual([]);
    expect(await records.find(id)).toEqual(winner);
    expect(await records.change(randomUUID(), (one) => one)).toBeUndefined();
  });

  it('are removed by one of many, and only when it may be', async () => {
    const { id } = await added(anExport());
    expect(await records.remove(id, () => false)).toBeUndefined();
    const removed = await Promise.all([records.remove(id), records.remove(id), records.remove(id)]);
    expect(removed.filter((one) => one !== undefined).map((one) => one.id)).toEqual([id]);
    expect(await records.find(id)).toBeUndefined();
    expect(await records.remove(id)).toBeUndefined();
  });
}

describe('records of exports in memory', () => {
  exportRecordsContract(() => new InMemoryExports());
});

describe('in ArangoDB (the stand-in in test mode unless a URL is given)', () => {
  let server: ContractServer;
  let db: ReturnType<typeof connectArango>;

  beforeAll(async () => {
    server = await contractServer({ seed: 5, conflictRate: 0.1 });
    db = connectArango(server);
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
  });
  afterAll(async () => {
    db.close();
    await server.stop();
  });

  describe('records of exports', () => {
    exportRecordsContract(() => new ArangoExports(db));
  });
});
