import { RestartPolicy } from './restart-policy';

describe('RestartPolicy', () => {
  it('waits 0.2 s first, twice as long after each quick death, and never more than 5 s', () => {
    const policy = new RestartPolicy();
    const delays = [0, 1, 2, 3, 4, 5, 6].map((death) => policy.died(death * 1000, 100));
    expect(delays).toEqual(
      [200, 400, 800, 1600, 3200, 5000, 5000].map((delayMs) => ({ kind: 'restart', delayMs })),
    );
  });

  it('starts the ladder anew once a process lived ten seconds', () => {
    const policy = new RestartPolicy();
    policy.died(0, 100);
    policy.died(1000, 100);
    expect(policy.died(12_000, 9_999)).toEqual({ kind: 'restart', delayMs: 800 });
    expect(policy.died(22_000, 10_000)).toEqual({ kind: 'restart', delayMs: 200 });
  });

  it('gives up at the tenth death within a minute', () => {
    const policy = new RestartPolicy();
    for (let death = 0; death < 9; death += 1) expect(policy.died(death * 1000, 100).kind).toBe('restart');
    expect(policy.died(9000, 100)).toEqual({ kind: 'give-up', deaths: 10 });
  });

  it('no longer counts a death that is a minute old', () => {
    const policy = new RestartPolicy();
    for (let death = 0; death < 9; death += 1) policy.died(death, 100);
    expect(policy.died(60_000, 100).kind).toBe('restart');
    const strict = new RestartPolicy();
    for (let death = 0; death < 9; death += 1) strict.died(death + 1, 100);
    expect(strict.died(60_000, 100).kind).toBe('give-up');
  });

  it('forgets what was when a person starts the process by hand', () => {
    const policy = new RestartPolicy();
    for (let death = 0; death < 9; death += 1) policy.died(death, 100);
    policy.forget();
    expect(policy.died(10, 100)).toEqual({ kind: 'restart', delayMs: 200 });
  });
});
