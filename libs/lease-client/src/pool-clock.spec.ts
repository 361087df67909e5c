import { fakeClock } from '@sociograph/testing';
import { PoolClock } from './pool-clock';

function setUp() {
  const clock = fakeClock();
  return { clock, pool: new PoolClock({ clock }) };
}

describe("the pool's clock on a worker", () => {
  it('is not a number before the first exchange', () => {
    const { pool } = setUp();
    expect(pool.now()).toBeNaN();
    expect(pool.errorMs).toBe(Infinity);
    expect(pool.generation).toBe(0);
  });

  it('stands at the middle of the exchange, off by half of the round trip at most', () => {
    const { clock, pool } = setUp();
    clock.advance(10);
    expect(pool.observe(0, 10, 5_005)).toBe(true);
    expect(pool.now()).toBe(5_010);
    expect(pool.errorMs).toBe(5);
    expect(pool.toPool(3)).toBe(5_003);
    expect(pool.toMonotonic(5_003)).toBe(3);
  });

  it('goes by the shortest round trip, whichever came first', () => {
    const { clock, pool } = setUp();
    clock.advance(100);
    pool.observe(0, 10, 5_006);
    pool.observe(20, 22, 5_021);
    pool.observe(30, 50, 5_045);
    expect(pool.errorMs).toBe(1);
    expect(pool.toPool(0)).toBe(5_000);
  });

  it('forgets a round trip after 10 s, not before', () => {
    const { clock, pool } = setUp();
    pool.observe(0, 2, 5_001);
    pool.observe(10, 20, 5_018);
    clock.advance(10_002);
    expect(pool.errorMs).toBe(1);
    clock.advance(1);
    expect(pool.errorMs).toBe(5);
    expect(pool.toPool(0)).toBe(5_003);
  });

  it('keeps the newest reading however old it is', () => {
    const { clock, pool } = setUp();
    pool.observe(0, 2, 5_001);
    clock.advance(60_000);
    expect(pool.now()).toBe(65_000);
  });

  it('begins anew when a reply contradicts it by more than 20 ms', () => {
    const { pool } = setUp();
    pool.observe(0, 2, 5_001);
    // Half trips of 1 and 2 ms on top of the 20.
    expect(pool.observe(10, 14, 5_012 + 23)).toBe(true);
    expect(pool.generation).toBe(0);
    expect(pool.observe(10, 14, 5_012 + 23.5)).toBe(false);
    expect(pool.generation).toBe(1);
    expect(pool.toPool(0)).toBe(5_023.5);
    expect(pool.errorMs).toBe(2);
  });

  it('begins anew for a pool that went back as well', () => {
    const { pool } = setUp();
    pool.observe(0, 2, 5_001);
    expect(pool.observe(10, 14, 5_012 - 23.5)).toBe(false);
    expect(pool.generation).toBe(1);
  });
});
