import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, ProcessHandle } from '@sociograph/testing';
import { ROOT } from '../fleet/servers';

const PROGRAM = join(ROOT, 'infra/vk-simulator/dist/main.js');

/** VK, which is no part of the disaster: it goes on and counts while the fleet is lost and restored. */
export interface SimulatedNetwork {
  readonly url: string;
  readonly tokens: readonly string[];
  stop(): Promise<void>;
}

/** `more`: other flags of the simulator, without their dashes. */
export async function startNetwork(
  folder: string,
  graph: string,
  keys: number,
  more: Readonly<Record<string, string>> = {},
): Promise<SimulatedNetwork> {
  const port = await freePort();
  const tokensFile = join(folder, 'tokens.json');
  const flags = { graph, keys, port, 'tokens-file': tokensFile, delay: 80, jitter: 20, ...more };
  const handle = new ProcessHandle({
    command: process.execPath,
    args: [PROGRAM, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])],
    env: { PATH: process.env['PATH'] },
  });
  await handle.start();
  await handle.waitFor(/vk-simulator: \d+ people/);
  const list = JSON.parse(readFileSync(tokensFile, 'utf8')) as { token: string }[];
  return {
    url: `http://127.0.0.1:${port}`,
    tokens: list.map(({ token }) => token),
    stop: async () => void (await handle.end()),
  };
}
