import { parseArgs } from 'node:util';

export interface DemoArguments {
  graphFile: string | undefined;
  keys: number;
  depth: number | undefined;
}

/** A wrong argument: one sentence for the person at the terminal, exit code 1, no stack trace. */
export class DemoRefused extends Error {
  override readonly name = 'DemoRefused';
}

export const USAGE = `npm run demo -- [--graph FILE] [--keys N] [--depth D]

  --graph FILE  an edge list: two ids a line, separated by spaces, tabs or commas; gzip too
                (default: ego-Facebook, 4,039 people)
  --keys N      API keys in the pool, 1 to 1000 (default 20)
  --depth D     1 to 32 steps from the seeds (default: until nothing new is found)`;

/** Reads the command line of the demo; whatever it does not know is refused. */
export function demoArguments(argv: string[]): DemoArguments | 'help' {
  let values: { graph?: string; keys?: string; depth?: string; help?: boolean };
  try {
    ({ values } = parseArgs({
      args: argv,
      options: {
        graph: { type: 'string' },
        keys: { type: 'string' },
        depth: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    throw new DemoRefused(`${(error as Error).message}\n\n${USAGE}`);
  }
  if (values.help) return 'help';
  return {
    graphFile: values.graph,
    keys: wholeNumber('--keys', values.keys ?? '20', 1, 1000),
    depth: values.depth === undefined ? undefined : wholeNumber('--depth', values.depth, 1, 32),
  };
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new DemoRefused(`${option} takes a whole number from ${min} to ${max}, not "${text}".`);
}
