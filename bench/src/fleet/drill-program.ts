import { writeFileSync } from 'node:fs';
import { ArgumentFault } from './drill-arguments';
import { Cleanup, cleanUpOnSignals } from './cleanup';

export interface Drill<Options, Verdict> {
  /** Throws ArgumentFault. */
  read(argv: readonly string[]): Options;
  run(options: Options, cleanup: Cleanup, say: (line: string) => void): Promise<Verdict>;
  report(verdict: Verdict): string;
}

/** The whole of a drill's program: it ends the process with 0 passed, 1 not passed, 2 wrong arguments. */
export function playDrill<Options extends { json?: string | undefined }, Verdict extends { passed: boolean }>(
  drill: Drill<Options, Verdict>,
): void {
  play(drill).then(
    // Connections that are kept alive must not keep a finished run alive.
    (code) => process.exit(code),
    (error: unknown) => {
      const plain = error instanceof ArgumentFault;
      process.stderr.write(`${plain ? error.message : ((error as Error).stack ?? String(error))}\n`);
      process.exit(plain ? 2 : 1);
    },
  );
}

async function play<Options extends { json?: string | undefined }, Verdict extends { passed: boolean }>({
  read,
  run,
  report,
}: Drill<Options, Verdict>): Promise<number> {
  const options = read(process.argv.slice(2));
  const cleanup = new Cleanup();
  cleanUpOnSignals(cleanup);
  try {
    const verdict = await run(options, cleanup, (line) => void process.stderr.write(`${line}\n`));
    process.stdout.write(`${report(verdict)}\n`);
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(verdict, null, 2)}\n`);
    return verdict.passed ? 0 : 1;
  } finally {
    await cleanup.run();
  }
}
