import { Chance } from './chance';
import { SkewedClock } from './skewed-clock';
import { VirtualTime } from './virtual-time';

const atRest = { busy: false, idle: async () => undefined };

describe('virtual time', () => {
  it('runs events in the order of time, those of one moment as they were planned', async () => {
    const time = new VirtualTime(atRest);
    const start = time.micros;
    const seen: string[] = [];
    for (const [at, name] of [
      [50, 'd'],
      [10, 'a'],
      [20, 'b'],
      [20, 'c'],
    ] as const)
      time.after(at, () => seen.push(`${name}${time.micros - start}`));
    expect(await time.runUntil(() => false)).toBe(false);
    expect(seen).toEqual(['a10', 'b20', 'c20', 'd50']);
  });

  it('lets promises go on before the next event', async () => {
    const time = new VirtualTime(atRest);
    const seen: string[] = [];
    time.after(1, () => {
      void Promise.resolve().then(async () => {
        await Promise.resolve();
        seen.push('promise');
      });
      time.woke();
    });
    time.after(2, () => seen.push('event'));
    expect(await time.runUntil(() => seen.length === 2)).toBe(true);
    expect(seen).toEqual(['promise', 'event']);
  });

  it('plans nothing for no time at all', () => {
    expect(() => new VirtualTime(atRest).at(NaN, () => undefined)).toThrow('no time at all');
  });

  it('gives machines clocks of their own', () => {
    const time = new VirtualTime(atRest);
    const clock = new SkewedClock(time, { wallAheadMs: 500, drift: 0.5, upForMs: 0 });
    expect(clock.nowMs()).toBe(time.micros / 1000 + 500);
    time.micros += 10_000_000;
    expect(clock.monotonicMs()).toBeCloseTo(10_005, 6);
    expect(clock.whenShows(10_005)).toBeCloseTo(time.micros, -1);
    clock.slept(10_000_000);
    expect(clock.monotonicMs()).toBeCloseTo(0, 6);
    clock.stepWall(-500);
    expect(clock.nowMs()).toBe(time.micros / 1000);
  });

  it('draws the same for the same seed', () => {
    const draw = (seed: number) => {
      const chance = new Chance(seed);
      return [chance.next(), chance.whole(1, 6), chance.pick(['a', 'b']), chance.spread(1, 1000)];
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });
});
