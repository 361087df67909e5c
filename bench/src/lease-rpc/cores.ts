import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A command line held to one core. */
export function onCore(
  core: number | undefined,
  command: string,
  args: readonly string[],
): [string, string[]] {
  return core === undefined ? [command, [...args]] : ['taskset', ['-c', String(core), command, ...args]];
}

/** Holds a running process, all of its threads, to one core until the answer is called. */
export async function holdToCore(pid: number, core: number): Promise<() => Promise<void>> {
  const { stdout } = await run('taskset', ['-cp', String(pid)]);
  const before = stdout.trim().split(' ').at(-1) as string;
  await run('taskset', ['-acp', String(core), String(pid)]);
  return async () => void (await run('taskset', ['-acp', before, String(pid)]).catch(() => undefined));
}

/** Whether processes can be held to cores here. */
export function tasksetWorks(): boolean {
  try {
    execFileSync('taskset', ['-cp', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Seconds of CPU that a process has used; the kernel counts in hundredths. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
