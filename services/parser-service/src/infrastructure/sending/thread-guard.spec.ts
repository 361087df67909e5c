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
  return { shared, at, guard, lease };
}

describe('the guard of the sending thread', () => {
  it('maps the pool`s clock onto the clock that threads share', () => {
    const { guard, shared } = aGuard();
    expect([guard.clock.now(), guard.clock.toPool(5), guard.clock.toMonotonic(7_005)]).toEqual([
      8_000, 7_005, 5,
    ]);
    shared[SHARED.poolAheadOfHr] = NaN;
    expect(guard.clock.now()).toBeNaN();
  });

  it('lets a lease through that nothing speaks against', () => {
    const { guard, lease } = aGuard();
    expect(guard.voidCause(lease)).toBeUndefined();
  });

  it('voids slots of an older mapping', () => {
    const { guard, lease } = aGuard();
    expect(guard.voidCause({ ...lease, generation: 2 })).toBe('clock-contradicted');
  });

  it.each([
    [50, undefined],
    [51, 'suspended'],
  ])('when the wall clock ran ahead by %s ms says %s', (ahead, cause) => {
    const { guard, lease, at } = aGuard();
    at.wall += ahead;
    expect(guard.voidCause(lease)).toBe(cause);
  });

  it.each([
    [7_899, undefined],
    [7_900, 'key-state-changed'],
  ])('when the key changed at %s says %s', (before, cause) => {
    const { guard, lease } = aGuard();
    guard.keyChanged('other', 9_000);
    guard.keyChanged('k', before);
    expect(guard.voidCause(lease)).toBe(cause);
  });

  it.each([
    [1_010, undefined],
    [1_010.1, 'lease-expired'],
  ])('at %s ms says %s', (hr, cause) => {
    const { guard, lease, at } = aGuard();
    at.hr = hr;
    at.wall = 500_000 + hr - 1_000;
    expect(guard.voidCause(lease)).toBe(cause);
  });

  it('knows how far the clocks of a thread lie apart', () => {
    const ahead = performanceAheadOfHr();
    expect(Math.abs(performance.now() - hrNow() - ahead)).toBeLessThan(5);
  });
});
