import { writeFileSync } from 'node:fs';
import { Cleanup, cleanUpOnSignals } from '../fleet/cleanup';
import { borrowServers } from '../fleet/servers';
import { ArgumentFault, readArguments } from './arguments';
import { runBudget } from './budget-run';
import { runDeadKey } from './dead-key-run';
import { runFaults } from './faults-run';
import { reportBudget, reportDeadKeys, reportFaults } from './report';

/** Entry of `npm run chaos:pool`: exit code 0 passed, 1 not passed, 2 wrong arguments. */
async function main(argv: readonly string[]): Promise<void> {
  const options = readArguments(argv);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const cleanup = new Cleanup();
  cleanUpOnSignals(cleanup);
  try {
    const servers = await borrowServers(['test', 'dev'], 'chaos');
    cleanup.add(() => servers.stop());
    const { verdict, text } = await run(servers.env);
    process.stdout.write(`${text}\n`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(verdict, null, 2)}\n`);
    process.exitCode = verdict.passed ? 0 : 1;
  } finally {
    await cleanup.run();
  }

  async function run(
    env: Parameters<typeof runFaults>[0],
  ): Promise<{ verdict: { passed: boolean }; text: string }> {
    switch (options.mode) {
      case 'faults': {
        const verdict = await runFaults(env, options, cleanup, say);
        return { verdict, text: reportFaults(verdict) };
      }
      case 'budget': {
        const verdict = await runBudget(env, options, cleanup, say);
        return { verdict, text: reportBudget(verdict) };
      }
      case 'dead-key': {
        const verdict = await runDeadKey(env, options, cleanup, say);
        return { verdict, text: reportDeadKeys(verdict) };
      }
    }
  }
}

main(process.argv.slice(2)).then(
  // Timers of proxies and clients must not keep a finished run alive.
  () => process.exit(),
  (error: unknown) => {
    const plain = error instanceof ArgumentFault;
    process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
    process.exit(plain ? 2 : 1);
  },
);
