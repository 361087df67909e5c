import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetApi } from '@sociograph/api-client';
import { environmentOf, ROOT } from '../fleet/servers';
import { fleetApi } from '../fleet/stack-access';

export const STACK = 'restore-drill';

const PROGRAMS = {
  native: 'infra/native/dist/main.js',
  backup: 'infra/native/dist/backup/main.js',
  restore: 'infra/native/dist/backup/restore-main.js',
} as const;

/** One of the commands that an operator has, for the drill's own stack; throws when it does not end with 0. */
export async function command(
  program: keyof typeof PROGRAMS,
  words: readonly string[],
  networkUrl: string,
): Promise<void> {
  const child = spawn(process.execPath, ['--enable-source-maps', join(ROOT, PROGRAMS[program]), ...words], {
    cwd: ROOT,
    // Standard output is the verdict's.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, VK_API_URL: `${networkUrl}/method` },
  });
  const code = await new Promise<number>((done, failed) => {
    child.once('error', failed);
    child.once('exit', (status) => done(status ?? 1));
  });
  if (code !== 0) throw new Error(`"${program} ${words.join(' ')}" ended with ${code}: see the lines above`);
}

export function apiOf(networkUrl: string): FleetApi {
  return fleetApi(environmentOf(STACK), networkUrl);
}

/** SIGKILL for every server and every process of the fleet: nothing gets to write anything down. */
export function killEverything(): number {
  const file = join(ROOT, '.sociograph', STACK, 'processes.json');
  const pids = (JSON.parse(readFileSync(file, 'utf8')) as { pid?: number }[]).flatMap(({ pid }) => pid ?? []);
  for (const pid of pids) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      kill(pid); // No leader of a group of its own.
    }
  }
  return pids.length;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
