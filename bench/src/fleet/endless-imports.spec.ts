import type { FleetApi } from '@sociograph/api-client';
import { eventually } from '@sociograph/testing';
import { EndlessImports } from './endless-imports';

/** A fleet whose imports do ten lists each time they are looked at and end with a hundred. */
class FakeFleet {
  readonly keys: string[] = [];
  readonly lists = new Map<string, number>();
  refusals = 0;

  get api(): FleetApi {
    const view = (id: string): object => {
      const done = Math.min(100, (this.lists.get(id) ?? 0) + 10);
      this.lists.set(id, done);
      return { id, state: done === 100 ? 'completed' : 'running', counters: { lists: { done } } };
    };
    return {
      create: async (_path: string, _body: object, key: string) => {
        this.keys.push(key);
        if (this.refusals > 0) {
          this.refusals -= 1;
          throw new Error('away');
        }
        const id = `import-${this.lists.size + 1}`;
        this.lists.set(id, 0);
        return { id };
      },
      import: async (id: string) => view(id),
      ended: async (id: string) => {
        while ((this.lists.get(id) ?? 0) < 100) await new Promise((resolve) => setTimeout(resolve, 5));
        return view(id);
      },
      certificate: async () => ({ final: true }),
    } as unknown as FleetApi;
  }
}

describe('imports without an end', () => {
  it('begin the next one when enough lists of the last are done, and all of them end', async () => {
    const fleet = new FakeFleet();
    const imports = new EndlessImports(fleet.api, {}, 20).start();
    await eventually(() => imports.begun >= 2, { timeoutMs: 20_000 });
    expect(fleet.lists.get('import-1')).toBe(20);
    for (const id of fleet.lists.keys()) fleet.lists.set(id, 100);
    const keepsEnding = setInterval(
      () => [...fleet.lists.keys()].forEach((id) => fleet.lists.set(id, 100)),
      5,
    );
    const ended = await imports.stop(20_000);
    clearInterval(keepsEnding);
    expect(ended).toHaveLength(imports.begun);
    expect(ended.map(({ view }) => view.state)).toEqual(ended.map(() => 'completed'));
  });

  it('are begun once each, under one key, however often that is tried', async () => {
    const fleet = new FakeFleet();
    fleet.refusals = 1;
    const imports = new EndlessImports(fleet.api, {}, 1_000).start();
    await eventually(() => imports.current === 'import-1', { timeoutMs: 20_000 });
    expect(fleet.keys).toHaveLength(2);
    expect(new Set(fleet.keys).size).toBe(1);
    fleet.lists.set('import-1', 100);
    expect(await imports.stop(20_000)).toHaveLength(1);
  });

  it('say so when one does not end in time', async () => {
    const fleet = new FakeFleet();
    const imports = new EndlessImports(fleet.api, {}, 1_000).start();
    await eventually(() => imports.current !== undefined, { timeoutMs: 20_000 });
    await expect(imports.stop(50)).rejects.toThrow('an import did not end within 0.05 s');
    fleet.lists.set('import-1', 100);
  });
});
