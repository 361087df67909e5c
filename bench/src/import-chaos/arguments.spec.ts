import { ArgumentFault } from '../fleet/drill-arguments';
import { readArguments } from './arguments';

describe('the options of chaos:import', () => {
  it('are those of the bar unless told', () => {
    expect(readArguments([])).toEqual({
      people: 60_000,
      friendships: 240_000,
      keys: 20,
      kills: 100,
      pauseMs: [5_000, 10_000],
      storm: undefined,
      measure: undefined,
      stormSeconds: 60,
      scale: 1,
      seed: 1,
      json: undefined,
    });
  });

  it('are read', () => {
    expect(readArguments(['--', '--storm', 'six', '--every', '0.5-2', '--kills', '3'])).toMatchObject({
      storm: 'six',
      pauseMs: [500, 2_000],
      kills: 3,
    });
  });

  it('name what is measured', () => {
    expect(readArguments(['--measure', 'beside', '--keys', '2'])).toMatchObject({
      measure: 'beside',
      keys: 2,
    });
  });

  it.each([
    [['--kills', '0'], '--kills must be a whole number from 1'],
    [['--people', '5'], '--people must be a whole number from 10'],
    [['--people', '100', '--friendships', '99'], '--friendships must be a whole number from 100'],
    [['--every', '10-5'], '--every must be a range of seconds like 5-10'],
    [['--every', '5'], '--every must be a range of seconds like 5-10'],
    [['--storm', 'rain'], '--storm must be one of six, keys, answers'],
    [['--measure', 'rain'], '--measure must be one of pace, beside'],
    [['--measure', 'pace', '--storm', 'six'], '--measure and --storm exclude each other'],
  ])('%j are refused, naming the option', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(new ArgumentFault(message));
  });
});
