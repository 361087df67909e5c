import { anImport, ToyNetwork } from '../../test/builders';
import { Networks } from '../domain/ports';
import { SETTLE_MS } from '../domain/progress';
import { MemoryImportEvents, MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { PEOPLE_NAMED_PER_GAP, ReadImports } from './read-imports';

async function setUp(count: number) {
  const clock = { now: 0 };
  const store = new MemoryStore(() => clock.now);
  const imports = new MemoryImports(store);
  for (let place = 1; place <= count; place += 1) await imports.add(anImport({ id: `import-${place}` }));
  const read = new ReadImports(imports, new MemoryImportEvents(store), new Networks([new ToyNetwork()]));
  return { imports, read, clock, store };
}

const idsOf = (page: { items: { job: { snapshot: { id: string } } }[] }): string[] =>
  page.items.map(({ job }) => job.snapshot.id);

describe('reading imports', () => {
  it('finds one of its workspace only', async () => {
    const { read } = await setUp(1);
    expect((await read.one('demo', 'import-1')).job.snapshot.id).toBe('import-1');
    await expect(read.one('other', 'import-1')).rejects.toMatchObject({
      code: 'IMPORTS.UNKNOWN',
      facts: { importId: 'import-1' },
    });
  });

  it('pages through them, newest first', async () => {
    const { read } = await setUp(3);
    const first = await read.page('demo', 2);
    expect([idsOf(first), first.next]).toEqual([['import-3', 'import-2'], 'import-2']);
    const second = await read.page('demo', 2, first.next);
    expect([idsOf(second), second.next]).toEqual([['import-1'], undefined]);
  });

  it('has no next page after a page that just fits', async () => {
    const { read } = await setUp(2);
    const page = await read.page('demo', 2);
    expect([idsOf(page), 'next' in page]).toEqual([['import-2', 'import-1'], false]);
  });

  it('filters them, and pages through what is left', async () => {
    const { read, imports } = await setUp(4);
    for (const id of ['import-1', 'import-3'])
      await imports.change('demo', id, (job) => job.step('pause', 5));
    const first = await read.page('demo', 1, undefined, { state: 'paused' });
    expect([idsOf(first), first.next]).toEqual([['import-3'], 'import-3']);
    const second = await read.page('demo', 1, first.next, { state: 'paused' });
    expect([idsOf(second), second.next]).toEqual([['import-1'], undefined]);
    expect(idsOf(await read.page('demo', 5, undefined, { network: 'other' }))).toEqual([]);
  });

  it('estimates when an import that runs will be complete', async () => {
    const { read, imports, clock, store } = await setUp(1);
    const eta = async () => read.eta(await read.one('demo', 'import-1'));
    expect(await eta()).toBeUndefined();
    const stored = store.imports.get('import-1');
    if (stored === undefined) throw new Error('no import');
    clock.now = 10_000;
    // Three calls for three lists in ten seconds; five lists are left, and three calls for the profiles of nine people.
    const gained = { peopleKnown: 8, listsKnown: 7, listsDone: 3, callsMade: 3 };
    store.save(stored, stored.job.absorb({ peopleKnown: 8, listsKnown: 7 }, 1));
    store.save(stored, stored.job.step('pause', 1).step('resume', 1));
    clock.now = 20_000;
    const { listsDone, callsMade } = gained;
    store.save(stored, stored.job.absorb({ listsDone, callsMade }, 1));
    expect(await eta()).toBe(Math.round((8 * 10_000) / 3) + SETTLE_MS);
    await imports.change('demo', 'import-1', (job) => job.step('pause', 1));
    expect(await eta()).toBeUndefined();
  });

  it('certifies what stands', async () => {
    const { read, imports } = await setUp(1);
    const tally = jest.spyOn(imports, 'tally');
    await imports.change('demo', 'import-1', (job) => job.step('cancel', 5));
    expect(await read.certificate('demo', 'import-1')).toMatchObject({
      state: 'cancelled',
      final: true,
      expected: { people: 1, lists: 1 },
      got: { people: 0, lists: 0 },
      gaps: [
        { what: 'list', cause: 'withdrawn', count: 1, people: ['1'] },
        { what: 'person', cause: 'withdrawn', count: 1, people: ['1'] },
      ],
    });
    expect(tally).toHaveBeenCalledWith('demo', 'import-1', PEOPLE_NAMED_PER_GAP);
    await expect(read.certificate('other', 'import-1')).rejects.toMatchObject({ code: 'IMPORTS.UNKNOWN' });
  });
});
