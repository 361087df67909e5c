import { anImport, CountedIds, StillClock } from '../../test/builders';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { ChangeImport, type ChangeImportCommand } from './change-import';

async function setUp(mostRunning?: number) {
  const store = new MemoryStore(() => 0, mostRunning);
  const imports = new MemoryImports(store);
  await imports.add(anImport());
  const change = new ChangeImport(imports, new StillClock(), new CountedIds('audit'));
  const command = { workspaceId: 'demo', importId: 'import-1', by: 'ada', correlationId: 'c-1' };
  const handle = (step: ChangeImportCommand['step'], changes: Partial<ChangeImportCommand> = {}) =>
    change.handle({ ...command, step, ...changes });
  const retry = (ifRevision?: number) => change.retry({ ...command, ifRevision });
  const state = async () => (await imports.find('demo', 'import-1'))?.job.snapshot.state;
  return { store, imports, handle, retry, state };
}

describe('changing an import', () => {
  it('pauses and resumes it', async () => {
    const { handle, store } = await setUp();
    expect((await handle('pause')).job.snapshot).toMatchObject({ state: 'paused', changedAt: 5_000 });
    expect((await handle('resume')).job.snapshot.state).toBe('running');
    expect(store.announced).toEqual(['running', 'paused', 'running']);
  });

  it('cancels it: everything that is open is withdrawn, and counted', async () => {
    const { handle } = await setUp();
    const { job } = await handle('cancel');
    expect(job.snapshot).toMatchObject({
      state: 'cancelled',
      counters: { peopleDone: 1, peopleGaps: 1, listsDone: 1, listsGaps: 1 },
    });
    expect(job.openItems).toBe(0);
  });

  it('announces and audits nothing when nothing changed', async () => {
    const { handle, store } = await setUp();
    await handle('resume');
    expect([store.announced, store.audited]).toEqual([['running'], []]);
  });

  it('tells the audit trail who did what', async () => {
    const { handle, store } = await setUp();
    await handle('pause');
    await handle('resume');
    await handle('cancel');
    await handle('delete');
    expect(store.audited).toEqual(
      ['pause', 'resume', 'cancel', 'delete'].map((step) => ({
        ...{ action: `import.${step}`, importId: 'import-1', actor: 'ada' },
      })),
    );
  });

  it('deletes what has ended, which nobody finds then', async () => {
    const { handle, state, imports, store } = await setUp();
    await expect(handle('delete')).rejects.toMatchObject({ code: 'IMPORTS.STEP_REFUSED', kind: 'conflict' });
    await handle('cancel');
    await handle('delete');
    expect([await state(), await imports.page('demo', 5)]).toEqual([undefined, []]);
    expect(store.announced).toEqual(['running', 'cancelled']);
    await expect(handle('delete')).rejects.toMatchObject({ code: 'IMPORTS.UNKNOWN' });
  });

  it('settles an import that became whole while it was paused, once it is resumed', async () => {
    const { handle, imports, state } = await setUp();
    await handle('pause');
    await imports.change('demo', 'import-1', (job) =>
      job.absorb({ peopleDone: 1, listsDone: 1 }, 1).step('pause', 1),
    );
    expect(await state()).toBe('paused');
  });

  it('takes the step of whoever saw the present revision only', async () => {
    const { handle, state } = await setUp();
    await handle('pause', { ifRevision: 1 });
    const late = handle('cancel', { ifRevision: 1 });
    await expect(late).rejects.toMatchObject({ code: 'IMPORTS.CHANGED', kind: 'precondition-failed' });
    expect(await state()).toBe('paused');
    expect((await handle('cancel', { ifRevision: 2 })).job.snapshot.revision).toBe(3);
  });

  it('lets no more imports run than the workspace may have', async () => {
    const { handle, imports, state } = await setUp(1);
    const another = imports.add(anImport({ id: 'import-2' }));
    await expect(another).rejects.toMatchObject({
      ...{ code: 'IMPORTS.QUOTA_RUNNING', kind: 'too-many', retryAfterSeconds: 30 },
      facts: { quota: 'running-imports', most: 1 },
    });
    await imports.add(anImport({ id: 'import-3', workspaceId: 'other' }));
    await handle('resume');
    await handle('pause');
    await imports.add(anImport({ id: 'import-2' }));
    await expect(handle('resume')).rejects.toMatchObject({ code: 'IMPORTS.QUOTA_RUNNING' });
    expect(await state()).toBe('paused');
  });

  it('knows no import of another workspace', async () => {
    const { handle, retry, imports } = await setUp();
    const unknown = { code: 'IMPORTS.UNKNOWN', kind: 'not-found' };
    await expect(handle('pause', { workspaceId: 'other' })).rejects.toMatchObject(unknown);
    jest.spyOn(imports, 'retry').mockResolvedValue(undefined);
    await expect(retry()).rejects.toMatchObject(unknown);
  });
});

describe('trying an import again', () => {
  async function withGaps() {
    const parts = await setUp();
    const items = [...(parts.store.imports.get('import-1')?.items.values() ?? [])];
    for (const item of items)
      Object.assign(item, { state: 'gap', cause: 'gave-up', attempts: 8, keyFaults: 3 });
    const gaps = { peopleDone: 1, peopleGaps: 1, listsDone: 1, listsGaps: 1 };
    await parts.imports.change('demo', 'import-1', (job) => job.absorb(gaps, 1).step('complete', 2));
    return { ...parts, items };
  }

  it('opens the gaps that may be filled, with new attempts', async () => {
    const { retry, items, store } = await withGaps();
    const { job } = await retry();
    expect(job.snapshot).toMatchObject({
      state: 'running',
      counters: {
        peopleDone: 1,
        peopleGaps: 0,
        peopleRetrying: 1,
        listsDone: 1,
        listsGaps: 0,
        listsRetrying: 1,
      },
    });
    expect(items).toMatchObject(
      [1, 2].map(() => ({ state: 'pending', attempts: 0, keyFaults: 0, retried: true })),
    );
    expect(store.audited).toEqual([{ action: 'import.retry', importId: 'import-1', actor: 'ada' }]);
    expect(store.announced.at(-1)).toBe('running');
  });

  it('leaves alone what nobody can fill', async () => {
    const { retry, items, store, state } = await withGaps();
    for (const item of items) item.cause = 'private';
    expect((await retry()).job.snapshot.state).toBe('completed');
    expect([await state(), store.audited, items[0]?.state]).toEqual(['completed', [], 'gap']);
  });

  it('takes the step of whoever saw the present revision only', async () => {
    const { retry, items } = await withGaps();
    await expect(retry(1)).rejects.toMatchObject({ code: 'IMPORTS.CHANGED' });
    expect(items[0]?.state).toBe('gap');
    expect((await retry(3)).job.snapshot.revision).toBe(4);
  });
});
