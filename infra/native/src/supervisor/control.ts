import { createHash } from 'node:crypto';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack } from '../stack';
import type { ProcessSpec } from './process-spec';

export type ControlRequest =
  | { command: 'status' }
  | { command: 'apply'; processes: ProcessSpec[] }
  | { command: 'restart'; name: string }
  | { command: 'stop-one'; name: string }
  | { command: 'start-one'; name: string }
  | { command: 'stop' };

export type ProcessState = 'starting' | 'running' | 'waiting' | 'given up' | 'stopped';

export interface ProcessStatus {
  readonly name: string;
  readonly state: ProcessState;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly lastExit: string | undefined;
}

export type ControlReply = { ok: true; processes: ProcessStatus[] } | { ok: false; error: string };

/** Where the supervisor of a stack listens. A socket's path may hold about 100 bytes, so a deep folder gets one in /tmp. */
export function socketPath(stackDir: string): string {
  const path = join(stackDir, 'run', 'supervisor.sock');
  if (Buffer.byteLength(path) <= 100) return path;
  return join(
    tmpdir(),
    `sociograph-${createHash('sha256').update(stackDir).digest('hex').slice(0, 16)}.sock`,
  );
}

/** One request to the supervisor; undefined when none is running. */
export function askSupervisor(
  stackDir: string,
  request: ControlRequest,
  timeoutMs = 20_000,
): Promise<ControlReply | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath(stackDir));
    let text = '';
    socket.setTimeout(timeoutMs, () => {
      socket.destroy();
      reject(new Error(`The supervisor did not answer "${request.command}" within ${timeoutMs / 1000} s`));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.destroy();
      // No socket, or one that a killed supervisor left behind.
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined);
      else reject(error);
    });
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
    });
    socket.once('end', () => {
      socket.destroy();
      try {
        resolve(JSON.parse(text) as ControlReply);
      } catch {
        resolve(undefined); // It went away in mid-answer.
      }
    });
  });
}

/** Ends the supervisor and with it the fleet; harmless when none runs. */
export async function stopSupervisor(stack: Stack): Promise<void> {
  await askSupervisor(stack.dir, { command: 'stop' });
}
