import { parseArgs } from 'node:util';
import { type Cell, chosenBy, KINDS, MATRIX, PROCESSES, SERVERS } from './fault-plan';

export interface FleetChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly faults: readonly Cell[];
  readonly people: number;
  readonly friendships: number;
  readonly keys: number;
  readonly portBase: number | undefined;
  readonly keep: boolean;
  readonly json: string | undefined;
}

export const USAGE = `npm run chaos:fleet -- [--seed 1] [--minutes 10] [--faults kill,stall:kafka,parser-service]
      [--people 20000] [--friendships 60000] [--keys 20] [--port-base N] [--keep] [--json FILE]

  --faults   kinds, targets or kind:target; all unless told
             kinds: ${KINDS.join(', ')}
             targets: ${[...PROCESSES, ...SERVERS].join(', ')}
  --keep     the stack "drills" stays on disk with its logs`;

export class ArgumentFault extends Error {}

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): FleetChaosOptions {
  const values = parsed(argv);
  if (values.help) throw new ArgumentFault(USAGE);
  const number = (name: 'seed' | 'people' | 'friendships' | 'keys', usual: number, least: number): number => {
    const given = values[name];
    const value = given === undefined ? usual : Number(given);
    if (!Number.isInteger(value) || value < least)
      throw new ArgumentFault(`--${name} must be a whole number from ${least}`);
    return value;
  };
  const minutes = Number(values.minutes ?? 10);
  if (!(minutes > 0)) throw new ArgumentFault('--minutes must be more than 0');
  const people = number('people', 20_000, 10);
  return {
    seed: number('seed', 1, 0),
    minutes,
    faults: values.faults === undefined ? MATRIX : faultsIn(values.faults),
    people,
    friendships: number('friendships', 3 * people, people),
    keys: number('keys', 20, 1),
    portBase: portBaseOf(values['port-base']),
    keep: values.keep ?? false,
    json: values.json,
  };
}

export function portBaseOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const base = Number(text);
  if (!Number.isInteger(base) || base < 1024 || base > 65_235)
    throw new ArgumentFault('--port-base must be a number from 1024 to 65235');
  return base;
}

/** What any of the words chooses, each once. */
function faultsIn(text: string): Cell[] {
  const chosen = text.split(',').flatMap((word) => {
    const cells = chosenBy(word);
    if (cells.length === 0) throw new ArgumentFault(`--faults: "${word}" is no kind, target or kind:target`);
    return cells;
  });
  return MATRIX.filter((cell) => chosen.includes(cell));
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: argv.filter((word) => word !== '--'),
      options: {
        seed: text,
        minutes: text,
        faults: text,
        people: text,
        friendships: text,
        keys: text,
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
