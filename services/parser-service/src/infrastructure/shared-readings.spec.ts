import { SharedReadings } from './shared-readings';

function setUp(patienceMs = 60_000) {
  let now = 0;
  const ends: ((result: string) => void)[] = [];
  const readings = new SharedReadings<string>(patienceMs, () => now);
  const take = (since?: number): Promise<string> =>
    readings.take('a', () => new Promise((resolve) => ends.push(resolve)), since);
  return { readings, take, ends, at: (ms: number) => (now = ms) };
}

describe('readings that are shared', () => {
  it('are one for all who ask while it is under way, and another one afterwards', async () => {
    const { take, ends } = setUp();
    const both = [take(), take()];
    expect(ends).toHaveLength(1);
    ends[0]?.('first');
    expect(await Promise.all(both)).toEqual(['first', 'first']);
    const next = take();
    expect(ends).toHaveLength(2);
    ends[1]?.('second');
    expect(await next).toBe('second');
  });

  it('begin anew for whom they began too early', async () => {
    const { take, ends, at } = setUp();
    at(5);
    const early = take();
    at(9);
    const [same, later, asLate] = [take(5), take(6), take(9)];
    expect(ends).toHaveLength(2);
    ends[0]?.('first');
    expect(await Promise.all([early, same])).toEqual(['first', 'first']);
    const still = take(9);
    expect(ends).toHaveLength(2);
    ends[1]?.('second');
    expect(await Promise.all([later, asLate, still])).toEqual(['second', 'second', 'second']);
  });

  it('are not waited for longer than told, and found by who asks again', async () => {
    const { take, ends } = setUp(20);
    expect(await take()).toBe('late');
    ends[0]?.('first');
    expect([await take(), ends.length]).toEqual(['first', 1]);
    const next = take();
    expect(ends).toHaveLength(2);
    ends[1]?.('second');
    expect(await next).toBe('second');
  });

  it('that fail are tried anew', async () => {
    const { readings } = setUp();
    await expect(readings.take('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await readings.take('a', async () => 'there')).toBe('there');
  });
});
