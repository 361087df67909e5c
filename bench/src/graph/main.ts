import { writeFileSync } from 'node:fs';
import { Cleanup, cleanUpOnSignals } from '../fleet/cleanup';
import { ArgumentFault, graphBenchArguments } from './arguments';
import { changesLines, program } from './changes-run';
import { fleetLines } from './fleet-run';
import { isMissed, type Line, tableOf } from './report';

/** Entry of `npm run bench:graph`: exit code 0, 1 when it fails or with `--check` a bar is missed, 2 wrong arguments. */
async function main(argv: readonly string[]): Promise<number> {
  const options = graphBenchArguments(argv);
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const cleanup = new Cleanup();
  cleanUpOnSignals(cleanup);
  try {
    const { parts } = options;
    const lines: Line[] = [];
    if (parts.includes('freshness') || parts.includes('rebuild'))
      lines.push(...(await fleetLines(options, cleanup, say)));
    // Its servers are not to disturb what is measured without them.
    await cleanup.run();
    if (parts.includes('changes')) lines.push(...(await changesLines(options, say)));
    let queries = '';
    if (parts.includes('queries')) {
      const size = ['--friendships', String(options.friendships), '--seed', String(options.seed)];
      queries = await program(
        'services/graph-storage-service/dist/bench/main.js',
        [...size, '--check'],
        say,
      ).catch((error: Error) => `MISSED: ${error.message}`);
    }
    process.stdout.write(`\n${tableOf(lines)}\n\n${queries}`);
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify({ lines, queries }, null, 2)}\n`);
    const missed = lines.some(isMissed) || queries.startsWith('MISSED');
    return options.check && missed ? 1 : 0;
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
