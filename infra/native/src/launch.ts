import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { membersOf, processTable } from './process-table';

export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Another user to run as, where the server refuses root. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export class LaunchError extends Error {}

/** Starts a process that outlives us, as leader of its own group, with its output in `logFile`. */
export async function launchDetached(
  launch: Launch,
  logFile: string,
): Promise<{ pid: number; exited: () => boolean }> {
  const log = openSync(logFile, 'a');
  try {
    const child = spawn(launch.file, [...launch.args], {
      cwd: launch.cwd,
      detached: true,
      stdio: ['ignore', log, log],
      env: launch.env ?? process.env,
      ...(launch.user ?? {}),
    });
    let exited = false;
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) =>
        reject(new LaunchError(`${launch.file} cannot be started: ${cause.message}`)),
      );
    });
    child.once('exit', () => {
      exited = true;
    });
    child.unref();
    return { pid: child.pid as number, exited: () => exited };
  } finally {
    closeSync(log);
  }
}

/** Ends a whole process group: `signal` first, SIGKILL when members are left after `graceMs`. */
export async function endGroup(
  group: number,
  marker: string,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  if (membersOf(group, marker).length === 0) return;
  send(group, signal);
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline) {
    await pause(50);
    if (membersOf(group, marker).length === 0) break;
  }
  if (processTable().some((entry) => entry.group === group)) send(group, 'SIGKILL');
  while (membersOf(group, marker).length > 0) await pause(20);
}

function send(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

/** True when something accepts connections there. */
export function accepts(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('error', () => done(false));
    socket.connect(port, host, () => done(true));
  });
}

/** True when GET of the address answers 2xx. */
export async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** The end of a log, for the sentence that says why something did not start. */
export function lastLines(file: string, count: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '(no log)';
  }
}
