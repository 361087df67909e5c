import { seeded, type SeededRandomness } from '@sociograph/testing';
import type { ImportChaosOptions } from './arguments';
import type { ChaosStand } from './fleet-stand';
import { differences, missesOfKills, type Round } from './verdict';

export interface KillVerdict {
  readonly passed: boolean;
  readonly misses: readonly string[];
  readonly rounds: readonly Round[];
  readonly kills: number;
}

/**
 * Imports of the same graph, one after the other, while processes are killed. Every other import is spared of kills of
 * parsers: what is fetched twice in it was another process' fault.
 */
export async function runKills(
  stand: ChaosStand,
  options: ImportChaosOptions,
  say: (line: string) => void,
): Promise<KillVerdict> {
  const random = seeded(options.seed);
  const rounds: Round[] = [];
  let kills = 0;
  while (kills < options.kills) {
    const sparesParsers = rounds.length % 2 === 1;
    const round = await playRound(stand, options, random, options.kills - kills, sparesParsers);
    rounds.push(round);
    kills += Object.values(round.killed).reduce((sum, times) => sum + times, 0);
    const names = Object.entries(round.killed).map(([name, times]) => `${name} ${times}x`);
    say(
      `> import ${rounds.length}: ${round.state} after ${round.seconds.toFixed(0)} s, killed ${names.join(', ') || 'nobody'}, ` +
        `${round.repeatedLists} lists fetched twice, ${round.differences.length} differences; ${kills} of ${options.kills} kills`,
    );
  }
  const { refused } = await stand.answered();
  const misses = missesOfKills(rounds, await stand.dead(), refused);
  return { passed: misses.length === 0, misses, rounds, kills };
}

async function playRound(
  stand: ChaosStand,
  options: ImportChaosOptions,
  random: SeededRandomness,
  mostKills: number,
  sparesParsers: boolean,
): Promise<Round> {
  await stand.api.tell('/reset');
  const startedAt = performance.now();
  const id = await stand.startImport();
  const killed: Record<string, number> = {};
  const over = new AbortController();
  const ended = stand.api.ended(id).finally(() => over.abort());
  // Looked at below; a failure while a kill is under way must not count as one that nobody handles.
  ended.catch(() => undefined);
  const [least, most] = options.pauseMs;
  for (let kills = 0; kills < mostKills; kills += 1) {
    await pauseUnless(over.signal, least + random.next() * (most - least));
    if (over.signal.aborted) break;
    const victims = stand.victims().filter((name) => !(sparesParsers && name.startsWith('parser-service')));
    const name = random.pick(victims);
    killed[name] = (killed[name] ?? 0) + 1;
    await stand.kill(name);
  }
  const view = await ended;
  const summary = await stand.api.summaryAfter(view);
  const { gaps } = await stand.api.certificate(id);
  const { lists } = await stand.answered();
  return {
    killed,
    state: view.state,
    differences: differences(summary, stand.expected),
    repeatedLists: lists - stand.expected.users,
    gaps,
    seconds: (performance.now() - startedAt) / 1000,
  };
}

function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
