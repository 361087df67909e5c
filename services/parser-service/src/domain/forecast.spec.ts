import { forecast } from './forecast';

const SIZES = { lists: 25, profiles: 1_000 };
const input = {
  seeds: 1,
  depth: null,
  peopleLimit: null,
  callsLimit: null,
  keyCallsPerSecond: 3,
  callsPerSecond: 60,
};

describe('a forecast', () => {
  it.each([
    ['one seed without limits', {}, { calls: 2, keyTimeMs: 667, etaMs: 34 }],
    ['26 seeds', { seeds: 26 }, { calls: 3, keyTimeMs: 1_000, etaMs: 50 }],
    ['a limit of people', { peopleLimit: 4_039 }, { calls: 167, keyTimeMs: 55_667, etaMs: 2_784 }],
    ['depth 1 with that limit', { depth: 1, peopleLimit: 4_039 }, { calls: 6, keyTimeMs: 2_000, etaMs: 100 }],
    ['depth 2 with that limit', { depth: 2, peopleLimit: 50 }, { calls: 3, keyTimeMs: 1_000, etaMs: 50 }],
    ['depth 0', { depth: 0, seeds: 30 }, { calls: 1, keyTimeMs: 334, etaMs: 17 }],
    ['a limit of calls', { peopleLimit: 4_039, callsLimit: 10 }, { calls: 10, keyTimeMs: 3_334, etaMs: 167 }],
    ['a limit of calls above the need', { callsLimit: 10 }, { calls: 2, keyTimeMs: 667, etaMs: 34 }],
    ['half a call a second', { callsPerSecond: 0.5 }, { calls: 2, keyTimeMs: 667, etaMs: 4_000 }],
    ['no key', { callsPerSecond: 0 }, { calls: 2, keyTimeMs: 667, etaMs: null }],
  ])('of %s is a lower bound', (_name, changes, expected) => {
    expect(forecast({ ...input, ...changes }, SIZES)).toEqual(expected);
  });
});
