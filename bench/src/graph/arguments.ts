import { parseArgs } from 'node:util';

export const PARTS = ['changes', 'freshness', 'rebuild', 'queries'] as const;
export type Part = (typeof PARTS)[number];

/** What `npm run bench:graph` may be told. */
export interface GraphBenchArguments {
  readonly parts: readonly Part[];
  /** People of the world that the fleet holds, 50 friends each: 25 friendships a person. */
  readonly people: number;
  readonly rate: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  /** Of the graph of the parts that need no fleet. */
  readonly friendships: number;
  readonly changes: number;
  readonly seed: number;
  /** A fleet that runs already; undefined: one of our own. */
  readonly stack: string | undefined;
  readonly json: string | undefined;
  readonly check: boolean;
}

export class ArgumentFault extends Error {}

export const USAGE = `npm run bench:graph -- [options]
  --parts A,B        of changes, freshness, rebuild, queries (all)
  --people N         in the fleet's graph, 50 friends each (52000: 1.3 million friendships)
  --rate N           lists a second while freshness is measured (2000)
  --warm-up N        seconds before it is (30)
  --seconds N        for which it is (120), half as long again with long lists mixed in
  --friendships N    of the generated graph of changes and queries (1300000)
  --changes N        adds and removals there (1000000)
  --seed N           of all graphs (1)
  --stack NAME       a fleet that runs already, instead of one of our own
  --json FILE        writes the figures there as well
  --check            exit code 1 when a bar is missed`;

export function graphBenchArguments(argv: readonly string[]): GraphBenchArguments {
  const values = parsed(argv);
  if (values.help) throw new ArgumentFault(USAGE);
  const count = (name: keyof typeof values, usual: number, least: number): number => {
    const value = Number(values[name] ?? usual);
    if (!Number.isInteger(value) || value < least)
      throw new ArgumentFault(`--${name} must be a whole number from ${least}`);
    return value;
  };
  const wanted = (values.parts ?? PARTS.join(',')).split(',');
  const unknown = wanted.find((part) => !(PARTS as readonly string[]).includes(part));
  if (unknown !== undefined) throw new ArgumentFault(`--parts: ${unknown} is none of ${PARTS.join(', ')}`);
  return {
    parts: PARTS.filter((part) => wanted.includes(part)),
    people: count('people', 52_000, 200),
    rate: count('rate', 2_000, 50),
    warmUpSeconds: count('warm-up', 30, 0),
    seconds: count('seconds', 120, 1),
    friendships: count('friendships', 1_300_000, 1_000),
    changes: count('changes', 1_000_000, 1),
    seed: count('seed', 1, 0),
    stack: values.stack,
    json: values.json,
    check: values.check ?? false,
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: argv.filter((word) => word !== '--'),
      options: {
        ...{ parts: text, people: text, rate: text, 'warm-up': text, seconds: text, friendships: text },
        ...{ changes: text, seed: text, stack: text, json: text, check: flag, help: flag },
      },
      strict: true,
      allowPositionals: false,
    }).values;
  } catch (error) {
    throw new ArgumentFault(`${(error as Error).message}\n${USAGE}`);
  }
}
