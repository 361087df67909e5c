import { spawn, type ChildProcess } from 'node:child_process';
import { ROOT } from './repository';

export interface ChildOptions {
  env?: NodeJS.ProcessEnv;
  /** `inherit` shows the child's output as it comes; `collect` returns it. */
  output: 'inherit' | 'collect';
  cwd?: string;
  /** The child and what it started are killed after this long. */
  limitMs?: number;
}

export interface ChildEnd {
  code: number;
  output: string;
  timedOut: boolean;
}

const running = new Set<ChildProcess>();

/** Runs Node with these arguments in a process group of its own. */
export function runNode(args: readonly string[], options: ChildOptions): Promise<ChildEnd> {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: options.output === 'inherit' ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  const parts: Buffer[] = [];
  child.stdout?.on('data', (part: Buffer) => parts.push(part));
  child.stderr?.on('data', (part: Buffer) => parts.push(part));
  let timedOut = false;
  const timer =
    options.limitMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          killGroup(child, 'SIGKILL');
        }, options.limitMs);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code: code ?? 1, output: Buffer.concat(parts).toString('utf8'), timedOut });
    });
  });
}

/** Ends every child under way, with all that it started. */
export function killChildren(signal: NodeJS.Signals): void {
  for (const child of running) killGroup(child, signal);
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended in the meantime.
  }
}
