import { eventually, seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { deadLetters } from '../fleet/dead-letters';
import { DrillStand } from '../fleet/drill-stand';
import { EndlessImports, pause } from '../fleet/endless-imports';
import { needed } from '../fleet/servers';
import { differences } from '../import-chaos/verdict';
import type { FleetChaosOptions } from './arguments';
import { AnswersMeanwhile } from './answers-meanwhile';
import { planOf, SERVERS, wordsOf } from './fault-plan';
import { LateSends } from './late-sends';
import { type PlayedFault, playFault } from './play-fault';
import type { ChaosVerdict } from './report';
import { missesOf } from './verdict';
import { WORK_OF } from './work';

/** The next import begins when so many lists of the one before are done. */
const NEARLY = 0.8;
/** After the last fault; an import of that size takes a fraction of it. */
const CALM_MS = 5 * 60_000;

/** Imports, reads, and one fault after the other until the time is up; then everything is counted. */
export async function runChaos(
  options: FleetChaosOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<ChaosVerdict> {
  const { seed, people, friendships, keys, portBase, keep, faults, minutes } = options;
  const order = {
    stack: 'drills',
    portBase,
    scale: 1,
    people,
    friendships,
    keys,
    seed,
    keep,
    proxied: SERVERS,
  };
  const stand = await DrillStand.open(order, cleanup);
  const { api } = stand;
  const seeds = await api.seeds();
  const imports = new EndlessImports(api, orderOf(seeds), NEARLY * stand.expected.users).start();
  const person = seeds[0] ?? '1';
  const tokens = stand.tokens();
  const token = (): Promise<string> => tokens.token();
  await eventually(() => api.get(`/v1/profiles/vk/${person}`), { timeoutMs: 60_000, everyMs: 250 });
  const answers = new AnswersMeanwhile(needed(stand.env, 'GATEWAY_URL'), token, person).start();
  const late = new LateSends(stand).start();

  const plan = planOf(seeded(seed), faults);
  const played: PlayedFault[] = [];
  const until = performance.now() + minutes * 60_000;
  while (performance.now() < until) {
    const { fault, pauseMs } = plan.next().value;
    await pause(pauseMs);
    say(`> ${wordsOf(fault)}`);
    const one = await playFault(fault, stand, token, person).catch((error: Error): PlayedFault => {
      // The part did not come back at all: that is a finding, and the others are tried all the same.
      say(`    ${error.message}`);
      return { fault, work: WORK_OF[fault.target], recoveryMs: undefined };
    });
    played.push(one);
    say(
      `    ${one.recoveryMs === undefined ? 'NO WORK' : `work after ${(one.recoveryMs / 1000).toFixed(1)} s`}`,
    );
  }
  say('> no more faults: what was begun is brought to its end');
  // One that hangs is what this looks for: everything else is judged all the same.
  const ended = await imports.stop(CALM_MS).catch((error: Error) => {
    say(`    ${error.message}`);
    return [];
  });
  const last = ended.at(-1);
  const summary =
    last === undefined
      ? undefined
      : await eventually(() => api.summaryAfter(last.view), { timeoutMs: 60_000 });
  const figures = {
    played,
    imports: ended,
    people: stand.expected.users,
    differences: summary === undefined ? [] : differences(summary, stand.expected),
    refused: (await api.stats()).totals.refused,
    frozenSends: await late.stop(),
    dead: await deadLetters(stand.env),
    answers: await answers.stop(),
    healthy: await stand.isHealthy(),
  };
  const misses = missesOf(figures);
  const done = new Set(played.map(({ fault: { kind, target } }) => `${kind} ${target}`));
  const notPlayed = faults.filter(({ kind, target }) => !done.has(`${kind} ${target}`));
  return { ...figures, seed, misses, notPlayed, passed: misses.length === 0 };
}

function orderOf(seeds: readonly string[]): object {
  return { network: 'vk', seeds, include: ['friends'] };
}
