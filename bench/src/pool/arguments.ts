import { parseArgs } from 'node:util';
import { chooseRows, chooseSystems, type Row } from './rows';
import type { SystemName } from './systems';

export interface BenchOptions {
  keys: number;
  workers: number;
  /** Measured, after the first 5 s: for the pool, and for everybody else. */
  seconds: number;
  peerSeconds: number;
  rounds: number;
  rows: Row[];
  systems: SystemName[];
  seed: number;
  json: string | undefined;
  check: boolean;
  /** How often a round in which the simulator lagged is played again before it is shown as it is. */
  repeats: number;
  stacks: string[];
}

/** The first seconds of a round, which are played but not counted as use; refusals count from the first call. */
export const WARM_UP_S = 5;
/** Starting and ending processes, per round. */
const SETUP_S = { ours: 9, peer: 4 };

export const HELP = `npm run bench:pool -- [options]
  --rows WORDS      rows or groups of rows, with commas: all (default), sliding, varied, fixed, workers, scenarios, jitter-20 ...
  --systems WORDS   all (default), ours, peers, tuned, bottleneck ...
  --keys N          keys of 3 calls a second (20)
  --workers N       worker processes (2)
  --seconds N       measured after the first ${WARM_UP_S} s, for ours (120); --peer-seconds N for the others (30)
  --rounds N        the worst is shown (3)
  --seed N          tokens and every delay of the network (1)
  --repeats N       a round in which the simulator lagged by more than 10 ms is played again up to N times (3)
  --quick           20 s, one round, ours and the peers at a jitter of 20 ms
  --check           exit code 1 when ours does not reach what is asked of it
  --json FILE       everything that was measured
  --stacks NAMES    stacks whose servers may be borrowed when they run (test)`;

const USUAL = {
  keys: '20',
  workers: '2',
  seconds: '120',
  'peer-seconds': '30',
  rounds: '3',
  rows: 'all',
  systems: 'all',
  seed: '1',
  repeats: '3',
  stacks: 'test',
};
const QUICK = { seconds: '20', 'peer-seconds': '20', rounds: '1', rows: 'jitter-20', systems: 'ours,peers' };

/** Reads the command line; undefined when help was asked for. Throws one sentence per fault. */
export function readOptions(argv: readonly string[]): BenchOptions | undefined {
  const text = { type: 'string' as const };
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...Object.fromEntries(Object.keys(USUAL).map((name) => [name, text])),
      json: text,
      quick: { type: 'boolean' as const },
      check: { type: 'boolean' as const },
      help: { type: 'boolean' as const, short: 'h' },
    },
    allowPositionals: false,
  }) as { values: Record<string, string | boolean | undefined> };
  if (values['help'] === true) return undefined;
  const usual: Record<string, string> = values['quick'] === true ? { ...USUAL, ...QUICK } : USUAL;
  const given = (name: string): string => String(values[name] ?? usual[name]);
  const count = (name: string, least: number, most: number): number => {
    const value = Number(given(name));
    if (!Number.isInteger(value) || value < least || value > most)
      throw new Error(`--${name} must be a whole number from ${least} to ${most}.`);
    return value;
  };
  const words = (name: string): string[] => given(name).split(',').filter(Boolean);
  return {
    keys: count('keys', 1, 1000),
    workers: count('workers', 1, 64),
    seconds: count('seconds', 5, 3600),
    peerSeconds: count('peer-seconds', 5, 3600),
    rounds: count('rounds', 1, 100),
    rows: chooseRows(words('rows')),
    systems: chooseSystems(words('systems')),
    seed: count('seed', 0, 2 ** 31),
    repeats: count('repeats', 0, 100),
    json: typeof values['json'] === 'string' ? values['json'] : undefined,
    check: values['check'] === true,
    stacks: words('stacks'),
  };
}

export interface PlannedRound {
  row: Row;
  system: SystemName;
  round: number;
  seconds: number;
  workers: number;
}

/** Every round of the run, in order: row by row, in a row system by system, in a system round by round. */
export function planOf(options: BenchOptions): PlannedRound[] {
  return options.rows.flatMap((row) =>
    options.systems
      .filter((system) => row.systems.includes(system))
      .flatMap((system) =>
        Array.from({ length: options.rounds }, (_, index) => ({
          row,
          system,
          round: index + 1,
          seconds: row.seconds ?? (system === 'ours' ? options.seconds : options.peerSeconds),
          workers: row.workers ?? options.workers,
        })),
      ),
  );
}

/** How long the plan takes when no round is repeated. */
export function secondsOf(plan: readonly PlannedRound[]): number {
  const of = ({ system, seconds }: PlannedRound): number =>
    WARM_UP_S + seconds + 1 + (system === 'ours' ? SETUP_S.ours : SETUP_S.peer);
  return plan.reduce((sum, round) => sum + of(round), 0);
}
