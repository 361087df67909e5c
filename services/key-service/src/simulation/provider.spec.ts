import { Chance } from './chance';
import { type Counting, Provider } from './provider';
import { VirtualTime } from './virtual-time';
import { World } from './world';

const SECOND = 1_000_000;

/** Codes that calls of one key get which arrive at these times (us after the first). */
function play(counting: Counting, times: number[], frozen: number[] = []) {
  const time = new VirtualTime({ busy: false, idle: async () => undefined });
  const world = new World(time, new Chance(1));
  const provider = new Provider(world, counting, { base: 0, jitter: 0, ends: false });
  provider.setQuota('k', 3);
  // A second of the provider's own clock begins here.
  while (provider.date() === (time.micros++, provider.date()));
  const start = time.micros;
  const codes = times.map((at, index) => {
    time.micros = start + at;
    const call = { bucket: 'k', keyId: 'k', method: 'm', lease: `l${index}`, frozen: frozen.includes(index) };
    return provider.arrive(call).code ?? 0;
  });
  return { codes, oversteps: world.violations.map(({ invariant }) => invariant), provider };
}

describe('the provider of the simulation', () => {
  it('lets a call leave a sliding window exactly when it is a window old', () => {
    expect(play('sliding', [0, 1, 2, SECOND]).codes).toEqual([0, 0, 0, 0]);
    const over = play('sliding', [0, 1, 2, SECOND - 1]);
    expect(over.codes).toEqual([0, 0, 0, 6]);
    expect(over.oversteps).toEqual(['overstep']);
  });

  it('counts fixed windows from whole seconds of its clock', () => {
    const late = [900_000, 900_001, 900_002];
    expect(play('fixed-clock', [...late, SECOND, SECOND + 1, SECOND + 2]).oversteps).toEqual([]);
    expect(play('fixed-clock', [0, 1, 2, SECOND - 1]).codes).toEqual([0, 0, 0, 6]);
  });

  it('counts fixed windows from the first call on without a gap', () => {
    const late = [0, 900_000, 900_001];
    expect(play('fixed-first-call', [...late, SECOND, SECOND + 1, SECOND + 2]).oversteps).toEqual([]);
    expect(play('fixed-first-call', [...late, 999_999]).codes).toEqual([0, 0, 0, 6]);
    expect(play('fixed-first-call', [0, 2_900_000, 2_900_001, 2_900_002, 2_999_999]).codes.at(-1)).toBe(6);
  });

  it('lists calls of processes that stood still apart', () => {
    const { codes, oversteps, provider } = play('sliding', [0, 1, 2, 3], [3]);
    expect([codes.at(-1), oversteps, provider.frozen]).toEqual([6, [], 1]);
  });
});
