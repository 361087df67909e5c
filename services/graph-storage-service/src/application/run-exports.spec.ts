import { DomainError } from '@sociograph/kernel';
import { fakeClock, sequentialIds } from '@sociograph/testing';
import { requestedExport, takenExport, type Export, type ExportSubject } from '../domain/export';
import {
  FixedExportLimits,
  InMemoryExportDrafts,
  InMemoryExportFiles,
  InMemoryExportMeter,
  InMemoryExports,
  InMemoryExportSource,
  InMemoryImportLog,
} from '../infrastructure/in-memory-exports';
import { MakeExportFile } from './make-export-file';
import { RunExports } from './run-exports';

const START = 1_795_000_000_000;

/** 1 - 2 - 3 - 4, 2 - 5, and 9 alone; 3 - 4 was seen by another import. */
function aStand() {
  const clock = fakeClock(START);
  const records = new InMemoryExports();
  const files = new InMemoryExportFiles();
  const drafts = new InMemoryExportDrafts();
  const meter = new InMemoryExportMeter();
  const source = new InMemoryExportSource(
    [
      ['1', '2'],
      ['2', '3'],
      ['3', '4', 'import-2'],
      ['2', '5'],
    ],
    ['9'],
  );
  const imports = new InMemoryImportLog({ 'import-3': { people: ['9'], lists: ['2'] } });
  const make = new MakeExportFile(source, imports, drafts, files);
  const aRunner = (prefix = 'by') =>
    new RunExports(records, files, make, meter, clock, sequentialIds(prefix), 1, limits);
  const limits = new FixedExportLimits();
  const request = async (id: string, subject: ExportSubject = { kind: 'graph' }, workspaceId = 'w') => {
    const one = requestedExport({ id, workspaceId, network: 'vk', subject, format: 'gexf' }, clock.nowMs());
    await records.add(one);
    return one;
  };
  const contents = (file: string): unknown => JSON.parse(Buffer.from(files.kept.get(file) ?? []).toString());
  return { clock, records, files, drafts, meter, limits, source, imports, aRunner, request, contents };
}

const away = new DomainError({ code: 'ARANGO.UNAVAILABLE', kind: 'unavailable', message: 'Away.' });

describe('a process that makes exports', () => {
  it('makes the next one and keeps its file', async () => {
    const stand = aStand();
    await stand.request('e1');
    stand.clock.advance(10);
    stand.source.beforePage = () => stand.clock.advance(100);
    const runner = stand.aRunner();
    expect(await runner.next()).toEqual({ kind: 'ended', id: 'e1', end: 'ready' });
    expect(stand.contents('w/by-1.gexf')).toEqual({
      format: 'gexf',
      name: 'vk-e1.gexf',
      madeAt: START + 10,
      people: ['1', '2', '3', '4', '5', '9'],
      friendships: [
        ['1', '2'],
        ['2', '3'],
        ['3', '4'],
        ['2', '5'],
      ],
    });
    const bytes = stand.files.kept.get('w/by-1.gexf')?.byteLength ?? 0;
    expect(stand.records.kept.get('e1')).toMatchObject({
      people: 6,
      friendships: 4,
      state: { kind: 'ready', file: 'w/by-1.gexf', bytes, complete: true, finishedAt: START + 1_010 },
    });
    expect(stand.meter.seen).toEqual([['ready', 'gexf', 1, bytes]]);
    expect(stand.drafts.undiscarded.size).toBe(0);
    expect(await runner.next()).toEqual({ kind: 'idle' });
  });

  it('keeps a file that fills the quota of bytes, and none that is larger', async () => {
    const stand = aStand();
    await stand.request('e1');
    await stand.aRunner().next();
    const bytes = stand.files.kept.get('w/by-1.gexf')?.byteLength ?? 0;
    stand.limits.mostBytes = 2 * bytes;
    await stand.request('e2');
    await stand.aRunner('second').next();
    expect(stand.records.kept.get('e2')?.state).toMatchObject({ kind: 'ready', bytes });
    await stand.request('e3');
    await stand.request('e4', { kind: 'graph' }, 'other');
    const runner = stand.aRunner('third');
    expect(await runner.next()).toMatchObject({ kind: 'ended', id: 'e3', end: 'failed' });
    expect(stand.records.kept.get('e3')?.state).toMatchObject({
      kind: 'failed',
      code: 'EXPORT.QUOTA_STORED_BYTES',
      message: `The quota stored-bytes of this workspace (${2 * bytes}) is used up: delete exports, or wait until one expires.`,
    });
    expect([...stand.files.kept.keys()]).toEqual(['w/by-1.gexf', 'w/second-1.gexf']);
    expect(await runner.next()).toMatchObject({ id: 'e4', end: 'ready' });
  });

  it('takes people only as ends of friendships where an import is exported', async () => {
    const stand = aStand();
    await stand.request('e1', { kind: 'import', importId: 'import-2' });
    await stand.aRunner().next();
    expect(stand.contents('w/by-1.gexf')).toMatchObject({ people: ['3', '4'], friendships: [['3', '4']] });
  });

  it('takes what an import saw, though another one had shown it first', async () => {
    const stand = aStand();
    await stand.request('e1', { kind: 'import', importId: 'import-3' });
    await stand.aRunner().next();
    expect(stand.contents('w/by-1.gexf')).toMatchObject({
      people: ['2', '3', '5', '9'],
      friendships: [
        ['2', '3'],
        ['2', '5'],
      ],
    });
    expect(stand.imports.asked).toEqual([{ workspaceId: 'w', network: 'vk', importId: 'import-3' }]);
  });

  it.each([
    [1, 10, ['1', '2'], true],
    [2, 10, ['1', '2', '3', '5'], true],
    [2, 3, ['1', '2', '3'], false],
    [2, 4, ['1', '2', '3', '5'], true],
    [6, 10, ['1', '2', '3', '4', '5'], true],
    [3, 1, ['1'], false],
  ])('goes %i steps and takes %i people at most', async (depth, nodes, people, complete) => {
    const stand = aStand();
    await stand.request('e1', { kind: 'surroundings', person: '1', depth, nodes });
    await stand.aRunner().next();
    const found = stand.contents('w/by-1.gexf') as { people: string[]; friendships: string[][] };
    expect(found.people).toEqual(people);
    expect(found.friendships.flat().every((id) => people.includes(id))).toBe(true);
    expect(stand.records.kept.get('e1')?.state).toMatchObject({ kind: 'ready', complete });
  });

  it('makes one at a time', async () => {
    const stand = aStand();
    await stand.request('e1');
    await stand.request('e2', { kind: 'graph' }, 'v');
    const runner = stand.aRunner();
    const first = runner.next();
    expect(await runner.next()).toEqual({ kind: 'idle' });
    expect(await first).toMatchObject({ id: 'e1', end: 'ready' });
    expect(await runner.next()).toMatchObject({ id: 'e2', end: 'ready' });
  });

  it('leaves alone what another took in the same moment', async () => {
    const stand = aStand();
    await stand.request('e1');
    const [a, b] = await Promise.all([stand.aRunner('a').next(), stand.aRunner('b').next()]);
    expect([a.kind, b.kind].sort()).toEqual(['ended', 'idle']);
    expect(stand.files.kept.size).toBe(1);
  });

  it('says how far it is, and that it is alive', async () => {
    const stand = aStand();
    await stand.request('e1');
    const runner = stand.aRunner();
    let pages = 0;
    const seen: Export[] = [];
    stand.source.beforePage = async () => {
      stand.clock.advance(1_000);
      pages += 1;
      if (pages !== 3 && pages !== 7) return;
      await runner.beat();
      seen.push(stand.records.kept.get('e1') as Export);
    };
    await runner.next();
    expect(seen.map(({ people, friendships, state }) => [people, friendships, state])).toEqual([
      [0, 2, expect.objectContaining({ kind: 'running', until: START + 63_000 })],
      [2, 4, expect.objectContaining({ kind: 'running', until: START + 67_000 })],
    ]);
    await runner.beat();
    expect(stand.records.kept.get('e1')?.state.kind).toBe('ready');
  });

  it('leaves nothing behind of an export that was removed meanwhile', async () => {
    const stand = aStand();
    await stand.request('e1');
    const runner = stand.aRunner();
    stand.source.beforePage = async () => {
      stand.records.kept.delete('e1');
      await runner.beat();
    };
    expect(await runner.next()).toEqual({ kind: 'ended', id: 'e1', end: 'lost' });
    expect([stand.files.kept.size, stand.records.kept.size, stand.drafts.undiscarded.size]).toEqual([
      0, 0, 0,
    ]);
    expect(stand.meter.seen).toEqual([['lost', 'gexf', 0, 0]]);
  });

  it('leaves nothing behind of an export that was removed just before its end', async () => {
    const stand = aStand();
    await stand.request('e1');
    stand.source.beforePage = () => void stand.records.kept.delete('e1');
    expect(await stand.aRunner().next()).toEqual({ kind: 'ended', id: 'e1', end: 'lost' });
    expect(stand.files.kept.size).toBe(0);
  });

  it('does not touch what another took over', async () => {
    const stand = aStand();
    await stand.request('e1');
    const runner = stand.aRunner('slow');
    let other: Promise<unknown> | undefined;
    stand.source.beforePage = async () => {
      if (other) return;
      stand.clock.advance(60_000);
      other = stand.aRunner('quick').next();
      await other;
    };
    expect(await runner.next()).toMatchObject({ end: 'lost' });
    expect([...stand.files.kept.keys()]).toEqual(['w/quick-1.gexf']);
    expect(stand.records.kept.get('e1')).toMatchObject({
      attempts: 2,
      state: { kind: 'ready', file: 'w/quick-1.gexf' },
    });
  });

  it('removes what an attempt before it left', async () => {
    const stand = aStand();
    await stand.records.add(takenExport(await stand.request('e1'), 'dead', START));
    stand.files.kept.set('w/dead.gexf', Buffer.from('half'));
    stand.clock.advance(60_000);
    await stand.aRunner().next();
    expect([...stand.files.kept.keys()]).toEqual(['w/by-1.gexf']);
  });

  it('gives back what it makes when it stops', async () => {
    const stand = aStand();
    await stand.request('e1');
    const runner = stand.aRunner();
    let stopped: Promise<void> | undefined;
    stand.source.beforePage = () => void (stopped ??= runner.stop());
    expect(await runner.next()).toEqual({ kind: 'ended', id: 'e1', end: 'given-back' });
    await stopped;
    expect(stand.records.kept.get('e1')).toMatchObject({
      attempts: 0,
      state: { kind: 'waiting', notBefore: START },
    });
    expect([stand.files.kept.size, stand.drafts.undiscarded.size]).toEqual([0, 0]);
    expect(await runner.next()).toEqual({ kind: 'idle' });
    stand.source.beforePage = () => undefined;
    expect(await stand.aRunner().next()).toMatchObject({ end: 'ready' });
  });

  it('takes nothing after it was stopped, and stops without anything in the making', async () => {
    const stand = aStand();
    await stand.request('e1');
    const runner = stand.aRunner();
    await runner.stop();
    expect(await runner.next()).toEqual({ kind: 'idle' });
    expect(stand.records.kept.get('e1')?.state.kind).toBe('waiting');
  });

  it('puts off what cannot be made because a server is away, and fails it in the end', async () => {
    const stand = aStand();
    await stand.request('e1');
    stand.source.beforePage = () => {
      throw away;
    };
    const runner = stand.aRunner();
    for (let attempt = 1; attempt <= 4; attempt++) {
      expect(await runner.next()).toEqual({ kind: 'ended', id: 'e1', end: 'postponed', error: away });
      expect(await runner.next()).toEqual({ kind: 'idle' });
      stand.clock.advance(40_000);
    }
    expect(await runner.next()).toMatchObject({ end: 'failed', error: away });
    expect(stand.records.kept.get('e1')?.state).toMatchObject({
      kind: 'failed',
      code: 'ARANGO.UNAVAILABLE',
      message: 'Away.',
    });
    expect(stand.drafts.undiscarded.size).toBe(0);
  });

  it.each([
    [
      new Error('ENOSPC /secret/path'),
      'EXPORT.FAILED',
      'The file could not be made; the log of the service has the details.',
    ],
    [new DomainError({ code: 'A.B', kind: 'bug', message: 'inner' }), 'EXPORT.FAILED', expect.any(String)],
    [new DomainError({ code: 'A.B', kind: 'unprocessable', message: 'Told.' }), 'A.B', 'Told.'],
  ])('fails at once for %s', async (error, code, message) => {
    const stand = aStand();
    await stand.request('e1');
    stand.source.beforePage = () => {
      throw error;
    };
    expect(await stand.aRunner().next()).toEqual({ kind: 'ended', id: 'e1', end: 'failed', error });
    expect(stand.records.kept.get('e1')?.state).toMatchObject({ kind: 'failed', code, message });
    expect(stand.meter.seen).toEqual([['failed', 'gexf', 0, 0]]);
  });

  it('gives up what was begun too often', async () => {
    const stand = aStand();
    const one = await stand.request('e1');
    await stand.records.add({ ...one, attempts: 5 });
    expect(await stand.aRunner().next()).toEqual({ kind: 'ended', id: 'e1', end: 'failed' });
    expect(stand.records.kept.get('e1')?.state).toMatchObject({ code: 'EXPORT.GAVE_UP' });
    expect(stand.meter.seen).toEqual([['failed', 'gexf', 0, 0]]);
  });
});
