import type { Cleanup } from '../fleet/cleanup';
import { playDrill } from '../fleet/drill-program';
import { type ImportChaosOptions, readArguments } from './arguments';
import { reportBeside, runBeside } from './beside-run';
import { openFleet } from './fleet-stand';
import { runKills } from './kill-run';
import { reportPace, runPace } from './pace-run';
import { reportKills, reportStorm } from './report';
import { runStorm } from './storm-run';

interface Played {
  readonly passed: boolean;
  readonly verdict: unknown;
  readonly text: string;
}

/** Entry of `npm run chaos:import`. */
playDrill({ read: readArguments, run, report: ({ text }: Played) => text });

async function run(
  options: ImportChaosOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<Played> {
  const stand = await openFleet(options, cleanup);
  const told = <V extends { passed: boolean }>(verdict: V, report: (verdict: V) => string): Played => ({
    passed: verdict.passed,
    verdict,
    text: report(verdict),
  });
  const { storm, measure } = options;
  if (measure === 'pace') return told(await runPace(stand, options, say), reportPace);
  if (measure === 'beside') return told(await runBeside(stand, options, say), reportBeside);
  return storm === undefined
    ? told(await runKills(stand, options, say), reportKills)
    : told(await runStorm(stand, storm, options, say), reportStorm);
}
