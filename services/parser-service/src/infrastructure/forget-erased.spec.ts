import { viewApplied } from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import { createLogger } from '@sociograph/observability';
import { Suppressions } from '@sociograph/suppression';
import { announceForgotten, forgetErased } from './forget-erased';

const logger = createLogger({ service: 'spec', instance: '0', level: 'silent' });
const mark = { workspaceId: 'demo', network: 'vk', mark: 'a'.repeat(64), erasureId: 'e', at: 1 };
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('who takes erased people out of imports', () => {
  it('is idle when all marks are known and nobody whom they mean is left', async () => {
    const suppressions = new Suppressions(new Secret(Buffer.alloc(32, 1).toString('base64')));
    let catchUp!: () => void;
    let removed!: (looked: boolean) => void;
    const caughtUp = new Promise<void>((resolve) => (catchUp = resolve));
    const asked: string[][] = [];
    const forgetting = {
      removeAll: (_scope: object, marks: readonly string[]) => {
        asked.push([...marks]);
        return new Promise<boolean>((resolve) => (removed = resolve));
      },
    };
    const forgetter = forgetErased({ suppressions, caughtUp }, forgetting, logger);
    expect(forgetter.idle()).toBe(false);
    suppressions.add(mark);
    await settled();
    expect([forgetter.idle(), asked]).toEqual([false, []]);
    catchUp();
    await settled();
    expect([forgetter.idle(), asked]).toEqual([false, [[mark.mark]]]);
    removed(true);
    await settled();
    expect(forgetter.idle()).toBe(true);
    suppressions.add({ ...mark, mark: 'b'.repeat(64) });
    expect(forgetter.idle()).toBe(false);
    removed(true);
    await settled();
    expect(forgetter.idle()).toBe(true);
    await forgetter.stop();
  });

  it('says up to which mark they are gone, under a name of its own', async () => {
    const published: unknown[] = [];
    await announceForgotten({ publish: async (events) => (published.push(...events), {}) }, 5, 17);
    expect(published).toEqual([
      {
        message: viewApplied,
        key: 'imports:0',
        value: {
          ...{ view: 'imports', partition: 0, at: 5, fence: 0 },
          appliedUpTo: { 'sociograph.graph.suppressions.v1': { '0': 17 } },
        },
      },
    ]);
    expect(viewApplied.schema.safeParse((published[0] as { value: unknown }).value).success).toBe(true);
  });
});
