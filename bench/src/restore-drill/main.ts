import { writeFileSync } from 'node:fs';
import { Cleanup, cleanUpOnSignals } from '../fleet/cleanup';
import { ArgumentFault, readArguments } from './arguments';
import { passed, report } from './report';
import { runDrill } from './run-drill';

/** Entry of `npm run drill:restore`: exit code 0 passed, 1 not passed, 2 wrong arguments. */
async function main(argv: readonly string[]): Promise<number> {
  const options = readArguments(argv);
  const cleanup = new Cleanup();
  cleanUpOnSignals(cleanup);
  try {
    const drill = await runDrill(options, cleanup, (line) => void process.stderr.write(`${line}\n`));
    process.stdout.write(`${report(drill)}\n`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(drill, null, 2)}\n`);
    return passed(drill) ? 0 : 1;
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
