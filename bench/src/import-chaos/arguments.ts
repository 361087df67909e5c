import { parseArgs } from 'node:util';

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

export class ArgumentFault extends Error {}

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): ImportChaosOptions {
  const values = parsed(argv);
  if (values.help) throw new ArgumentFault(USAGE);
  const number = (name: keyof typeof values, usual: number, least: number): number => {
    const given = values[name];
    const value = given === undefined ? usual : Number(given);
    if (!Number.isInteger(value) || value < least)
      throw new ArgumentFault(`--${name} must be a whole number from ${least}`);
    return value;
  };
  const storm = values.storm === undefined ? undefined : STORMS.find((one) => one === values.storm);
  if (values.storm !== undefined && storm === undefined)
    throw new ArgumentFault(`--storm must be one of ${STORMS.join(', ')}`);
  const measure = values.measure === undefined ? undefined : MEASURES.find((one) => one === values.measure);
  if (values.measure !== undefined && measure === undefined)
    throw new ArgumentFault(`--measure must be one of ${MEASURES.join(', ')}`);
  if (measure !== undefined && storm !== undefined)
    throw new ArgumentFault('--measure and --storm exclude each other');
  const people = number('people', 60_000, 10);
  const friendships = number('friendships', 240_000, people);
  return {
    people,
    friendships,
    keys: number('keys', 20, 1),
    kills: number('kills', 100, 1),
    pauseMs: pauseOf(values.every ?? '5-10'),
    storm,
    measure,
    stormSeconds: number('storm-seconds', 60, 1),
    scale: number('scale', 1, 1),
    seed: number('seed', 1, 0),
    json: values.json,
  };
}

/** "5-10" -> [5000, 10000]. */
function pauseOf(text: string): [number, number] {
  const [, least = '', most = ''] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (least === '' || Number(least) > Number(most))
    throw new ArgumentFault('--every must be a range of seconds like 5-10');
  return [Number(least) * 1000, Number(most) * 1000];
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: argv.filter((word) => word !== '--'),
      options: {
        people: text,
        friendships: text,
        keys: text,
        kills: text,
        every: text,
        storm: text,
        measure: text,
        'storm-seconds': text,
        scale: text,
        seed: text,
        json: text,
        help: { type: 'boolean' },
      },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (error) {
    throw new ArgumentFault(`${(error as Error).message}\n${USAGE}`);
  }
}
