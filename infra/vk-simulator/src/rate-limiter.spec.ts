import { RateLimiter } from './rate-limiter';

describe('RateLimiter', () => {
  const verdicts = (limiter: RateLimiter, times: number[], limit = 3): string =>
    times.map((at) => (limiter.admit('key', limit, at) ? '+' : '-')).join('');

  it('holds a sliding window to the millisecond', () => {
    const limiter = new RateLimiter({ window: 'sliding', windowMs: 1000, refusedCount: false });
    expect(verdicts(limiter, [5000, 5001, 5900, 5999, 5999.999, 6000, 6000.5, 6001, 6899.9, 6900])).toBe(
      '+++--+-+-+',
    );
  });

  it('lets refused calls take a place when told so', () => {
    const limiter = new RateLimiter({ window: 'sliding', windowMs: 1000, refusedCount: true });
    expect(verdicts(limiter, [0, 1, 2, 900, 1001, 2001])).toBe('+++-++');
    expect(verdicts(limiter, [2002, 2003, 2004, 3001])).toBe('++--');
  });

  it('aligns fixed windows to the clock', () => {
    const limiter = new RateLimiter({ window: 'fixed-clock', windowMs: 1000, refusedCount: false });
    expect(verdicts(limiter, [1900, 1950, 1999, 1999.9, 2000, 2001, 2002, 2999, 3000])).toBe('+++-+++-+');
  });

  it('aligns fixed windows to the first call of the token', () => {
    const limiter = new RateLimiter({ window: 'fixed-first-call', windowMs: 1000, refusedCount: false });
    expect(verdicts(limiter, [1900, 2000, 2899, 2899.5, 2900, 2901, 2902, 3899, 4899, 4900])).toBe(
      '+++-+++-++',
    );
  });

  it('keeps buckets apart, and forgets them on reset', () => {
    const limiter = new RateLimiter({ window: 'sliding', windowMs: 1000, refusedCount: false });
    expect(limiter.admit('a', 1, 0)).toBe(true);
    expect(limiter.admit('b', 1, 0)).toBe(true);
    expect(limiter.admit('a', 1, 1)).toBe(false);
    limiter.reset();
    expect(limiter.admit('a', 1, 2)).toBe(true);
  });
});
