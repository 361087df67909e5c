import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisRoom } from './redis-room';
import { RespConnection } from './resp-connection';

const START_MS = 5_000;
/** More than this many seeds at once gain nothing: their writes are as long as Redis reads at a time. */
export const MOST_ROOMS = 16;

/** Two Redis servers of the simulation's own: a restart is a change to the other one, which has another run id. */
export interface RedisPair {
  /** One for each seed that is played at the same time; they have nothing in common. */
  rooms: readonly RedisRoom[];
  /** Processor time of both, seconds. */
  cpuSeconds(): Promise<number>;
  stop(): void;
}

export async function startRedisPair(): Promise<RedisPair> {
  const folder = mkdtempSync(join(tmpdir(), 'pool-simulation-'));
  const children: ChildProcess[] = [];
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', stop);
  try {
    const connections = await Promise.all([start(folder, 'a', children), start(folder, 'b', children)]);
    return {
      rooms: Array.from({ length: MOST_ROOMS }, (_, database) => new RedisRoom(connections, database)),
      cpuSeconds: async () => {
        const used = await Promise.all(connections.map(cpuSecondsOf));
        return used.reduce((sum, seconds) => sum + seconds, 0);
      },
      stop: () => {
        process.removeListener('exit', stop);
        for (const connection of connections) connection.close();
        stop();
      },
    };
  } catch (error) {
    stop();
    throw error;
  }
}

async function start(folder: string, name: string, children: ChildProcess[]): Promise<RespConnection> {
  const socket = join(folder, `${name}.sock`);
  const settings = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--dir',
    folder,
    '--databases',
    String(MOST_ROOMS),
    '--save',
    '',
    '--appendonly',
    'no',
    // Every microsecond of it is paid a thousand times a seed, and nobody asks for these figures.
    '--latency-tracking',
    'no',
    '--slowlog-log-slower-than',
    '-1',
    '--hz',
    '1',
    // Where a script may be interrupted, each of its steps is counted.
    '--lua-time-limit',
    '0',
  ];
  const child = spawn('redis-server', settings, { stdio: 'ignore' });
  children.push(child);
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  child.once('exit', (code) => (failure ??= new Error(`redis-server ended with ${code}`)));
  const deadline = performance.now() + START_MS;
  for (;;) {
    const connection = await RespConnection.open(socket).catch(() => undefined);
    if (connection !== undefined) return connection;
    if (failure !== undefined)
      throw new Error('redis-server cannot be started: is the package installed?', { cause: failure });
    if (performance.now() > deadline) throw new Error('redis-server does not answer on its socket');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function cpuSecondsOf(connection: RespConnection): Promise<number> {
  const text = String(await connection.call(0, ['INFO', 'cpu']));
  const used = [...text.matchAll(/used_cpu_(?:sys|user):([\d.]+)/g)];
  return used.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}
