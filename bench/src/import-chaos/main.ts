import { writeFileSync } from 'node:fs';
import { Cleanup, cleanUpOnSignals } from '../fleet/cleanup';
import { ArgumentFault, type ImportChaosOptions, readArguments } from './arguments';
import { reportBeside, runBeside } from './beside-run';
import { type ChaosStand, openFleet } from './fleet-stand';
import { runKills } from './kill-run';
import { reportPace, runPace } from './pace-run';
import { reportKills, reportStorm } from './report';
import { runStorm } from './storm-run';

/** Entry of `npm run chaos:import`: exit code 0 passed, 1 not passed, 2 wrong arguments. */
async function main(argv: readonly string[]): Promise<number> {
  const options = readArguments(argv);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const cleanup = new Cleanup();
  cleanUpOnSignals(cleanup);
  try {
    const stand = await openFleet(options, cleanup);
    const { verdict, text } = await play(stand, options, say);
    process.stdout.write(`${text}\n`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(verdict, null, 2)}\n`);
    return verdict.passed ? 0 : 1;
  } finally {
    await cleanup.run();
  }
}

async function play(
  stand: ChaosStand,
  options: ImportChaosOptions,
  say: (line: string) => void,
): Promise<{ verdict: { passed: boolean }; text: string }> {
  const { storm, measure } = options;
  if (measure === 'pace')
    return runPace(stand, options, say).then((verdict) => ({ verdict, text: reportPace(verdict) }));
  if (measure === 'beside')
    return runBeside(stand, options, say).then((verdict) => ({ verdict, text: reportBeside(verdict) }));
  return storm === undefined
    ? runKills(stand, options, say).then((verdict) => ({ verdict, text: reportKills(verdict) }))
    : runStorm(stand, storm, options, say).then((verdict) => ({ verdict, text: reportStorm(verdict) }));
}

main(process.argv.slice(2)).then(
  // Connections that are kept alive must not keep a finished run alive.
  (code) => process.exit(code),
  (error: unknown) => {
    const plain = error instanceof ArgumentFault;
    process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
    process.exit(plain ? 2 : 1);
  },
);
