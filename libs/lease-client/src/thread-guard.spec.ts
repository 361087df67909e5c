import { voidCauseOf } from './slot-verdict';
import { hrNow, performanceAheadOfHr, SHARED, ThreadGuard } from './thread-guard';

function aGuard() {
  const shared = new Float64Array(SHARED.size);
  const at = { hr: 1_000, wall: 500_000 };
  const guard = new ThreadGuard(
    shared,
    40,
    () => at.hr,
    () => at.wall,
  );
  shared[SHARED.poolAheadOfHr] = 7_000;
  shared[SHARED.generation] = 3;
  const lease = { keyId: 'k', grantedAt: 7_900, expiresAt: 8_010, generation: 3, wallAhead: 500_000 - 1_040 };
  const causeOf = (of: typeof lease) => voidCauseOf(of, guard.view(of.keyId));
  return { shared, at, guard, lease, causeOf };
}

describe('the guard of the sending thread', () => {
  it('maps the pool`s clock onto the clock that threads share', () => {
    const { guard, shared } = aGuard();
    expect(guard.clock.now()).toBe(8_000);
    expect(guard.view('k')).toEqual({ now: 8_000, generation: 3, wallAhead: 498_960, news: undefined });
    shared[SHARED.poolAheadOfHr] = NaN;
    expect(guard.clock.now()).toBeNaN();
  });

  it('lets a lease through that nothing speaks against', () => {
    const { causeOf, lease } = aGuard();
    expect(causeOf(lease)).toBeUndefined();
  });

  it('voids slots of an older mapping', () => {
    const { causeOf, lease } = aGuard();
    expect(causeOf({ ...lease, generation: 2 })).toBe('clock-contradicted');
  });

  it.each([
    [50, undefined],
    [51, 'suspended'],
  ])('when the wall clock ran ahead by %s ms says %s', (ahead, cause) => {
    const { causeOf, lease, at } = aGuard();
    at.wall += ahead;
    expect(causeOf(lease)).toBe(cause);
  });

  it.each([
    [7_899, undefined],
    [7_900, 'key-state-changed'],
  ])('when the key changed at %s says %s', (before, cause) => {
    const { guard, lease, causeOf } = aGuard();
    guard.keyChanged({ keyId: 'other', state: 'invalid' }, 9_000);
    guard.keyChanged({ keyId: 'k', state: 'invalid' }, before);
    expect(causeOf(lease)).toBe(cause);
  });

  it.each([
    [1_010, undefined],
    [1_010.1, 'lease-expired'],
  ])('at %s ms says %s', (hr, cause) => {
    const { causeOf, lease, at } = aGuard();
    at.hr = hr;
    at.wall = 500_000 + hr - 1_000;
    expect(causeOf(lease)).toBe(cause);
  });

  it('knows how far the clocks of a thread lie apart', () => {
    const ahead = performanceAheadOfHr();
    expect(Math.abs(performance.now() - hrNow() - ahead)).toBeLessThan(5);
  });
});
