import { fakeClock, sequentialIds, ToldAudit } from '@sociograph/testing';
import { requestedExport, takenExport, type Export } from '../domain/export';
import {
  FixedExportLimits,
  InMemoryExportDrafts,
  InMemoryExportFiles,
  InMemoryExportMeter,
  InMemoryExports,
} from '../infrastructure/in-memory-exports';
import { ReadExports } from './read-exports';
import type { ReadPerson } from './read-person';
import { RemoveExports } from './remove-exports';
import { RequestExport } from './request-export';

const DAY = 86_400_000;
const START = 1_795_000_000_000;
const wanted = { workspaceId: 'w', network: 'vk', subject: { kind: 'graph' }, format: 'gexf' } as const;

function aStand() {
  const clock = fakeClock(START);
  const records = new InMemoryExports();
  const files = new InMemoryExportFiles();
  const drafts = new InMemoryExportDrafts();
  const meter = new InMemoryExportMeter();
  const asked: unknown[] = [];
  const people = {
    friends: async (...question: unknown[]) => void asked.push(question),
  } as unknown as ReadPerson;
  const limits = new FixedExportLimits();
  const audit = new ToldAudit();
  const request = new RequestExport(records, people, meter, limits, audit, clock, sequentialIds('e'));
  const read = new ReadExports(records, files, clock);
  const remove = new RemoveExports(records, files, drafts, audit, clock);
  return { clock, records, files, drafts, meter, limits, audit, asked, request, read, remove };
}

/** A ready one with a file, or in another state. */
async function kept(
  { records, files }: ReturnType<typeof aStand>,
  id: string,
  changes: Partial<Export> = {},
): Promise<Export> {
  const file = `w/${id}.gexf`;
  const one: Export = {
    ...requestedExport({ ...wanted, id }, START),
    state: { kind: 'ready', file, bytes: 3, complete: true, startedAt: START, finishedAt: START },
    ...changes,
  };
  await records.add(one);
  files.kept.set(file, Buffer.from(id));
  return one;
}

describe('a request for an export', () => {
  it('is kept until a process makes it', async () => {
    const stand = aStand();
    const made = await stand.request.execute(wanted, 'ada');
    expect(made).toEqual(requestedExport({ ...wanted, id: 'e-1' }, START));
    expect([...stand.records.kept.values()]).toEqual([made]);
    expect(stand.meter.seen).toEqual([['requested', 'gexf']]);
    expect(stand.audit.told).toEqual(['export.create export/e-1 ada']);
    expect(stand.asked).toEqual([]);
  });

  it('for the surroundings of a person asks whether there is such a person', async () => {
    const stand = aStand();
    const subject = { kind: 'surroundings', person: '7', depth: 6, nodes: 10_000 } as const;
    await stand.request.execute({ ...wanted, subject }, 'ada');
    expect(stand.asked).toEqual([
      [
        { workspaceId: 'w', network: 'vk', id: '7' },
        { limit: 1, after: undefined },
      ],
    ]);
  });

  it.each([
    [7, 1, [{ field: 'of.depth', message: 'must be at most 6' }]],
    [1, 10_001, [{ field: 'of.nodes', message: 'must be at most 10000' }]],
  ])('for surroundings of %i steps and %i people is refused', async (depth, nodes, fields) => {
    const stand = aStand();
    const subject = { kind: 'surroundings', person: '7', depth, nodes } as const;
    await expect(stand.request.execute({ ...wanted, subject }, 'ada')).rejects.toMatchObject({
      code: 'EXPORT.TOO_COSTLY',
      kind: 'unprocessable',
      fields,
    });
    expect(stand.asked).toEqual([]);
    expect(stand.records.kept.size).toBe(0);
  });

  it('is not taken where the audit trail cannot have it', async () => {
    const stand = aStand();
    stand.audit.away = new Error('away');
    await expect(stand.request.execute(wanted, 'ada')).rejects.toThrow('away');
    expect([stand.records.kept.size, stand.meter.seen]).toEqual([0, []]);
  });

  it('is refused while the workspace has twenty, other workspaces and those that expired aside', async () => {
    const stand = aStand();
    for (let n = 0; n < 19; n++) await kept(stand, `k${n}`);
    await kept(stand, 'other', { workspaceId: 'other' });
    await kept(stand, 'over', { expiresAt: START });
    await stand.request.execute(wanted, 'ada');
    await expect(stand.request.execute(wanted, 'ada')).rejects.toMatchObject({
      code: 'EXPORT.TOO_MANY',
      kind: 'too-many',
      retryAfterSeconds: 60,
      message: 'The quota exports of this workspace (20) is used up: delete one, or wait until one expires.',
      facts: { quota: 'exports', most: 20 },
    });
    expect(stand.records.kept.size).toBe(22);
  });

  it('takes the last place once of two at the same moment, and none of a workspace that may have none', async () => {
    const stand = aStand();
    stand.limits.most = 2;
    await kept(stand, 'a');
    const both = await Promise.allSettled([
      stand.request.execute(wanted, 'ada'),
      stand.request.execute(wanted, 'ada'),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(stand.records.kept.size).toBe(2);
    stand.limits.most = 0;
    const other = { ...wanted, workspaceId: 'other' };
    await expect(stand.request.execute(other, 'ada')).rejects.toMatchObject({ facts: { most: 0 } });
  });

  it('is taken back when another process took the last place at the same moment', async () => {
    const stand = aStand();
    stand.limits.most = 1;
    const add = stand.records.add.bind(stand.records);
    stand.records.add = async (one) => {
      stand.records.add = add;
      await add(one);
      await kept(stand, 'of-another-process');
    };
    await expect(stand.request.execute(wanted, 'ada')).rejects.toMatchObject({ code: 'EXPORT.TOO_MANY' });
    expect([...stand.records.kept.keys()]).toEqual(['of-another-process']);
    expect(stand.audit.told).toEqual([
      'export.create export/e-1 ada',
      'export.create export/e-1 ada failed EXPORT.TOO_MANY',
    ]);
    expect(stand.meter.seen).toEqual([]);
  });

  it('is refused when finished files take all the bytes, and allowed with one byte left', async () => {
    const stand = aStand();
    await kept(stand, 'a');
    await kept(stand, 'b', { state: { kind: 'waiting', notBefore: START } });
    stand.limits.mostBytes = 3;
    await expect(stand.request.execute(wanted, 'ada')).rejects.toMatchObject({
      ...{ code: 'EXPORT.QUOTA_STORED_BYTES', kind: 'too-many', retryAfterSeconds: 60 },
      facts: { quota: 'stored-bytes', most: 3 },
    });
    stand.limits.mostBytes = 4;
    await stand.request.execute(wanted, 'ada');
  });
});

describe('exports that are read', () => {
  it('have a link of five minutes once they are ready', async () => {
    const stand = aStand();
    const ready = await kept(stand, 'a');
    expect(await stand.read.one('w', 'a')).toEqual({
      export: ready,
      link: { url: `memory:a/w/a.gexf?at=${START}`, expiresAt: START + 300_000 },
    });
    const waiting = await kept(stand, 'b', { state: { kind: 'waiting', notBefore: 1 } });
    expect(await stand.read.one('w', 'b')).toEqual({ export: waiting, link: undefined });
  });

  it('are unknown to other workspaces, and when their time is over', async () => {
    const stand = aStand();
    await kept(stand, 'a');
    const unknown = { code: 'EXPORT.UNKNOWN', kind: 'not-found' };
    await expect(stand.read.one('v', 'a')).rejects.toMatchObject(unknown);
    await expect(stand.read.one('w', 'x')).rejects.toMatchObject(unknown);
    stand.clock.advance(DAY - 1);
    expect((await stand.read.one('w', 'a')).export.id).toBe('a');
    stand.clock.advance(1);
    await expect(stand.read.one('w', 'a')).rejects.toMatchObject(unknown);
  });

  it('come page by page, newest first', async () => {
    const stand = aStand();
    for (const id of ['a', 'b', 'c']) await kept(stand, id);
    const first = await stand.read.page('w', { limit: 2, after: undefined });
    expect([first.items.map((one) => one.export.id), first.next]).toEqual([['c', 'b'], 'b']);
    const second = await stand.read.page('w', { limit: 2, after: 'b' });
    expect([second.items.map((one) => one.export.id), second.next]).toEqual([['a'], undefined]);
    expect((await stand.read.page('w', { limit: 3, after: undefined })).next).toBeUndefined();
    expect(first.items[0]?.link?.expiresAt).toBe(START + 300_000);
  });

  it('hand their file out to a link of theirs', async () => {
    const stand = aStand();
    await kept(stand, 'a');
    const link = { expiresAt: START + 1, signature: 'w/a.gexf' };
    const { contents, ...file } = await stand.read.file('w', 'a', link);
    expect(file).toEqual({ name: 'vk-a.gexf', mediaType: 'application/gexf+xml', bytes: 1 });
    for await (const part of contents) expect(Buffer.from(part).toString()).toBe('a');
    const over = { code: 'EXPORT.LINK_OVER', kind: 'forbidden' };
    await expect(stand.read.file('w', 'a', { ...link, signature: 'other' })).rejects.toMatchObject(over);
    await expect(stand.read.file('v', 'a', link)).rejects.toMatchObject({ code: 'EXPORT.UNKNOWN' });
    stand.files.kept.clear();
    await expect(stand.read.file('w', 'a', link)).rejects.toMatchObject({ code: 'EXPORT.UNKNOWN' });
    stand.clock.advance(1);
    await expect(stand.read.file('w', 'a', link)).rejects.toMatchObject(over);
  });

  it('have no file before they are ready', async () => {
    const stand = aStand();
    await kept(stand, 'a', { state: { kind: 'waiting', notBefore: 1 } });
    const link = { expiresAt: START + 1, signature: 'w/a.gexf' };
    await expect(stand.read.file('w', 'a', link)).rejects.toMatchObject({
      code: 'EXPORT.NOT_READY',
      kind: 'conflict',
      message: 'An export that is waiting has no file.',
    });
  });
});

describe('exports that go', () => {
  it('go with their files when their workspace says so', async () => {
    const stand = aStand();
    await kept(stand, 'a');
    await kept(stand, 'over', { expiresAt: START });
    const unknown = { code: 'EXPORT.UNKNOWN' };
    await expect(stand.remove.one('v', 'a', 'ada')).rejects.toMatchObject(unknown);
    await expect(stand.remove.one('w', 'over', 'ada')).rejects.toMatchObject(unknown);
    stand.audit.away = new Error('away');
    await expect(stand.remove.one('w', 'a', 'ada')).rejects.toThrow('away');
    expect(stand.records.kept.has('a')).toBe(true);
    stand.audit.away = undefined;
    await stand.remove.one('w', 'a', 'ada');
    expect(stand.audit.told).toEqual(['export.delete export/a ada']);
    expect([...stand.records.kept.keys(), ...stand.files.kept.keys()]).toEqual(['over', 'w/over.gexf']);
    await expect(stand.remove.one('w', 'a', 'ada')).rejects.toMatchObject(unknown);
  });

  it('go without a file while they wait', async () => {
    const stand = aStand();
    await kept(stand, 'a', { state: { kind: 'waiting', notBefore: 1 } });
    await stand.remove.one('w', 'a', 'ada');
    expect([...stand.files.kept.keys()]).toEqual(['w/a.gexf']);
  });

  it('go when their time is over, and what no record names an hour after', async () => {
    const stand = aStand();
    await kept(stand, 'a', { expiresAt: START + 1 });
    await kept(stand, 'b', { expiresAt: START + 2 });
    expect(await stand.remove.expired()).toBe(0);
    stand.clock.advance(1);
    expect(await stand.remove.expired()).toBe(1);
    expect([...stand.records.kept.keys(), ...stand.files.kept.keys()]).toEqual(['b', 'w/b.gexf']);
    expect(stand.files.swept).toEqual([START - 25 * 3_600_000, START + 1 - 25 * 3_600_000]);
    expect(stand.drafts.swept).toEqual(stand.files.swept);
  });

  it('stay when another process gave them more time meanwhile', async () => {
    const stand = aStand();
    const one = await kept(stand, 'a', { expiresAt: START });
    const { expired } = stand.records;
    stand.records.expired = async (now) => {
      const found = await expired.call(stand.records, now);
      stand.records.kept.set('a', { ...one, expiresAt: START + 1 });
      return found;
    };
    expect(await stand.remove.expired()).toBe(0);
    expect(stand.files.kept.size).toBe(1);
  });

  it('go or are begun anew when the graph lost someone', async () => {
    const stand = aStand();
    await kept(stand, 'ready');
    const subject = { kind: 'surroundings', person: '7', depth: 1, nodes: 1 } as const;
    await kept(stand, 'around', { subject, state: { kind: 'waiting', notBefore: 1 } });
    const waiting = await kept(stand, 'waiting', { state: { kind: 'waiting', notBefore: 1 } });
    const running = takenExport(requestedExport({ ...wanted, id: 'running' }, START), 'by', START);
    await stand.records.add(running);
    stand.files.kept.set('w/by.gexf', Buffer.from('x'));
    const elsewhere = [
      await kept(stand, 'v', { workspaceId: 'v' }),
      await kept(stand, 'ok', { network: 'ok' }),
    ];
    stand.clock.advance(5);
    expect(await stand.remove.ofGraph('w', 'vk')).toEqual({ removed: 2, startedOver: 1 });
    expect([...stand.records.kept.values()]).toEqual(expect.arrayContaining([waiting, ...elsewhere]));
    expect(stand.records.kept.get('running')).toMatchObject({
      attempts: 0,
      state: { kind: 'waiting', notBefore: START + 5 },
    });
    expect([...stand.files.kept.keys()].sort()).toEqual([
      'w/around.gexf',
      'w/ok.gexf',
      'w/v.gexf',
      'w/waiting.gexf',
    ]);
    expect(await stand.remove.ofGraph('w', 'vk')).toEqual({ removed: 0, startedOver: 0 });
  });
});
