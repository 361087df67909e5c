import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { askSupervisor, type ProcessStatus, socketPath } from '../src/supervisor/control';
import { listenForControl } from '../src/supervisor/control-server';
import type { ProcessSpec } from '../src/supervisor/process-spec';
import type { RestartRules } from '../src/supervisor/restart-policy';
import { Supervisor } from '../src/supervisor/supervisor';

const QUICK: RestartRules = {
  firstDelayMs: 5,
  longestDelayMs: 20,
  healthyAfterMs: 10_000,
  deaths: 10,
  windowMs: 60_000,
};

describe('the supervisor', () => {
  let dir: string;
  let supervisor: Supervisor;
  let said: { sentence: string; fields: Record<string, unknown> }[];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'supervisor-'));
    said = [];
    supervisor = new Supervisor({
      logDir: dir,
      graceMs: 300,
      rules: QUICK,
      say: (sentence, fields) => said.push({ sentence, fields }),
    });
  });
  afterEach(async () => {
    await supervisor.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const toy = (name: string, code: string, revision = '1'): ProcessSpec => ({
    ...{ name, command: process.execPath, args: ['-e', code], cwd: dir, env: {}, ports: {}, revision },
  });
  const lasting = 'console.log("up " + process.pid); setInterval(() => {}, 1000)';

  const statusOf = async (name: string): Promise<ProcessStatus> => {
    const reply = await supervisor.handle({ command: 'status' });
    const status = reply.ok ? reply.processes.find((process) => process.name === name) : undefined;
    if (status === undefined) throw new Error(`No process ${name}`);
    return status;
  };
  const until = async (name: string, reached: (status: ProcessStatus) => boolean): Promise<ProcessStatus> => {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await pause(10)) {
      const status = await statusOf(name);
      if (reached(status)) return status;
    }
    throw new Error(`${name} did not get there: ${JSON.stringify(await statusOf(name))}`);
  };
  const alive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('starts a killed process again', async () => {
    await supervisor.apply([toy('a', lasting)]);
    const before = await until('a', (status) => status.state === 'running');
    process.kill(before.pid as number, 'SIGKILL');
    const after = await until('a', (status) => status.restarts === 1 && status.state === 'running');
    expect(after.pid).not.toBe(before.pid);
    expect(after.lastExit).toBe('SIGKILL');
    expect(said[0]).toEqual({
      sentence: 'Process ended and is restarted',
      fields: { name: 'a', how: 'SIGKILL', delayMs: 5 },
    });
  });

  it('gives a process up after ten deaths, says so, and goes on with the others', async () => {
    await supervisor.apply([toy('bad', 'process.exit(3)'), toy('good', lasting)]);
    const bad = await until('bad', (status) => status.state === 'given up');
    expect(bad).toMatchObject({ restarts: 9, lastExit: 'exit code 3', pid: undefined });
    expect(said.at(-1)).toEqual({
      sentence: 'Process died too often and is given up',
      fields: { name: 'bad', how: 'exit code 3', deaths: 10 },
    });
    expect((await until('good', (status) => status.state === 'running')).restarts).toBe(0);
  }, 20_000);

  it('gives up a program that is not there', async () => {
    await supervisor.apply([{ ...toy('none', ''), command: join(dir, 'no-such-program') }]);
    expect((await until('none', (status) => status.state === 'given up')).lastExit).toContain('ENOENT');
  });

  it('takes a given-up process up again when it is restarted by hand', async () => {
    await supervisor.apply([toy('bad', 'process.exit(3)')]);
    await until('bad', (status) => status.state === 'given up');
    await supervisor.handle({ command: 'restart', name: 'bad' });
    expect((await statusOf('bad')).state).not.toBe('given up');
    await until('bad', (status) => status.state === 'given up');
  }, 20_000);

  it('kills what ignores SIGTERM after the grace time', async () => {
    await supervisor.apply([
      toy('deaf', 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)'),
    ]);
    const { pid } = await until('deaf', (status) => status.state === 'running');
    for (const deadline = Date.now() + 5000; Date.now() < deadline; await pause(10)) {
      if (readFileSync(join(dir, 'deaf.log'), 'utf8').includes('up')) break;
    }
    await supervisor.stop();
    expect(alive(pid as number)).toBe(false);
    expect(said.map((each) => each.sentence)).toEqual(['Process ignored SIGTERM and is killed']);
    expect(await statusOf('deaf')).toMatchObject({ state: 'stopped', restarts: 0, lastExit: 'SIGKILL' });
  });

  it('stops what is no longer wanted, restarts what was built again and leaves the rest alone', async () => {
    await supervisor.apply([toy('a', lasting), toy('b', lasting), toy('c', lasting)]);
    const [a, b, c] = await Promise.all(
      ['a', 'b', 'c'].map((name) => until(name, (status) => status.state === 'running')),
    );
    await supervisor.apply([toy('a', lasting), toy('b', lasting, '2')]);
    const again = await until('b', (status) => status.state === 'running');
    expect((await statusOf('a')).pid).toBe(a?.pid);
    expect(again.pid).not.toBe(b?.pid);
    expect(alive(c?.pid as number)).toBe(false);
    await expect(statusOf('c')).rejects.toThrow('No process c');
  });

  it('writes the output of a process to its log', async () => {
    await supervisor.apply([
      toy('a', 'console.log("to the log"); console.error("and errors"); setInterval(() => {}, 1000)'),
    ]);
    for (const deadline = Date.now() + 5000; Date.now() < deadline; await pause(10)) {
      if (readFileSync(join(dir, 'a.log'), 'utf8').includes('and errors')) break;
    }
    expect(readFileSync(join(dir, 'a.log'), 'utf8')).toBe('to the log\nand errors\n');
  });

  describe('over its socket', () => {
    let server: Server | undefined;
    afterEach(
      () =>
        new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))),
    );

    it('answers, refuses what it does not know, and is silent when it does not run', async () => {
      expect(await askSupervisor(dir, { command: 'status' })).toBeUndefined();
      const folder = mkdtempSync(join(tmpdir(), 's'));
      const path = join(folder, 'run');
      rmSync(folder, { recursive: true });
      expect(socketPath(folder)).toBe(join(path, 'supervisor.sock'));
      expect(Buffer.byteLength(socketPath(`/${'deep/'.repeat(40)}`))).toBeLessThanOrEqual(100);
    });

    it('applies a fleet and reports it', async () => {
      const { mkdirSync } = await import('node:fs');
      mkdirSync(join(dir, 'run'));
      const answered: string[] = [];
      server = await listenForControl(
        socketPath(dir),
        (request) => supervisor.handle(request),
        (request) => answered.push(request.command),
      );
      expect(await askSupervisor(dir, { command: 'apply', processes: [toy('a', lasting)] })).toMatchObject({
        ok: true,
        processes: [{ name: 'a', restarts: 0 }],
      });
      await until('a', (status) => status.state === 'running');
      expect(await askSupervisor(dir, { command: 'restart', name: 'x' })).toEqual({
        ok: false,
        error: 'There is no process "x"',
      });
      expect(await askSupervisor(dir, { command: 'stop-one', name: 'a' })).toMatchObject({
        processes: [{ name: 'a', state: 'stopped' }],
      });
      expect(await askSupervisor(dir, { command: 'start-one', name: 'a' })).toMatchObject({ ok: true });
      expect((await until('a', (status) => status.state === 'running')).restarts).toBe(0);
      expect(answered).toEqual(['apply', 'restart', 'stop-one', 'start-one']);
    });
  });
});
