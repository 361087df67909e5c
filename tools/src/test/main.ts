import { killChildren } from '../run-child';
import { add, exitCodeOf, lastLine, type Counts } from './counts';
import { stagesOf, type Stage } from './stages';
import { TestStack } from './test-stack';

/**
 * All checks of the repository, quickest first; servers are started in between and always ended. Words choose stages by
 * part of their name: `npm test -- lint unit`.
 */
async function main(words: string[]): Promise<void> {
  const stack = new TestStack();
  const stages = chosen(stagesOf(stack), words);
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
      killChildren('SIGTERM');
    });
  }
  let total: Counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    let serversRun = true;
    for (const stage of stages) {
      if (interrupted) break;
      const counts = await runStage(stage, serversRun);
      if (stage.name === 'servers') serversRun = counts.failed === 0;
      total = add(total, counts);
    }
  } finally {
    total = add(total, await stack.stop());
  }
  if (interrupted) total = add(total, { passed: 0, failed: 1, skipped: 0 });
  process.stdout.write(`${lastLine(total)}\n`);
  process.exitCode = exitCodeOf(total, process.env['CI'] === 'true');

  async function runStage(stage: Stage, serversRun: boolean): Promise<Counts> {
    const startedAt = performance.now();
    process.stdout.write(`\n=== ${stage.name}\n`);
    let counts: Counts;
    if (stage.needsServers && !serversRun) {
      process.stdout.write('not run: the servers did not start\n');
      counts = { passed: 0, failed: 1, skipped: 0 };
    } else {
      counts = await stage.run({ SOCIOGRAPH_TEST_ENV: stack.environmentFile });
    }
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`--- ${stage.name}: ${lastLine(counts)} in ${seconds} s\n`);
    return counts;
  }
}

function chosen(stages: Stage[], words: string[]): Stage[] {
  const named = stages.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  if (named.length === 0)
    throw new Error(`no stage has such a name: ${stages.map(({ name }) => name).join(', ')}`);
  const needsServers = named.some((stage) => stage.needsServers);
  return stages.filter((stage) => named.includes(stage) || (needsServers && stage.name === 'servers'));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.stdout.write(`${lastLine({ passed: 0, failed: 1, skipped: 0 })}\n`);
  process.exitCode = 1;
});
