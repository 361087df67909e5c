import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PlainFault } from './servers/server';
import type { Stack } from './stack';

const LONGEST_WAIT_MS = 10 * 60_000;

/** Two `up` of one stack at once would start every server twice: the second waits for the first. */
export async function withLock<R>(stack: Stack, work: () => Promise<R>): Promise<R> {
  const file = join(stack.dir, 'run', 'up.lock');
  const deadline = Date.now() + LONGEST_WAIT_MS;
  while (!take(file)) {
    if (Date.now() > deadline)
      throw new PlainFault(`Another command has held stack ${stack.name} for ten minutes (${file}).`);
    await pause(200);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      mkdirSync(join(file, '..'), { recursive: true });
      return false;
    }
  }
  if (!holderLives(file)) rmSync(file, { force: true });
  return false;
}

function holderLives(file: string): boolean {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 0) return false;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // Somebody else's process, but alive.
  }
}
