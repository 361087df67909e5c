import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SimulatedKey } from '../src/keys';
import { Bench } from './stand';

const CLIENT = join(__dirname, 'vk-io-client.mjs');
const ROOT = join(__dirname, '../../..');
const run = promisify(execFile);

const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};
// Left out only while the repository does not list vk-io; once it does, a missing one is a failure.
const describeClient = 'vk-io' in devDependencies ? describe : describe.skip;

interface Said {
  outcomes: unknown[];
  executed: unknown;
}

describeClient('vk-io, unmodified but for its base URL', () => {
  const said = async (bench: Bench, mode: string): Promise<Said> => {
    const { token } = bench.keys[0] as SimulatedKey;
    const { stdout } = await run(process.execPath, [CLIENT, bench.url, token, mode], { cwd: ROOT });
    return JSON.parse(stdout) as Said;
  };
  const requests = async (bench: Bench) => {
    const { totals, keys } = (await bench.page('/stats')) as {
      totals: { served: number; refused: number };
      keys: { methods: Record<string, { served: { count: number } }> }[];
    };
    return { ...totals, execute: keys[0]?.methods['execute']?.served.count ?? 0 };
  };

  const expectAnswers = ({ outcomes, executed }: Said): void => {
    expect(outcomes.slice(0, 7)).toEqual([
      [1, 2, 3].map((id) => expect.objectContaining({ id, sex: expect.any(Number) as number }) as object),
      { count: 3, items: [1, 2, 4] },
      expect.objectContaining({ code: 18 }),
      expect.objectContaining({ count: expect.any(Number) as number, items: expect.any(Array) as object[] }),
      expect.objectContaining({ code: 30 }),
      expect.objectContaining({ items: expect.any(Array) as object[] }),
      expect.objectContaining({ type: 'user' }),
    ]);
    expect(new Set(outcomes.slice(7).map((answer) => JSON.stringify(answer)))).toEqual(
      new Set(['{"count":2,"items":[2,3]}']),
    );
    expect(executed).toEqual({ response: false, codes: [18, 18] });
  };

  it('gets every answer and every error one by one, and is never refused by the limit', async () => {
    const bench = await Bench.start('--private', '2', '--deleted', '4');
    const sequential = await said(bench, 'sequential');
    expect(sequential.outcomes).toHaveLength(8);
    expectAnswers(sequential);
    expect(await requests(bench)).toMatchObject({ served: 9, refused: 0, execute: 1 });
    await bench.close();
  }, 30_000);

  it('gets the same in packs of 25, each error at the call that it belongs to', async () => {
    const bench = await Bench.start('--private', '2', '--deleted', '4');
    const parallel = await said(bench, 'parallel');
    expect(parallel.outcomes).toHaveLength(32);
    expectAnswers(parallel);
    expect(await requests(bench)).toMatchObject({ served: 3, refused: 0, execute: 3 });
    await bench.close();
  }, 30_000);
});
