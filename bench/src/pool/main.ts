import { writeFileSync } from 'node:fs';
import { Cleanup, cleanUpOnSignals } from '../fleet/cleanup';
import { KeyServiceHome } from '../fleet/key-service-home';
import { borrowServers } from '../fleet/servers';
import {
  type BenchOptions,
  HELP,
  planOf,
  type PlannedRound,
  readOptions,
  secondsOf,
  WARM_UP_S,
} from './arguments';
import { SHIFT } from './rows';
import { playRound, type RoundResult, WINDOW_MS } from './round';
import { describe, LEGEND, tableOf } from './table';
import { titleOf } from './systems';
import { faultsOf } from './verdict';
import { type Line, worstOf } from './worst';

/** A round in which the simulator's event loop lagged by more (ms) says nothing about a limiter. */
const MOST_LAG_MS = 10;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    say(HELP);
    return 0;
  }
  const plan = planOf(options);
  if (plan.length === 0) throw new Error('Nothing to do: these rows are for ours alone.');
  say(announcement(options, plan));
  const cleanup = new Cleanup();
  cleanUpOnSignals(cleanup);
  try {
    const home = plan.some(({ system }) => system === 'ours') ? await homeFor(options, cleanup) : undefined;
    const lines: Line[] = [];
    const all: { result: RoundResult; kept: boolean }[] = [];
    for (const group of grouped(plan)) {
      const { results, repeats } = await playGroup(group, options, home, cleanup, all);
      const line = worstOf(results, repeats, WINDOW_MS);
      lines.push(line);
      say(sentence(line));
    }
    say(`\n${tableOf(lines)}\n\n${LEGEND}`);
    const faults = faultsOf(lines);
    if (options.check) say(faults.length === 0 ? '\nEverything asked is reached.' : `\n${faults.join('\n')}`);
    if (options.json !== undefined)
      writeFileSync(options.json, JSON.stringify({ lines, rounds: all }, null, 1));
    return options.check && faults.length > 0 ? 1 : 0;
  } finally {
    await cleanup.run();
  }
}

async function homeFor(options: BenchOptions, cleanup: Cleanup): Promise<KeyServiceHome> {
  const servers = await borrowServers(options.stacks, 'bench');
  cleanup.add(() => servers.stop());
  const home = await KeyServiceHome.make(servers.env);
  cleanup.add(() => home.close());
  return home;
}

/** Rounds that end up in one line of the table. */
function grouped(plan: readonly PlannedRound[]): PlannedRound[][] {
  const groups: PlannedRound[][] = [];
  for (const round of plan) {
    if (round.round === 1) groups.push([]);
    groups.at(-1)?.push(round);
  }
  return groups;
}

async function playGroup(
  group: readonly PlannedRound[],
  { keys, seed, repeats: most }: BenchOptions,
  home: KeyServiceHome | undefined,
  cleanup: Cleanup,
  all: { result: RoundResult; kept: boolean }[],
): Promise<{ results: RoundResult[]; repeats: number }> {
  const results: RoundResult[] = [];
  let repeats = 0;
  for (const plan of group) {
    for (let played = 0; ; played += 1) {
      const result = await playRound({ plan, keys, seed, home }, cleanup);
      const lagged = result.lagMs.max > MOST_LAG_MS;
      const kept = !lagged || played >= most;
      all.push({ result, kept });
      if (kept) {
        results.push(result);
        if (lagged) say(`  round ${plan.round} is shown although the simulator lagged in it`);
        break;
      }
      repeats += 1;
      say(`  round ${plan.round} again: the simulator lagged by ${result.lagMs.max.toFixed(1)} ms`);
    }
  }
  return { results, repeats };
}

function announcement({ keys, rounds }: BenchOptions, plan: readonly PlannedRound[]): string {
  const minutes = Math.ceil(secondsOf(plan) / 60);
  const long = minutes < 120 ? `${minutes} minutes` : `${(minutes / 60).toFixed(1)} hours`;
  return (
    `${plan.length} rounds (${rounds} a line), one after another, ${keys} keys of 3 calls a second, ` +
    `a fresh simulator and a fresh Redis each: about ${long}.\n`
  );
}

function sentence(line: Line): string {
  const lost = Object.entries(line.lost).map(([cause, count]) => `${count} ${cause}`);
  return (
    `${describe(line)}: ${titleOf(line.system)} used ${(100 * line.used).toFixed(2)} %, refused ${line.refused}` +
    (lost.length > 0 ? `, lost ${lost.join(', ')}` : '') +
    marginsOf(line)
  );
}

/** The margin at the end of each part of a run, or at its end. */
function marginsOf({ row, margins }: Line): string {
  if (margins.length === 0) return '';
  const { before, during, after } = SHIFT;
  const whole = WARM_UP_S + before;
  const ends = row.scenario === 'shift' ? [whole, whole + during, whole + during + after] : [Infinity];
  const found = ends.map(
    (end) =>
      margins
        .filter(({ at }) => at <= end)
        .at(-1)
        ?.ms.toFixed(1) ?? '-',
  );
  return `, margin ${found.join(', then ')} ms`;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
