import type { LearnedPath } from '../domain/learned-path';
import { InMemoryLearnedPaths } from '../infrastructure/in-memory';
import { InMemoryQuotaLedger } from '../infrastructure/in-memory-quota-ledger';
import { PathKeeper } from './keep-learned-paths';

const path = (details: Partial<LearnedPath> = {}): LearnedPath => ({
  spreadMs: 22.5,
  clockErrorMs: 0.4,
  shortestTripMs: 11,
  samples: 120,
  learnedAt: 5_000,
  ...details,
});

function aKeeper() {
  const ledger = new InMemoryQuotaLedger(() => 0);
  const paths = new InMemoryLearnedPaths();
  return { ledger, paths, keeper: new PathKeeper(ledger, paths, ['vk', 'other']) };
}

describe('the keeper of learned paths', () => {
  it('writes down what was learned, and no second time what did not change', async () => {
    const { ledger, paths, keeper } = aKeeper();
    await keeper.keep();
    expect(await paths.get('vk')).toBeUndefined();
    await ledger.restorePath('vk', path());
    await keeper.keep();
    expect(await paths.get('vk')).toEqual(path());
    await paths.remove('vk');
    await keeper.keep();
    expect(await paths.get('vk')).toBeUndefined();
    await ledger.forgetPath('vk');
    await ledger.restorePath('vk', path({ learnedAt: 6_000 }));
    await keeper.keep();
    expect(await paths.get('vk')).toEqual(path({ learnedAt: 6_000 }));
  });

  it('does not write down what rests on no sample', async () => {
    const { ledger, paths, keeper } = aKeeper();
    await ledger.restorePath('vk', path({ samples: 0 }));
    await keeper.keep();
    expect(await paths.get('vk')).toBeUndefined();
  });

  it('gives a new memory what was kept', async () => {
    const { ledger, paths, keeper } = aKeeper();
    await paths.save('other', path({ spreadMs: 7 }));
    await keeper.restore();
    expect(await keeper.all()).toEqual([{ network: 'other', path: path({ spreadMs: 7 }) }]);
    expect(await ledger.learnedPath('vk')).toBeUndefined();
  });

  it('forgets a network everywhere, and says when there is none of that name', async () => {
    const { ledger, paths, keeper } = aKeeper();
    await ledger.restorePath('vk', path());
    await keeper.keep();
    expect(await keeper.reset('vk')).toBe(true);
    expect([await ledger.learnedPath('vk'), await paths.get('vk')]).toEqual([undefined, undefined]);
    await ledger.restorePath('vk', path());
    await keeper.keep();
    expect(await paths.get('vk')).toEqual(path());
    expect(await keeper.reset('orkut')).toBe(false);
  });
});
