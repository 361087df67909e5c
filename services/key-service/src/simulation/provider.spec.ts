import type { Counting } from './arrival-windows';
import { Chance } from './chance';
import { Provider } from './provider';
import { VirtualTime } from './virtual-time';
import { World } from './world';

const SECOND = 1_000_000;
const aCall = {
  bucket: 'k',
  keyId: 'k',
  tokenVersion: 1,
  methods: ['m'],
  lease: 'l',
  egress: 'e',
  frozen: false,
};

/** Codes that calls of one key get which arrive at these times (us after the first). */
function play(counting: Counting, times: number[], frozen: number[] = []) {
  const { time, world, provider } = aProvider(counting);
  // A second of the provider's own clock begins here.
  while (provider.date() === (time.micros++, provider.date()));
  const start = time.micros;
  const codes = times.map((at, index) => {
    time.micros = start + at;
    return provider.arrive({ ...aCall, lease: `l${index}`, frozen: frozen.includes(index) }).code ?? 0;
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

  it('counts a budget over its rolling span, and only its own method', () => {
    const { time, world, provider } = aProvider();
    provider.setBudgets('k', [
      { name: 'minute', calls: 2 },
      { name: 'day:m', calls: 3 },
    ]);
    const broken = (seconds: number, methods: string[]): number => {
      time.micros += seconds * SECOND;
      provider.arrive({ ...aCall, methods });
      return world.violations.length;
    };
    expect([broken(0, ['m']), broken(30, ['m']), broken(30, ['m'])]).toEqual([0, 0, 0]);
    expect(broken(60, ['other'])).toBe(0);
    expect(broken(60, ['m'])).toBe(1);
    expect(world.violations[0]).toMatchObject({ invariant: 'budget-overstep' });
  });

  it('limits calls from one address, all keys together', () => {
    const { world, provider } = aProvider();
    provider.limitAddresses(2, ['e', 'f']);
    provider.setQuota('l', 3);
    const from = (bucket: string, egress: string): number | undefined =>
      provider.arrive({ ...aCall, bucket, keyId: bucket, egress }).code;
    expect([from('k', 'e'), from('l', 'e'), from('k', 'f')]).toEqual([undefined, undefined, undefined]);
    expect(from('l', 'e')).toBe(6);
    expect(world.violations.map(({ invariant }) => invariant)).toEqual(['overstep']);
  });

  it('refuses a dead token, not the one after it, and knows which it blamed', () => {
    const { provider } = aProvider();
    provider.kill('k', 1);
    expect(provider.arrive(aCall).code).toBe(5);
    expect(provider.arrive({ ...aCall, tokenVersion: 2 }).code).toBeUndefined();
    expect([provider.blamedSince('k', 1), provider.blamedSince('k', 2)]).toEqual([true, false]);
  });

  it('takes what meets in a window for learning while its path has become worse, for ten seconds', () => {
    const { time, world, provider } = aProvider();
    provider.changeJitter(1);
    const four = (): void => [1, 2, 3, 4].forEach(() => void provider.arrive(aCall));
    time.micros += 10 * SECOND;
    four();
    expect([world.violations.length, provider.refusedLearning]).toEqual([0, 1]);
    time.micros += SECOND;
    four();
    expect([world.violations.length, provider.refusedLearning]).toEqual([1, 1]);
  });
});

function aProvider(counting: Counting = 'sliding'): { time: VirtualTime; world: World; provider: Provider } {
  const time = new VirtualTime({ busy: false, idle: async () => undefined });
  const world = new World(time, new Chance(1));
  const provider = new Provider(world, counting, { base: 0, jitter: 0, ends: false });
  provider.setQuota('k', 3);
  return { time, world, provider };
}
