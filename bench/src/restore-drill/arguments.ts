import { parseArgs } from 'node:util';
import { ArgumentFault } from '../fleet/drill-arguments';

export interface DrillOptions {
  /** An edge list; undefined: one is made up of so many people and friendships. */
  readonly graph: string | undefined;
  readonly people: number;
  readonly friendships: number;
  readonly keys: number;
  /** Share of the friend lists that are read when the backup begins. */
  readonly backupAt: number;
  /** How long the fleet goes on after the backup before everything is lost. */
  readonly goOnMs: number;
  readonly portBase: number;
  readonly json: string | undefined;
}

export const USAGE = `npm run drill:restore -- [--people 12000] [--friendships 48000] [--graph FILE] [--keys 1]
      [--backup-at 0.1] [--go-on 5] [--port-base 32000] [--json FILE]

  Imports a graph, backs up in the middle of it, goes on for so many seconds and erases a person, kills everything and
  wipes it, restores into empty servers and lets the import end there. Exit code 0 when every figure is exact.`;

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): DrillOptions {
  const values = parsed(argv);
  if (values.help) throw new ArgumentFault(USAGE);
  const number = (
    name: 'people' | 'friendships' | 'keys' | 'backup-at' | 'go-on' | 'port-base',
    usual: number,
    least: number,
    most: number,
  ) => {
    const given = values[name];
    const value = given === undefined ? usual : Number(given);
    if (!(value >= least && value <= most))
      throw new ArgumentFault(`--${name} must be a number from ${least} to ${most}, not "${given}"`);
    return value;
  };
  const people = Math.round(number('people', 12_000, 10, 1_000_000));
  return {
    graph: values.graph,
    people,
    friendships: Math.round(number('friendships', 4 * people, people, 10_000_000)),
    keys: Math.round(number('keys', 1, 1, 1000)),
    backupAt: number('backup-at', 0.1, 0, 0.9),
    goOnMs: number('go-on', 5, 0, 3600) * 1000,
    portBase: Math.round(number('port-base', 32_000, 1024, 65_235)),
    json: values.json,
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: argv.filter((word) => word !== '--'),
      options: {
        graph: text,
        people: text,
        friendships: text,
        keys: text,
        'backup-at': text,
        'go-on': text,
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
