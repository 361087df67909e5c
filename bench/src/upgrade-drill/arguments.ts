import { parseArgs } from 'node:util';
import { ArgumentFault, portBaseOf } from '../fleet-chaos/arguments';

export interface UpgradeOptions {
  /** A tag or commit; undefined: the newest tag before this commit, or where there is none, the commit before. */
  readonly from: string | undefined;
  readonly people: number;
  readonly friendships: number;
  readonly keys: number;
  readonly perSecond: number;
  /** Between two instances. */
  readonly restMs: number;
  readonly portBase: number | undefined;
  readonly json: string | undefined;
}

export const USAGE = `npm run drill:upgrade -- [--from TAG_OR_COMMIT] [--rate 20] [--rest 3] [--keys 4]
      [--people 2000] [--friendships 6000] [--port-base N] [--json FILE]

  Starts the fleet of that commit, two instances of each service, with imports and requests through the gateway; migrates with
  the current build and puts it in place of one instance after the other. Exit code 0: no request failed, nothing was
  dead-lettered, every figure is exact.`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): UpgradeOptions {
  const values = parsed(argv);
  if (values.help) throw new ArgumentFault(USAGE);
  const whole = (name: 'people' | 'friendships' | 'keys', usual: number, least: number): number => {
    const given = values[name];
    const value = given === undefined ? usual : Number(given);
    if (!Number.isInteger(value) || value < least)
      throw new ArgumentFault(`--${name} must be a whole number from ${least}`);
    return value;
  };
  const above = (name: 'rate' | 'rest', usual: number): number => {
    const value = Number(values[name] ?? usual);
    if (!(value > 0)) throw new ArgumentFault(`--${name} must be more than 0`);
    return value;
  };
  const people = whole('people', 2_000, 10);
  return {
    from: values.from,
    people,
    friendships: whole('friendships', 3 * people, people),
    keys: whole('keys', 4, 1),
    perSecond: above('rate', 20),
    restMs: above('rest', 3) * 1000,
    portBase: portBaseOf(values['port-base']),
    json: values.json,
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: argv.filter((word) => word !== '--'),
      options: {
        from: text,
        people: text,
        friendships: text,
        keys: text,
        rate: text,
        rest: text,
        'port-base': text,
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
