import { anImport } from '../../test/builders';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { PEOPLE_NAMED_PER_GAP, ReadImports } from './read-imports';

async function setUp(count: number) {
  const imports = new MemoryImports(new MemoryStore(() => 0));
  for (let place = 1; place <= count; place += 1) await imports.add(anImport({ id: `import-${place}` }));
  return { imports, read: new ReadImports(imports) };
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
