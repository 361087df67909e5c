import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually, ProcessHandle } from '@sociograph/testing';
import type { MemoryReading } from '../src/fleet/preload';

const PRELOAD = resolve(__dirname, '../dist/fleet/preload.js');
const LONG = { timeoutMs: 20_000 };

jest.setTimeout(60_000);

/** A program as any other, with the built file loaded before it. */
function program(text: string, env: Record<string, string>): ProcessHandle {
  const args = ['--require', PRELOAD, '-e', text];
  return new ProcessHandle({ command: process.execPath, args, env: { PATH: process.env['PATH'], ...env } });
}

it('a connection of a process of a drill is led to the proxy', async () => {
  const proxy = createServer((socket) => socket.end('led here'));
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  const { port } = proxy.address() as { port: number };
  const text = `require('net').connect(9, '127.0.0.1').on('data', (chunk) => console.log('heard ' + chunk))`;
  const handle = await program(text, { DRILL_REDIRECT: `9=${port}` }).start();
  try {
    expect(await handle.waitFor(/heard/, LONG.timeoutMs)).toBe('heard led here');
  } finally {
    await handle.kill();
    proxy.close();
  }
});

it('a process of a drill says what its heap holds once it was collected', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'preload-'));
  const text = `let much = Array.from({ length: 3e6 }, (_, n) => ({ n }));
    console.log('holds ' + much.length);
    setTimeout(() => { much = undefined; console.log('let go'); }, 10);
    setInterval(() => undefined, 1000);`;
  const handle = await program(text, { DRILL_MEMORY_FOLDER: folder }).start();
  try {
    await handle.waitFor(/let go/, LONG.timeoutMs);
    const file = join(folder, `${handle.pid}.json`);
    process.kill(handle.pid, 'SIGUSR2');
    await eventually(() => existsSync(file), LONG);
    const reading = JSON.parse(readFileSync(file, 'utf8')) as MemoryReading;
    expect(Object.keys(reading).sort()).toEqual([
      'descriptors',
      'externalBytes',
      'heapBytes',
      'residentBytes',
    ]);
    // Three million objects take more than 70 MB.
    expect(reading.heapBytes).toBeLessThan(30 * 1024 * 1024);
    expect(reading.heapBytes).toBeGreaterThan(1024 * 1024);
    expect(reading.residentBytes).toBeGreaterThan(reading.heapBytes);
    expect(reading.descriptors).toBeGreaterThan(5);
  } finally {
    await handle.kill();
    rmSync(folder, { recursive: true });
  }
});
