import { parseArgs } from 'node:util';
import { ArgumentFault, portBaseOf } from '../fleet-chaos/arguments';

export interface RestartOptions {
  readonly restarts: number;
  readonly people: number;
  readonly keys: number;
  readonly seed: number;
  /** Of the measured capacity. */
  readonly share: number;
  readonly measureSeconds: number;
  readonly portBase: number | undefined;
  readonly keep: boolean;
  readonly json: string | undefined;
}

export const USAGE = `npm run drill:restarts -- [--restarts 50] [--share 0.5] [--measure-seconds 20]
      [--people 10000] [--keys 20] [--seed 1] [--port-base N] [--keep] [--json FILE]

  Two instances of every service; capacity is measured, then each process in turn is ended by SIGTERM under that share of it.`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): RestartOptions {
  const values = parsed(argv);
  if (values.help) throw new ArgumentFault(USAGE);
  const number = (
    name: 'restarts' | 'people' | 'keys' | 'seed' | 'measure-seconds',
    usual: number,
    least: number,
  ) => {
    const given = values[name];
    const value = given === undefined ? usual : Number(given);
    if (!Number.isInteger(value) || value < least)
      throw new ArgumentFault(`--${name} must be a whole number from ${least}`);
    return value;
  };
  const share = Number(values.share ?? 0.5);
  if (!(share > 0 && share <= 1)) throw new ArgumentFault('--share must be more than 0 and at most 1');
  return {
    restarts: number('restarts', 50, 1),
    people: number('people', 10_000, 10),
    keys: number('keys', 20, 2),
    seed: number('seed', 1, 0),
    share,
    measureSeconds: number('measure-seconds', 20, 1),
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
        restarts: text,
        people: text,
        keys: text,
        seed: text,
        share: text,
        'measure-seconds': text,
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
