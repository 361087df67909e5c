import { forecastOf } from './forecast';

const HOUR = 3_600_000;
const day = { limit: 'day:wall.get', calls: 5000, windowMs: 24 * HOUR };

describe('the forecast of a limit', () => {
  it('says when it is spent at the pace of the last hour', () => {
    expect(forecastOf({ ...day, spent: 4000, callsInLastHour: 500 }, 1000)).toEqual({
      ...day,
      spent: 4000,
      callsInLastHour: 500,
      left: 1000,
      spentAt: 1000 + 2 * HOUR,
    });
  });

  it('is now when nothing is left', () => {
    expect(forecastOf({ ...day, spent: 5000, callsInLastHour: 0 }, 1000)).toMatchObject({
      left: 0,
      spentAt: 1000,
    });
    expect(forecastOf({ ...day, spent: 5001, callsInLastHour: 9 }, 1000)).toMatchObject({
      left: 0,
      spentAt: 1000,
    });
  });

  it('is never when calls leave the window sooner than new ones come', () => {
    expect(forecastOf({ ...day, spent: 0, callsInLastHour: 0 }, 1000).spentAt).toBeNull();
    const pace = { calls: 2400, windowMs: 24 * HOUR, spent: 0, limit: 'day' };
    expect(forecastOf({ ...pace, callsInLastHour: 100 }, 1000).spentAt).toBe(1000 + 24 * HOUR);
    expect(forecastOf({ ...pace, callsInLastHour: 99 }, 1000).spentAt).toBeNull();
  });

  it('rounds up to a whole millisecond', () => {
    expect(forecastOf({ ...day, spent: 4999, callsInLastHour: 7 }, 0).spentAt).toBe(Math.ceil(HOUR / 7));
  });
});
