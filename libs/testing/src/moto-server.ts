import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually';
import { freePort } from './free-port';
import { ProcessHandle } from './process-handle';

export interface MotoServer {
  url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const root = join(__dirname, '../../..');

/** moto, an emulator of AWS' APIs (KMS, S3), on a port of its own; installed at the first time. It forgets everything when it is stopped. */
export async function startMoto(): Promise<MotoServer> {
  const installer = join(root, 'infra/native/dist/install/moto.js');
  const { stdout } = await promisify(execFile)(process.execPath, [installer]);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const handle = new ProcessHandle({
    command: 'python3',
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    env: { PATH: process.env['PATH'], PYTHONPATH: stdout.trim() },
  });
  const start = async (): Promise<void> => {
    await handle.start();
    await eventually(async () => expect((await fetch(`${url}/moto-api/`)).ok).toBe(true), {
      timeoutMs: 30_000,
      everyMs: 100,
    });
  };
  await start();
  return { url, start, stop: async () => void (await handle.end()) };
}
