import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ownVhost, testServers } from '@sociograph/testing';
import { Redis } from 'ioredis';
import { Cleanup } from '../fleet/cleanup';
import { KeyServiceHome } from '../fleet/key-service-home';
import { startRedis } from '../fleet/own-redis';
import { borrowServers, ROOT, type ServerEnvironment } from '../fleet/servers';
import type { LeaseBenchArguments } from './arguments';
import { heldTo, holdToCore, withChildren } from './cores';

const STACK = process.env['SOCIOGRAPH_TEST_STACK'] ?? 'test';

/** key-service on its core, with a database, a vhost and a Redis of its own; everything else is the test stack's. */
export interface Stand {
  readonly servicePid: number;
  readonly redisPid: number;
  /** Empty where the broker is not ours to look at. */
  readonly brokerPids: readonly number[];
  readonly redis: Redis;
  readonly rabbitUrl: string;
  /** A vhost in which a process on key-service's core answers every request at once, with nothing. */
  readonly echoRabbitUrl: string;
  readonly echoPid: number;
  /** That of the demo's account, which the keys belong to. */
  readonly workspaceId: string;
  readonly identityKeyPem: string;
  /** What could not be had as wished, in words. */
  readonly remarks: readonly string[];
  /** What key-service logged last. */
  lastWords(): string[];
  close(): Promise<void>;
}

export async function openStand(args: LeaseBenchArguments, say: (line: string) => void): Promise<Stand> {
  const cleanup = new Cleanup();
  try {
    return { ...(await build(args, say, cleanup)), close: () => cleanup.run() };
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function build(
  args: LeaseBenchArguments,
  say: (line: string) => void,
  cleanup: Cleanup,
): Promise<Omit<Stand, 'close'>> {
  const servers = await borrowServers([STACK], 'bench');
  cleanup.add(() => servers.stop());
  const server = await startRedis(heldTo(args.redisCore));
  cleanup.add(() => server.stop());
  const redis = new Redis(server.url);
  cleanup.add(() => redis.quit());
  const brokerPids = brokerOf(servers.stack);
  cleanup.add(await holdToCore(brokerPids, args.clientCore));
  const remarks = brokerPids.length > 0 ? [] : ['RabbitMQ was given by URL: it is not held to a core'];
  const home = await KeyServiceHome.make(servers.env);
  cleanup.add(() => home.close());
  const service = await home.start(server.url, {
    wrapper: heldTo(args.serviceCore),
    flags: args.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(args.profile)}`],
    settings: {
      // As the fleet starts it.
      NODE_OPTIONS:
        process.env['KEY_SERVICE_NODE_OPTIONS'] ?? '--max-old-space-size=256 --max-semi-space-size=4',
      MALLOC_ARENA_MAX: '2',
      LOG_LEVEL: 'warn',
      // The bench asks from one import, with as many requests in flight as it is told.
      POOL_LINE_PER_IMPORT: '10000',
      POOL_LINE_PER_WORKSPACE: '10000',
    },
  });
  cleanup.add(() => service.stop());
  say(`registering ${args.keys} keys`);
  const { workspaceId } = await service.register(
    Array.from({ length: args.keys }, (_, index) => aKey(index)),
  );
  const echo = await startEcho(args.serviceCore, servers.env, cleanup);
  return {
    ...echo,
    servicePid: service.handle.pid,
    redisPid: server.handle.pid,
    brokerPids,
    workspaceId,
    lastWords: () => service.handle.lines.slice(-5),
    redis,
    rabbitUrl: service.workerRabbitUrl,
    identityKeyPem: service.identityKeyPem,
    remarks,
  };
}

async function startEcho(
  core: number,
  env: ServerEnvironment,
  cleanup: Cleanup,
): Promise<Pick<Stand, 'echoRabbitUrl' | 'echoPid'>> {
  const vhost = await ownVhost(testServers(env), ['key-service', 'parser-service']);
  cleanup.add(() => vhost.drop());
  const child = onCore(core, 'echo.js', vhost.urlOf('key-service'));
  cleanup.add(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('the echo ended at its start')));
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
  return { echoRabbitUrl: vhost.urlOf('parser-service'), echoPid: child.pid as number };
}

/** A process of the bench, with a channel to its parent. */
function onCore(core: number, file: string, ...args: string[]): ChildProcess {
  // Its own pauses would be measured as the pool's: short collections of the young generation.
  const program = [process.execPath, '--max-semi-space-size=4', join(__dirname, file), ...args];
  const [command = '', ...words] = [...heldTo(core), ...program];
  return spawn(command, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], cwd: ROOT });
}

/** A community token with 20 calls a second: slots are never what limits. */
function aKey(index: number) {
  const token = `vk1.bench.${index}.${randomBytes(16).toString('hex')}`;
  return { token, kind: 'community', limits: { perSecond: 20 } };
}

/** A broker that was given by URL is not ours to hold to a core. */
function brokerOf(stack: string): number[] {
  const table = join(ROOT, '.sociograph', stack, 'processes.json');
  if (!existsSync(table)) return [];
  const known = JSON.parse(readFileSync(table, 'utf8')) as { name: string; pid: number }[];
  return known.filter(({ name }) => name === 'rabbitmq').flatMap(({ pid }) => withChildren(pid));
}

/** The load generator, with a channel to tell it its phases. */
export function startLoad(core: number, settings: object) {
  const child = onCore(core, 'load.js');
  let answered: (answer: { fault?: string; result?: unknown }) => void = () => undefined;
  child.on('message', (answer: object) => answered(answer));
  child.once('exit', (code) => answered({ fault: `the load generator ended with ${String(code)}` }));
  const ask = <T>(message: object): Promise<T> =>
    new Promise((done, failed) => {
      answered = ({ fault, result }) => (fault === undefined ? done(result as T) : failed(new Error(fault)));
      child.send(message);
    });
  return {
    ready: ask({ settings }),
    run: <T>(phase: object): Promise<T> => ask<T>({ phase }),
    pid: child.pid as number,
    stop: () => child.kill(),
  };
}
