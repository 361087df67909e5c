import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addToLedger,
  ErasedFinder,
  type Mark,
  markOf,
  marksIn,
  merged,
  openErasure,
  readLedger,
} from './erased-people';
import { LinesFile } from './lines-file';

const key = Buffer.alloc(32, 7);
const mark = (id: string, workspaceId = 'demo'): Mark => ({
  workspaceId,
  network: 'vk',
  mark: markOf(key, workspaceId, 'vk', id),
  erasureId: `e${id}`,
  at: 5,
});

describe('people who were erased', () => {
  const folder = mkdtempSync(join(tmpdir(), 'erased-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('have the mark that libs/suppression gives them', () => {
    expect(markOf(key, 'demo', 'vk', '107')).toBe(
      'f2753ce39ca4783568bb3efe8e9e4de6e9eeb864c4a994ef373ef6a2dd32fdee',
    );
  });

  it('are noted once each, beside whoever was noted before, for the owner alone', () => {
    const file = join(folder, 'erasures.jsonl');
    expect(readLedger(file)).toEqual([]);
    expect(addToLedger(file, [mark('1'), mark('2')])).toBe(2);
    expect(addToLedger(file, [mark('2'), mark('3')])).toBe(3);
    expect(addToLedger(file, [])).toBe(3);
    expect(readLedger(file)).toEqual([mark('1'), mark('2'), mark('3')]);
    expect(readFileSync(file, 'utf8')).not.toContain('"1"');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(merged([mark('1')], [mark('1'), mark('4')])).toEqual([mark('1'), mark('4')]);
  });

  it('are read from a dump of their topic, in which a record may mean nothing', async () => {
    const file = join(folder, 'dump');
    const lines = new LinesFile(file);
    const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
    for (const v of [base64(mark('1')), null, base64({ other: 1 }), base64(mark('2'))])
      await lines.write({ p: 0, o: 0, t: '0', k: null, v });
    await lines.close();
    expect(await marksIn(file)).toEqual([mark('1'), mark('2')]);
  });

  it('are found by a vertex and by either end of an edge, in their own workspace alone', () => {
    const finder = new ErasedFinder(
      key,
      ['1', '2', '3', '4'].map((id) => mark(id)),
    );
    finder.look({ _key: 'demo.vk.1' });
    finder.look({ _key: 'demo.vk.8.9', _from: 'users/demo.vk.8', _to: 'users/demo.vk.2' });
    finder.look({ _key: 'demo.vk.3.9', _from: 'users/demo.vk.3', _to: 'users/demo.vk.9' });
    finder.look({ _key: 'other.vk.4' });
    finder.look({ _key: 'e', _from: 'groups/demo.vk.4', _to: 'posts/demo.vk.4' });
    finder.look({ _key: 'demo.vk' });
    expect([...finder.found]).toEqual([
      [mark('1').mark, '1'],
      [mark('2').mark, '2'],
      [mark('3').mark, '3'],
    ]);
  });

  it('get an open receipt, in place of one that was complete', () => {
    const fresh = openErasure(mark('1'), '1', undefined, 99);
    expect(fresh).toMatchObject({
      _key: mark('1').mark.slice(0, 32),
      id: mark('1').mark.slice(0, 32),
      workspaceId: 'demo',
      network: 'vk',
      mark: mark('1').mark,
      personId: '1',
      state: 'erasing',
      open: true,
      requestedAt: 5,
      requestedBy: 'restore',
      touched: { people: [], repeats: [], posts: [] },
      ends: {},
    });
    expect(Object.keys(fresh['places'] as object)).toHaveLength(14);
    expect(fresh['places']).toMatchObject({ vertex: {}, 'database-files': {}, logs: { doneAt: 99 } });
    const known = {
      ...{ _key: 'x', requestedAt: 3, requestedBy: 'vera', state: 'complete', open: false },
      ...{ suppressedAt: 4, sweptAt: 5, checkedAt: 6, completedAt: 7 },
    };
    const again = openErasure(mark('1'), '1', known, 99);
    expect(again).toMatchObject({
      requestedAt: 3,
      requestedBy: 'vera',
      state: 'erasing',
      open: true,
      personId: '1',
    });
    for (const name of ['suppressedAt', 'sweptAt', 'checkedAt', 'completedAt'])
      expect(again).not.toHaveProperty(name);
  });
});
