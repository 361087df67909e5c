import { parseArgs } from 'node:util';

export type Mode = 'faults' | 'budget' | 'dead-key';

export interface ChaosOptions {
  mode: Mode;
  keys: number;
  /** Calls that the run makes at least, however long the faults last. */
  calls: number;
  workers: number;
  keyServices: number;
  seed: number;
  /** Faults are spread over this time; it grows when so many freezes do not fit in. */
  minutes: number;
  /** SIGSTOPs, and the longest of them. */
  freezes: number;
  longestFreezeMs: number;
  jitterMs: number;
  json: string | undefined;
}

export const USAGE = `npm run chaos:pool -- [--keys 200] [--calls 100000] [--workers 4] [--key-services 2] [--seed 1] [--minutes 10]
                      [--freezes 220] [--longest-freeze 60] [--jitter 20] [--json FILE]
npm run chaos:pool -- --budget      FLUSHALL at half of a day's budget
npm run chaos:pool -- --dead-key    keys die while they are in use`;

export class ArgumentFault extends Error {}

/** Throws ArgumentFault: one sentence that names the option. */
export function readArguments(argv: readonly string[]): ChaosOptions {
  const text = { type: 'string' as const };
  const flag = { type: 'boolean' as const };
  const { values } = parsed(argv, {
    keys: text,
    calls: text,
    workers: text,
    'key-services': text,
    seed: text,
    minutes: text,
    freezes: text,
    'longest-freeze': text,
    jitter: text,
    json: text,
    budget: flag,
    'dead-key': flag,
  });
  const number = (name: keyof typeof values, usual: number, least: number, most: number): number => {
    const given = values[name];
    if (given === undefined) return usual;
    const value = Number(given);
    if (!(value >= least && value <= most))
      throw new ArgumentFault(`--${name} must be a number from ${least} to ${most}, not "${String(given)}"`);
    return value;
  };
  if (values.budget && values['dead-key'])
    throw new ArgumentFault('--budget and --dead-key are runs of their own: give one of them');
  const mode: Mode = values.budget ? 'budget' : values['dead-key'] ? 'dead-key' : 'faults';
  return {
    mode,
    keys: Math.floor(number('keys', mode === 'faults' ? 200 : mode === 'budget' ? 4 : 20, 1, 2000)),
    calls: Math.floor(number('calls', 100_000, 1, 10_000_000)),
    workers: Math.floor(number('workers', mode === 'faults' ? 4 : 2, 1, 16)),
    keyServices: Math.floor(number('key-services', 2, 1, 4)),
    seed: Math.floor(number('seed', 1, 0, 0x7fffffff)),
    minutes: number('minutes', 10, 0.1, 600),
    freezes: Math.floor(number('freezes', 220, 0, 10_000)),
    longestFreezeMs: number('longest-freeze', 60, 0.05, 60) * 1000,
    jitterMs: number('jitter', 20, 0, 100),
    json: values.json,
  };
}

function parsed<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(
  argv: readonly string[],
  options: T,
) {
  try {
    return parseArgs({
      args: [...argv],
      options: options as T & object,
      strict: true,
      allowPositionals: false,
    });
  } catch (error) {
    throw new ArgumentFault(`${(error as Error).message}\n${USAGE}`);
  }
}
