import { Cleanup } from '../src/fleet/cleanup';
import { KeyServiceHome } from '../src/fleet/key-service-home';
import { playRound, type RoundResult } from '../src/pool/round';
import { chooseRows } from '../src/pool/rows';

jest.setTimeout(150_000);

/** Beyond it the simulator itself was late, and what it refused says nothing. */
const MOST_LAG_MS = 10;
const TRIES = 3;

describe('one round of bench:pool', () => {
  const cleanup = new Cleanup();
  afterAll(() => cleanup.run());

  it('plays ours with 4 keys at a jitter of 20 ms: nothing is refused, every key is used', async () => {
    const home = await KeyServiceHome.make(process.env as Record<string, string>);
    cleanup.add(() => home.close());
    const [row] = chooseRows(['jitter-20']);
    const plan = { row: row!, system: 'ours' as const, round: 1, seconds: 8, workers: 2 };
    let result: RoundResult | undefined;
    for (let tries = 0; tries < TRIES; tries += 1) {
      result = await playRound({ plan, keys: 4, seed: 7, home }, cleanup);
      if (result.lagMs.max <= MOST_LAG_MS) break;
    }
    const { used, served, refused, leaseMs, leasesPerSecond } = result!;
    expect(refused).toBe(0);
    // What a busy machine leaves of it; the bench says what a quiet one does.
    expect(used).toBeGreaterThan(0.6);
    expect(used).toBeLessThan(1.01);
    expect(served).toBeGreaterThan(60);
    expect(leasesPerSecond).toBeGreaterThan(6);
    expect(leaseMs.p99).toBeGreaterThanOrEqual(leaseMs.p50);
  });
});
