import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, ProcessHandle } from '@sociograph/testing';
import { ROOT } from './servers';

export interface OwnRedis {
  url: string;
  port: number;
  handle: ProcessHandle;
  stop(): Promise<void>;
}

/** A redis-server of this run alone, empty, with the settings of one of ours (redis-pool: AOF, noeviction). */
export async function startRedis(
  wrapper: readonly string[] = [],
  settings: 'redis-pool' | 'redis-cache' = 'redis-pool',
): Promise<OwnRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const conf = join(ROOT, `infra/redis/${settings}.conf`);
  const [command = 'redis-server', ...before] = [...wrapper, 'redis-server'];
  const handle = new ProcessHandle({
    command,
    args: [...before, conf, '--port', String(port), '--dir', folder],
    env: process.env,
  });
  await handle.start();
  await handle.waitFor(/Ready to accept connections/);
  return {
    url: `redis://127.0.0.1:${port}/0`,
    port,
    handle,
    async stop() {
      await handle.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
