import { anImport, StillClock } from '../../test/builders';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { ChangeImport } from './change-import';

async function setUp() {
  const store = new MemoryStore(() => 0);
  const imports = new MemoryImports(store);
  await imports.add(anImport());
  const change = new ChangeImport(imports, new StillClock());
  const handle = (step: 'pause' | 'resume' | 'cancel', workspaceId = 'demo') =>
    change.handle({ workspaceId, importId: 'import-1', step });
  return { store, imports, handle };
}

describe('changing an import', () => {
  it('pauses and resumes it', async () => {
    const { handle, store } = await setUp();
    expect((await handle('pause')).job.snapshot).toMatchObject({ state: 'paused', changedAt: 5_000 });
    expect((await handle('resume')).job.snapshot.state).toBe('running');
    expect(store.announced).toEqual(['running', 'paused', 'running']);
  });

  it('cancels it', async () => {
    const { handle } = await setUp();
    expect((await handle('cancel')).job.snapshot.state).toBe('cancelled');
  });

  it('announces nothing when nothing changed', async () => {
    const { handle, store } = await setUp();
    await handle('resume');
    expect(store.announced).toEqual(['running']);
  });

  it('settles an import that became whole while it was paused, once it is resumed', async () => {
    const { handle, imports } = await setUp();
    await handle('pause');
    await imports.change('demo', 'import-1', (job) => job.absorb({ peopleDone: 1, listsDone: 1 }, 1));
    expect((await imports.find('demo', 'import-1'))?.job.snapshot.state).toBe('paused');
    expect((await handle('resume')).job.snapshot.state).toBe('settling');
  });

  it('does not settle one that is paused again', async () => {
    const { handle, imports } = await setUp();
    await imports.change('demo', 'import-1', (job) =>
      job.step('pause', 1).absorb({ peopleDone: 1, listsDone: 1 }, 1),
    );
    expect((await handle('pause')).job.snapshot.state).toBe('paused');
  });

  it('knows no import of another workspace', async () => {
    const { handle } = await setUp();
    await expect(handle('pause', 'other')).rejects.toMatchObject({
      code: 'IMPORTS.UNKNOWN',
      kind: 'not-found',
    });
  });
});
