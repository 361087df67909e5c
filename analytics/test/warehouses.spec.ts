import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGraphFile } from '@sociograph/graph-file';
import { userObserved } from '@sociograph/contracts';
import type { Warehouse } from '../src/application/warehouse';
import { ClickHouseWarehouse } from '../src/infrastructure/clickhouse-warehouse';
import { DuckDbWarehouse } from '../src/infrastructure/duckdb-warehouse';
import { questions } from '../src/infrastructure/sql-file';
import { startChdb, type ChdbServer } from './chdb-server';
import { paradoxOf, shouldMeet, trustOf } from './expected-answers';
import { aRecord, aStoredPerson } from './records';
import { answer, store, warehouseContract } from './warehouse.contract';

const GRAPH = join(__dirname, '../../infra/vk-simulator/data/ego-facebook.txt.gz');

jest.setTimeout(180_000);

let chdb: ChdbServer;
beforeAll(async () => {
  chdb = await startChdb();
}, 300_000);
afterAll(() => chdb.stop());

const clickhouse = async (): Promise<Warehouse> =>
  new ClickHouseWarehouse(await chdb.database(`spec_${randomUUID().slice(0, 8)}`));

describe('DuckDbWarehouse', () => {
  warehouseContract(async () => new DuckDbWarehouse(':memory:'), '');

  it('keeps what it wrote in a file that only its owner may read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'warehouse-'));
    const file = join(folder, 'below', 'graph.duckdb');
    const first = new DuckDbWarehouse(file);
    await first.prepare();
    await store(first, [aRecord(userObserved, userObserved.example)]);
    await first.close();
    const second = new DuckDbWarehouse(file);
    expect(await answer(second, 'SELECT id FROM people')).toEqual(['107']);
    await second.close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(folder, { recursive: true });
  });

  it('says that it does not work when its file cannot be opened', async () => {
    const warehouse = new DuckDbWarehouse(join(__filename, 'graph.duckdb'));
    await expect(warehouse.prepare()).rejects.toMatchObject({ code: 'ANALYTICS.WAREHOUSE_UNAVAILABLE' });
  });
});

describe("ClickHouseWarehouse on ClickHouse's own engine", () => {
  warehouseContract(clickhouse, ' FINAL');

  it('rewrites nothing for people whom no row names', async () => {
    const warehouse = await clickhouse();
    const mutations = (): Promise<string[]> =>
      answer(warehouse, 'SELECT count() AS n FROM system.mutations WHERE database = currentDatabase()');
    await warehouse.prepare();
    await store(warehouse, [aRecord(userObserved, userObserved.example)]);
    await warehouse.erase({ workspaceId: 'demo', network: 'vk' }, ['nobody']);
    expect(await mutations()).toEqual(['0']);
    await warehouse.erase({ workspaceId: 'demo', network: 'vk' }, ['107']);
    expect(await mutations()).toEqual(['1']);
    await warehouse.close();
  });

  it('says that it does not work when nobody answers', async () => {
    const warehouse = new ClickHouseWarehouse('http://127.0.0.1:1/analytics');
    await expect(warehouse.prepare()).rejects.toMatchObject({ code: 'ANALYTICS.WAREHOUSE_UNAVAILABLE' });
    expect(await warehouse.answers()).toBe(false);
    await warehouse.close();
  });
});

describe('the three questions', () => {
  it('have the same answers on both engines, for ego-Facebook those that are counted by hand', async () => {
    const graph = await readGraphFile(GRAPH);
    const lists = new Map(Array.from(graph.ids, (id) => [id, graph.neighbours(id)] as const));
    const records = [...lists].map(([id, friends]) => aStoredPerson(String(id), friends.map(String)));
    const warehouses = [new DuckDbWarehouse(':memory:'), await clickhouse()];
    const answers: string[][][] = [];
    for (const warehouse of warehouses) {
      await warehouse.prepare();
      for (let from = 0; from < records.length; from += 1_000)
        await store(warehouse, records.slice(from, from + 1_000));
      answers.push([]);
      for (const { sql } of questions()) answers.at(-1)?.push(await answer(warehouse, sql));
      await warehouse.close();
    }
    const texts = new Map([...lists].map(([id, friends]) => [String(id), friends.map(String)]));
    expect(answers[0]).toEqual([[trustOf(texts)], [paradoxOf(texts)], shouldMeet(texts)]);
    expect(answers[1]).toEqual(answers[0]);
  }, 240_000);
});
