import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Words in front of a command that hold it to one core; none where none is named. */
export function heldTo(core: number | undefined): string[] {
  return core === undefined ? [] : ['taskset', '-c', String(core)];
}

/** Holds running processes, all of their threads, to one core until the answer is called. */
export async function holdToCore(pids: readonly number[], core: number): Promise<() => Promise<void>> {
  const before = new Map<number, string>();
  for (const pid of pids) {
    const { stdout } = await run('taskset', ['-cp', String(pid)]);
    before.set(pid, stdout.trim().split(' ').at(-1) as string);
    await run('taskset', ['-acp', String(core), String(pid)]);
  }
  return async () => {
    for (const [pid, cores] of before)
      await run('taskset', ['-acp', cores, String(pid)]).catch(() => undefined);
  };
}

/** A process and all that it started: a shell in front of a server uses nothing itself. */
export function withChildren(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(withChildren)];
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

/** Seconds of CPU that processes have used; the kernel counts in hundredths. */
export function cpuSeconds(...pids: number[]): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
