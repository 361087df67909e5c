import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '@clickhouse/client';
import { eventually, freePort, ProcessHandle } from '@sociograph/testing';

const root = join(__dirname, '../..');

export interface ChdbServer {
  /** Makes a database and answers the URL that names it. */
  database(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** ClickHouse's real engine behind its HTTP interface, on a port of its own; installed at the first time. */
export async function startChdb(): Promise<ChdbServer> {
  const installer = join(root, 'infra/native/dist/install/chdb.js');
  const { stdout } = await promisify(execFile)(process.execPath, [installer]);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'chdb-'));
  const handle = new ProcessHandle({
    command: 'python3',
    args: ['-I', join(__dirname, 'chdb-server.py'), stdout.trim(), folder, String(port)],
    env: { PATH: process.env['PATH'] },
  });
  await handle.start();
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => expect((await fetch(`${url}/ping`)).ok).toBe(true), {
    timeoutMs: 60_000,
    everyMs: 100,
  });
  return {
    async database(name) {
      const admin = createClient({ url });
      await admin.command({ query: `CREATE DATABASE ${name} ENGINE = Atomic` });
      await admin.close();
      return `${url}/${name}`;
    },
    async stop() {
      await handle.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
