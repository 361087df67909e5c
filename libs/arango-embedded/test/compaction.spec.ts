import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, SecretScan } from '@sociograph/testing';
import { Database } from 'arangojs';
import { startEmbedded, type RunningServer } from '../src';

const SECRET = 'a-name-that-nobody-else-has';
const DOCUMENTS = 300;

describe('compaction', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'arango-compaction-'));
  let server: RunningServer;
  let db: Database;

  const start = async (): Promise<void> => {
    const config = {
      host: '127.0.0.1',
      port: 0,
      dataDir,
      accounts: undefined,
      database: 'sociograph',
      testMode: undefined,
    };
    server = await startEmbedded(config);
    db = new Database({ url: server.url, databaseName: 'sociograph' });
  };
  const stop = async (): Promise<void> => {
    db.close();
    await server.close();
  };

  beforeAll(start);
  afterAll(async () => {
    await stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const found = (): string[] => {
    const scan = new SecretScan({ name: SECRET });
    scan.lookIntoFolder('data', dataDir);
    return scan.findings.map(({ place }) => place);
  };
  const names = async (): Promise<string[]> =>
    (
      await db.query({
        query: 'FOR u IN people FILTER u.city == @city SORT u._key RETURN u.name',
        bindVars: { city: 'Kem' },
      })
    ).all();
  const friends = async (): Promise<unknown[]> =>
    (
      await db.query({
        query: 'FOR e IN knows FILTER e._from == @one SORT e._key RETURN e._to',
        bindVars: { one: 'people/1' },
      })
    ).all();

  it('leaves no byte of what was removed or replaced, and everything else as it was', async () => {
    const people = await db.createCollection('people');
    const knows = await db.createEdgeCollection('knows');
    await people.ensureIndex({ type: 'persistent', fields: ['city'], name: 'city' });
    await people.saveAll(
      Array.from({ length: DOCUMENTS }, (_, i) => ({
        _key: String(i),
        name: `person ${i}`,
        city: i % 2 ? 'Kem' : 'Tver',
      })),
    );
    await knows.saveAll([2, 3, 4].map((to) => ({ _key: `1.${to}`, _from: 'people/1', _to: `people/${to}` })));
    await people.save({ _key: 'x', name: SECRET, city: 'Kem' });
    await people.save({ _key: SECRET, name: 'y', city: SECRET });
    await people.update('7', { note: SECRET });
    await people.replace('7', { name: 'person 7', city: 'Kem' });
    await people.remove('x');
    await people.remove(SECRET);
    const before = {
      names: await names(),
      friends: await friends(),
      revision: (await people.document('5'))._rev,
    };
    expect(before.names).toHaveLength(DOCUMENTS / 2);
    expect(found()).not.toEqual([]);

    await people.compact();
    await eventually(() => expect(found()).toEqual([]), { timeoutMs: 20_000 });
    const after = {
      names: await names(),
      friends: await friends(),
      revision: (await people.document('5'))._rev,
    };
    expect(after).toEqual(before);
  });

  it('goes on from the new file, also after a restart, and does nothing where nothing was removed', async () => {
    const generations = (): string[] => readdirSync(dataDir).sort();
    const people = db.collection('people');
    const kept = generations();
    expect(kept).toEqual(['current', 'generation-1']);
    await people.save({ _key: 'new', name: 'new', city: 'Kem' });
    await people.compact();
    await db.collection('knows').compact();
    expect(generations()).toEqual(kept);
    await stop();
    await start();
    expect(await names()).toContain('new');
    expect(await friends()).toEqual(['people/2', 'people/3', 'people/4']);
    await db.collection('people').remove('new');
    await db.collection('people').compact();
    await eventually(() => expect(generations()).toEqual(['current', 'generation-2']), { timeoutMs: 20_000 });
    expect(await names()).not.toContain('new');
  });
});
