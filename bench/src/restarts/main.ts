import { writeFileSync } from 'node:fs';
import { Cleanup, cleanUpOnSignals } from '../fleet/cleanup';
import { ArgumentFault } from '../fleet-chaos/arguments';
import { readArguments } from './arguments';
import { reportRestarts } from './report';
import { runRestarts } from './restart-run';

/** Entry of `npm run drill:restarts`: exit code 0 passed, 1 not passed, 2 wrong arguments. */
async function main(argv: readonly string[]): Promise<number> {
  const options = readArguments(argv);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const cleanup = new Cleanup();
  cleanUpOnSignals(cleanup);
  try {
    const verdict = await runRestarts(options, cleanup, say);
    process.stdout.write(`${reportRestarts(verdict)}\n`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(verdict, null, 2)}\n`);
    return verdict.passed ? 0 : 1;
  } finally {
    await cleanup.run();
  }
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
