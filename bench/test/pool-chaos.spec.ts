import { Cleanup } from '../src/fleet/cleanup';
import { type FaultsVerdict, runFaults } from '../src/pool-chaos/faults-run';
import { readArguments } from '../src/pool-chaos/arguments';
import { reportFaults } from '../src/pool-chaos/report';

jest.setTimeout(120_000);

/** A quarter of a minute of what `npm run chaos:pool` does for ten; the processes are the built ones. */
describe('a pool whose processes are frozen and killed and whose Redis forgets', () => {
  const cleanup = new Cleanup();
  const env = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  let verdict: FaultsVerdict;

  beforeAll(async () => {
    const options = readArguments(
      '--keys 10 --calls 60 --minutes 0.2 --freezes 10 --longest-freeze 1.5 --workers 2 --seed 4'.split(' '),
    );
    verdict = await runFaults(env, options, cleanup, () => undefined);
  });
  afterAll(() => cleanup.run());

  it('oversteps no limit, grants again within 10 s of each loss, and uses every key in the end', () => {
    const { oversteps, gapsAfterLoss, keysInUse, calls } = verdict;
    const said = reportFaults(verdict);
    expect({ oversteps, keysInUse, said }).toEqual({ oversteps: [], keysInUse: 10, said });
    expect(gapsAfterLoss.length).toBeGreaterThanOrEqual(4);
    expect(gapsAfterLoss[0]?.ms).toBeLessThanOrEqual(10_000);
    expect(calls).toBeGreaterThanOrEqual(60);
  });

  it('has met every fault of its plan', () => {
    expect(verdict.faults).toEqual({
      freeze: 10,
      kill: 2,
      flush: 1,
      'script-flush': 1,
      'redis-restart': 1,
      'clock-step': 2,
      'rabbit-cut': 1,
    });
  });
});
