import type { GraphStatistics } from '@sociograph/graph-file';
import { differences, missesOfKills, missesOfStorm, type Round, type StormFigures } from './verdict';

const round: Round = {
  killed: { 'parser-service-0': 2, gateway: 1 },
  state: 'completed',
  differences: [],
  repeatedLists: 600,
  gaps: [],
  seconds: 60,
};
const storm: StormFigures = {
  state: 'completed',
  differences: [],
  gaps: [],
  callsMade: 120,
  callsNeeded: 60,
  callsHit: 40,
  quotaBefore: 0.2,
  quotaAfter: 0.95,
  dead: 0,
};

describe('the verdict on kills', () => {
  it('is clean at twelve calls of 25 lists a kill of a parser', () => {
    expect(missesOfKills([round], 0, 0)).toEqual([]);
  });

  it.each<[string, Partial<Round>, string]>([
    [
      'one list more',
      { repeatedLists: 601 },
      'import 1: 601 lists were fetched twice, 600 may be after 2 kills of parsers',
    ],
    [
      'a list after other kills',
      { killed: { gateway: 3 }, repeatedLists: 1 },
      'import 1: 1 lists were fetched twice, 0 may be after 0 kills of parsers',
    ],
    ['an import that failed', { state: 'failed' }, 'import 1: it is failed'],
    ['another figure', { differences: ['users is 3, not 4'] }, 'import 1: users is 3, not 4'],
    [
      'a gap',
      { gaps: [{ what: 'list', cause: 'gave-up', count: 2, people: [] }] },
      'import 1: gap: 2 of list, gave-up',
    ],
  ])('names %s', (_, part, words) => {
    expect(missesOfKills([{ ...round, ...part }], 0, 0)).toEqual([words]);
  });

  it('names dead letters and refusals', () => {
    expect(missesOfKills([round], 2, 3)).toEqual([
      '2 messages and records in dead queues',
      '3 calls were refused by the limit',
    ]);
  });
});

describe('the verdict on a storm', () => {
  it('is clean at a fifth more calls than needed and hit, with 95 % of the quota back', () => {
    expect(missesOfStorm(storm)).toEqual([]);
  });

  it.each<[string, Partial<StormFigures>, string]>([
    ['more calls', { callsMade: 121 }, '121 calls were made, 1.21 times what was needed and hit'],
    ['less of the quota', { quotaAfter: 0.949 }, '94.9 % of the quota is used 10 s after the storm'],
    [
      'an import that was too short',
      { quotaAfter: NaN },
      'the import was over before 10 s after the storm: more people',
    ],
    ['a pause', { state: 'paused' }, 'the import is paused'],
    ['dead letters', { dead: 1 }, '1 messages and records in dead queues'],
  ])('names %s', (_, part, words) => {
    expect(missesOfStorm({ ...storm, ...part })).toEqual([words]);
  });
});

it('every figure that differs is named with both values', () => {
  const expected = {
    users: 4,
    friendships: 3,
    triangles: 1,
    components: 2,
    largestComponent: 3,
    averageClustering: 0.75,
    transitivity: 1,
  } as GraphStatistics;
  const summary = {
    users: 4,
    friendships: 3,
    triangles: 1,
    components: { count: 2, largest: 3 },
    averageClustering: 0.75,
    transitivity: 1,
    closedTriangleFraction: 1,
  };
  expect(differences(summary, expected)).toEqual([]);
  const other = { ...summary, users: 5, components: { count: 1, largest: 4 }, averageClustering: 0.750001 };
  expect(differences(other, expected)).toEqual([
    'users is 5, not 4',
    'components is 1, not 2',
    'largest component is 4, not 3',
    'average clustering is 0.750001, not 0.75',
  ]);
});
