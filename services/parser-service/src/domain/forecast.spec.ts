import { packSizes } from '../../test/builders';
import { forecast, type ForecastInput } from './forecast';
import { USUAL_SCOPE } from './import-scope';

const SIZES = packSizes({
  lists: { most: 25 },
  profiles: { most: 1_000 },
  groups: { most: 25 },
  subscriptions: { most: 25 },
  'group-profiles': { most: 500 },
  members: { most: 25 },
  names: { most: 25 },
  walls: { most: 25, first: 5 },
});
const input: ForecastInput = {
  people: 1,
  groups: 0,
  names: 0,
  scope: USUAL_SCOPE,
  depth: null,
  peopleLimit: null,
  callsLimit: null,
  keyCallsPerSecond: 3,
  callsPerSecond: 60,
};

describe('a forecast', () => {
  it.each<[string, Partial<ForecastInput>, unknown]>([
    ['one seed without limits', {}, { calls: 2, keyTimeMs: 667, etaMs: 34 }],
    ['26 seeds', { people: 26 }, { calls: 3, keyTimeMs: 1_000, etaMs: 50 }],
    ['a limit of people', { peopleLimit: 4_039 }, { calls: 167, keyTimeMs: 55_667, etaMs: 2_784 }],
    ['depth 1 with that limit', { depth: 1, peopleLimit: 4_039 }, { calls: 6, keyTimeMs: 2_000, etaMs: 100 }],
    ['depth 2 with that limit', { depth: 2, peopleLimit: 50 }, { calls: 3, keyTimeMs: 1_000, etaMs: 50 }],
    ['depth 0', { depth: 0, people: 30 }, { calls: 1, keyTimeMs: 334, etaMs: 17 }],
    ['a limit of calls', { peopleLimit: 4_039, callsLimit: 10 }, { calls: 10, keyTimeMs: 3_334, etaMs: 167 }],
    ['a limit of calls above the need', { callsLimit: 10 }, { calls: 2, keyTimeMs: 667, etaMs: 34 }],
    ['half a call a second', { callsPerSecond: 0.5 }, { calls: 2, keyTimeMs: 667, etaMs: 4_000 }],
    ['no key', { callsPerSecond: 0 }, { calls: 2, keyTimeMs: 667, etaMs: null }],
  ])('of %s is a lower bound', (_name, changes, expected) => {
    expect(forecast({ ...input, ...changes }, SIZES)).toEqual(expected);
  });

  const asked = (...include: ForecastInput['scope']['include']): Partial<ForecastInput> => ({
    scope: { ...USUAL_SCOPE, include },
  });

  it.each<[string, Partial<ForecastInput>, number]>([
    ['profiles alone', { people: 1_001, ...asked('profiles') }, 2],
    ['profiles alone, the limit of people apart', { peopleLimit: 5_000, ...asked('profiles') }, 1],
    ['groups of 26 people', { people: 26, ...asked('groups') }, 3],
    ['subscriptions of 26 people', { people: 26, ...asked('subscriptions') }, 3],
    ['walls of 11 people', { people: 11, ...asked('walls') }, 4],
    ['lists and walls of people up to a limit', { peopleLimit: 50, ...asked('friends', 'walls') }, 13],
    ['26 names', { people: 0, names: 26, ...asked('profiles') }, 3],
    ['501 groups', { people: 0, groups: 501, ...asked('profiles') }, 2],
    ['members of 26 groups', { people: 0, groups: 26, ...asked('members') }, 3],
    ['members up to a limit of people', { people: 0, groups: 1, peopleLimit: 2_000, ...asked('members') }, 4],
    ['walls of 6 groups', { people: 0, groups: 6, ...asked('walls') }, 3],
  ])('counts the calls of %s', (_name, changes, calls) => {
    expect(forecast({ ...input, ...changes }, SIZES).calls).toBe(calls);
  });
});
