export class OptionFault extends Error {}

export interface FuzzOptions {
  /** At least so many requests. */
  readonly requests: number;
  readonly seed: number;
  readonly stack: string;
  readonly portBase: number | undefined;
  /** Leaves the fleet running, also when it was started for the run, and its tokens good: for a closer look. */
  readonly keep: boolean;
  /** Only operations of this service; the bar needs all. */
  readonly service: string | undefined;
}

export const USAGE =
  'npm run fuzz -- [--requests N] [--seed S] [--stack NAME] [--port-base N] [--service NAME] [--keep]\n';

const VALUED = ['requests', 'seed', 'stack', 'port-base', 'service'] as const;

/** Throws an OptionFault that names what it does not take. */
export function readOptions(argv: readonly string[]): FuzzOptions {
  const given = new Map<string, string>();
  let keep = false;
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--keep') keep = true;
    else {
      const name = VALUED.find((each) => word === `--${each}`);
      if (name === undefined) throw new OptionFault(`${word} is no option.\n${USAGE}`);
      const value = rest.shift();
      if (value === undefined) throw new OptionFault(`--${name} needs a value.\n${USAGE}`);
      given.set(name, value);
    }
  }
  const whole = (name: string, least: number, most: number): number | undefined => {
    const text = given.get(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new OptionFault(`--${name} must be a whole number from ${least} to ${most}.`);
    return value;
  };
  const stack = given.get('stack') ?? 'fuzz';
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(stack))
    throw new OptionFault('--stack must be small letters, digits and hyphens.');
  return {
    requests: whole('requests', 1, 10_000_000) ?? 20_000,
    seed: whole('seed', 0, 2 ** 32 - 1) ?? 1,
    stack,
    portBase: whole('port-base', 1024, 65_235),
    keep,
    service: given.get('service'),
  };
}
