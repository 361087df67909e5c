import { fakeClock, sequentialIds } from '@sociograph/testing';
import { anImport } from '../../test/builders';
import { MemoryImports, MemoryStore } from '../infrastructure/in-memory';
import { PauseAtQuota } from './pause-at-quota';

async function setUp() {
  const store = new MemoryStore(() => 0);
  const imports = new MemoryImports(store);
  const full = new Map<string, number>();
  const asked: string[] = [];
  const quota = new PauseAtQuota(
    imports,
    async (workspaceId) => (asked.push(workspaceId), full.get(workspaceId)),
    fakeClock(1_000),
    sequentialIds('audit'),
  );
  for (const [id, workspaceId] of [
    ['a1', 'a'],
    ['a2', 'a'],
    ['b1', 'b'],
  ] as const)
    await imports.add(anImport({ id, workspaceId }));
  const states = () => ['a1', 'a2', 'b1'].map((id) => store.imports.get(id)?.job.snapshot.state);
  return { store, imports, full, asked, quota, states };
}

describe('the quota of people', () => {
  it('pauses what runs in a workspace that has no room, once, and says why in the audit trail', async () => {
    const { quota, full, asked, states, store } = await setUp();
    expect(await quota.look()).toBe(0);
    expect(asked).toEqual(['a', 'b']);
    full.set('a', 100);
    expect(await quota.look()).toBe(2);
    expect(states()).toEqual(['paused', 'paused', 'running']);
    expect(await quota.look()).toBe(0);
    const told = { action: 'import.pause', actor: 'parser-service', reason: 'quota people' };
    expect(store.audited).toEqual([
      { importId: 'a1', ...told },
      { importId: 'a2', ...told },
    ]);
  });

  it('leaves alone what was paused or ended meanwhile', async () => {
    const { quota, full, imports, states } = await setUp();
    full.set('a', 100);
    const running = imports.running.bind(imports);
    imports.running = async () => {
      const found = await running();
      await imports.change('a', 'a1', (job) => job.step('cancel', 1));
      return found;
    };
    expect(await quota.look()).toBe(1);
    expect(states()).toEqual(['cancelled', 'paused', 'running']);
  });

  it('lets nothing begin there, and anything elsewhere', async () => {
    const { quota, full } = await setUp();
    full.set('a', 100);
    await expect(quota.insistOnRoom('a')).rejects.toMatchObject({
      ...{ code: 'IMPORTS.QUOTA_PEOPLE', kind: 'forbidden' },
      message: 'The quota people of this workspace (100) is used up.',
      facts: { quota: 'people', most: 100 },
    });
    await quota.insistOnRoom('b');
  });
});
