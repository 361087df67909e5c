import { setPriority } from 'node:os';
import { readGraphFile } from '@sociograph/graph-file';
import { generateKeys, keysFrom } from './keys';
import { readSettings } from './settings';
import { Simulator } from './simulator';

/** Stands for a machine of its own: the fleet's load on this one must not delay when its requests are read. */
const PRIORITY = -10;

async function main(): Promise<void> {
  try {
    setPriority(PRIORITY);
  } catch {
    // Only a privileged user may; without it a busy machine shows in /stats as event-loop lag.
  }
  const settings = readSettings(process.argv.slice(2), process.env);
  const graph = await readGraphFile(
    settings.graph,
    settings.idShift === undefined ? {} : { idShift: settings.idShift },
  );
  const largestId = graph.ids.at(-1) ?? 0;
  const keys = keysFrom(settings.tokensFile, () =>
    generateKeys(settings.seed, settings.keys, largestId + 1_000_000),
  );
  const simulator = new Simulator(settings, graph, keys);
  const port = await simulator.listen();
  process.stdout.write(
    `vk-simulator: ${graph.people} people, ${graph.friendshipCount} friendships, ids shifted by ${graph.shift}, ` +
      `${keys.length} keys, ${settings.window} window, http://${settings.host}:${port}/method\n`,
  );
  const stop = (): void => void simulator.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`vk-simulator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
