import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

export const ROOT = resolve(__dirname, '../../..');

/** Addresses and accounts of a stack's servers, by the names in its env.json. */
export type ServerEnvironment = Readonly<Record<string, string>>;

const NATIVE = join(ROOT, 'infra/native/dist/main.js');
const BASES = [29_000, 30_000, 31_000, 26_000, 25_000];
/** Ports of the servers are the first of a stack's block. */
const SERVER_PORTS = 30;

export interface BorrowedServers {
  /** Whose servers they are. */
  stack: string;
  env: ServerEnvironment;
  stop(): Promise<void>;
}

/**
 * PostgreSQL, RabbitMQ, Kafka and Keycloak: the test stack's when it runs, else those of a stack of our own, which is
 * started and afterwards removed. Whatever a run makes in them (databases, vhosts) it makes for itself alone.
 */
export async function borrowServers(stacks: readonly string[], own: string): Promise<BorrowedServers> {
  for (const stack of stacks) {
    if (existsSync(environmentFile(stack)) && (await native(['status', '--stack', stack], false)) === 0)
      return { stack, env: environmentOf(stack), stop: async () => undefined };
  }
  const base = await freeBase();
  const code = await native(['up', '--stack', own, '--servers-only', '--port-base', String(base)], true);
  const stop = async (): Promise<void> => void (await native(['down', '--stack', own, '--purge'], true));
  if (code !== 0) {
    await stop();
    throw new Error('the servers could not be started: see the lines above');
  }
  return { stack: own, env: environmentOf(own), stop };
}

function environmentFile(stack: string): string {
  return join(ROOT, '.sociograph', stack, 'env.json');
}

/** What `up` wrote down of a stack. Throws when it was never started. */
export function environmentOf(stack: string): ServerEnvironment {
  return JSON.parse(readFileSync(environmentFile(stack), 'utf8')) as ServerEnvironment;
}

/**
 * A command of infra/native; `shown`: what it prints goes to stderr; `more`: variables beside our own. Answers its exit
 * code.
 */
export function native(
  args: readonly string[],
  shown: boolean,
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  const output = shown ? (['ignore', 2, 2] as const) : 'ignore';
  // A group of its own: ctrl-C must not reach servers that are stopped in order afterwards.
  const child = spawn(process.execPath, [NATIVE, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...more },
    stdio: typeof output === 'string' ? output : [...output],
    detached: true,
  });
  return new Promise((done, failed) => {
    child.once('error', failed);
    child.once('exit', (code) => done(code ?? 1));
  });
}

/** The first port of a block that nobody listens in. */
export async function freeBase(): Promise<number> {
  for (const base of BASES) {
    const free = await Promise.all(Array.from({ length: SERVER_PORTS }, (_, i) => isFree(base + i)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`no free block of ports among ${BASES.join(', ')}: end what listens there`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A variable of a stack's environment. Throws a sentence that names it. */
export function needed(env: ServerEnvironment, name: string): string {
  const found = env[name];
  if (found === undefined || found === '') throw new Error(`${name} is not in the environment of the stack`);
  return found;
}
