import { missesOf, type RestartFigures, uncleanEnds } from './verdict';

const clean: RestartFigures = {
  restarts: [{ name: 'key-service-0', exitMs: 5_000, readyMs: 900 }],
  load: { sent: 1_000, succeeded: 1_000, failed: {}, perSecond: 95, p50Ms: 3, p99Ms: 20 },
  offered: 100,
  redelivered: 0,
  unclean: [],
  differences: [],
};

describe('the verdict on restarts', () => {
  it('is clean at five seconds to an exit and no failed request', () => {
    expect(missesOf(clean)).toEqual([]);
  });

  it.each<[string, Partial<RestartFigures>, string]>([
    [
      'a failed request',
      { load: { ...clean.load, failed: { '502 GET /v1/keys': 1 } } },
      '1 requests failed: 502 GET /v1/keys',
    ],
    [
      'a load that was not served',
      { load: { ...clean.load, perSecond: 94 } },
      '94 requests a second were answered, 100 were meant to be',
    ],
    ['a slow exit', { restarts: [{ name: 'x', exitMs: 5_050, readyMs: 1 }] }, 'x was gone after 5.0 s'],
    [
      'a process that stays away',
      { restarts: [{ name: 'x', exitMs: 1, readyMs: undefined }] },
      'x was not ready again',
    ],
    ['a call given out again', { redelivered: 2 }, '2 calls were given out again'],
    ['an unclean end', { unclean: ['x ended by SIGKILL'] }, 'x ended by SIGKILL'],
    ['a figure that differs', { differences: ['users is 1, not 2'] }, 'users is 1, not 2'],
  ])('names %s', (_, part, words) => {
    expect(missesOf({ ...clean, ...part })).toEqual([words]);
  });
});

it('ends that were not clean are read from the log of the supervisor', () => {
  const line = (fields: object): string => JSON.stringify({ time: 't', ...fields });
  const log = [
    line({ msg: 'Supervisor looks after the stack' }),
    line({ msg: 'Process ended and is restarted', name: 'a', how: 'exit code 0' }),
    line({ msg: 'Process ended and is restarted', name: 'b', how: 'exit code 1' }),
    line({ msg: 'Process ended and is restarted', name: 'c', how: 'SIGKILL' }),
    'half a li',
  ].join('\n');
  expect(uncleanEnds(log)).toEqual(['b ended by exit code 1', 'c ended by SIGKILL']);
});
