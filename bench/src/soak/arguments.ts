import { parseArgs } from 'node:util';
import { ArgumentFault, portBaseOf } from '../fleet-chaos/arguments';

export interface SoakOptions {
  /** Watched, after the warm-up. */
  readonly minutes: number;
  readonly warmUpMinutes: number;
  readonly measureSeconds: number;
  /** Of the measured rate. */
  readonly share: number;
  readonly people: number;
  readonly keys: number;
  readonly seed: number;
  readonly portBase: number | undefined;
  readonly keep: boolean;
  readonly json: string | undefined;
}

export const USAGE = `npm run soak -- [--minutes 30] [--warm-up 5] [--share 0.8] [--measure-seconds 30]
      [--people 5000] [--keys 20] [--seed 1] [--port-base N] [--keep] [--json FILE]

  The rate is measured first. Then refreshes of a fixed graph, reads and streams go on at a share of it.`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): SoakOptions {
  const values = parsed(argv);
  if (values.help) throw new ArgumentFault(USAGE);
  const number = (name: keyof typeof values, usual: number, least: number): number => {
    const given = values[name];
    const value = given === undefined ? usual : Number(given);
    if (!(value >= least)) throw new ArgumentFault(`--${name} must be a number from ${least}`);
    return value;
  };
  const share = number('share', 0.8, 0.01);
  if (share > 1) throw new ArgumentFault('--share must be at most 1');
  return {
    minutes: number('minutes', 30, 0.5),
    warmUpMinutes: number('warm-up', 5, 0.1),
    measureSeconds: number('measure-seconds', 30, 1),
    share,
    people: Math.floor(number('people', 5_000, 10)),
    keys: Math.floor(number('keys', 20, 1)),
    seed: Math.floor(number('seed', 1, 0)),
    portBase: portBaseOf(values['port-base']),
    keep: values.keep ?? false,
    json: values.json,
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: argv.filter((word) => word !== '--'),
      options: {
        minutes: text,
        'warm-up': text,
        'measure-seconds': text,
        share: text,
        people: text,
        keys: text,
        seed: text,
        'port-base': text,
        json: text,
        keep: flag,
        help: flag,
      },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (error) {
    throw new ArgumentFault(`${(error as Error).message}\n${USAGE}`);
  }
}
