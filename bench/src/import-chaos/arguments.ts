import { ArgumentFault, DrillArguments } from '../fleet/drill-arguments';

export const STORMS = ['six', 'keys', 'answers'] as const;
export type Storm = (typeof STORMS)[number];

export const MEASURES = ['pace', 'beside'] as const;
export type Measure = (typeof MEASURES)[number];

export interface ImportChaosOptions {
  readonly people: number;
  readonly friendships: number;
  readonly keys: number;
  readonly kills: number;
  /** Between two kills, drawn anew each time. */
  readonly pauseMs: readonly [number, number];
  readonly storm: Storm | undefined;
  /** Nothing is done to the fleet: how fast it is, or how a small import fares beside a large one. */
  readonly measure: Measure | undefined;
  readonly stormSeconds: number;
  readonly scale: number;
  readonly seed: number;
  readonly json: string | undefined;
}

export const USAGE = `npm run chaos:import -- [--kills 100] [--every 5-10]
npm run chaos:import -- --storm six|keys|answers [--storm-seconds 60]
npm run chaos:import -- --measure pace|beside
      [--people 60000] [--friendships 240000] [--keys 20] [--scale 1] [--seed 1] [--json FILE]

  Without --storm processes of the fleet are killed while imports run, one after the other, until so many died.
  six      30 % of all requests are answered with error 6
  keys     a quarter of the keys dies (error 5)
  answers  502, broken connections and truncated answers, 5 % of each
  Nothing happens to the fleet with --measure:
  pace     how full calls are, quota in use, lists a second, estimates, stages of a call (--keys 1: of one key)
  beside   10 items of one workspace alone and beside 1,000 of another, on the same keys`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): ImportChaosOptions {
  const given = new DrillArguments(argv, {
    usage: USAGE,
    texts: [
      ...(['people', 'friendships', 'keys', 'kills', 'every', 'storm', 'measure', 'storm-seconds'] as const),
      ...(['scale', 'seed', 'json'] as const),
    ],
  });
  const storm = oneOf('storm', given.text('storm'), STORMS);
  const measure = oneOf('measure', given.text('measure'), MEASURES);
  if (measure !== undefined && storm !== undefined)
    throw new ArgumentFault('--measure and --storm exclude each other');
  const people = given.whole('people', 60_000, 10);
  return {
    people,
    friendships: given.whole('friendships', 240_000, people),
    keys: given.whole('keys', 20, 1),
    kills: given.whole('kills', 100, 1),
    pauseMs: pauseOf(given.text('every') ?? '5-10'),
    storm,
    measure,
    stormSeconds: given.whole('storm-seconds', 60, 1),
    scale: given.whole('scale', 1, 1),
    seed: given.whole('seed', 1, 0),
    json: given.text('json'),
  };
}

function oneOf<Word extends string>(
  name: string,
  given: string | undefined,
  words: readonly Word[],
): Word | undefined {
  const word = words.find((one) => one === given);
  if (given !== undefined && word === undefined)
    throw new ArgumentFault(`--${name} must be one of ${words.join(', ')}`);
  return word;
}

/** "5-10" -> [5000, 10000]. */
function pauseOf(text: string): [number, number] {
  const [, least = '', most = ''] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (least === '' || Number(least) > Number(most))
    throw new ArgumentFault('--every must be a range of seconds like 5-10');
  return [Number(least) * 1000, Number(most) * 1000];
}
