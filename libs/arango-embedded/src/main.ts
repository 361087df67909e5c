import { readConfig } from './config';
import { startEmbedded } from './start';

async function main(): Promise<void> {
  const config = readConfig();
  const running = await startEmbedded(config);
  const note = {
    level: 'info',
    msg: 'arango-embedded listens',
    url: running.url,
    testMode: config.testMode !== undefined,
  };
  process.stdout.write(`${JSON.stringify(note)}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running.close().finally(() => process.exit(0)));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(
    `arango-embedded cannot start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exit(1);
});
