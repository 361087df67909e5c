import { ExecuteStopped } from './api-error';
import { CallTimes } from './call-times';

const times = (timeoutMs: number): CallTimes => new CallTimes(new Map([['wall.get', 40]]), timeoutMs);

describe('the time that calls take', () => {
  it('adds up by method, and stops an execute only when it is more than the setting', () => {
    const inside = times(80);
    for (const method of ['wall.get', 'users.get', 'wall.get']) inside.spendInside(method);
    expect(inside.total).toBe(80);
    expect(() => inside.spendInside('wall.get')).toThrow(ExecuteStopped);
    expect(inside.total).toBe(80);
  });

  it('is without bound for a single call, and everywhere when the setting is 0', () => {
    const single = times(30);
    single.spend('wall.get');
    expect(single.total).toBe(40);
    const unbounded = times(0);
    for (let n = 0; n < 25; n += 1) unbounded.spendInside('wall.get');
    expect(unbounded.total).toBe(1000);
  });
});
