import { join, resolve } from 'node:path';

/** Stops and starts one server of the running test stack: a crash, a restart, an upgrade. */
export interface ServerControl {
  /** Waits until it is gone. SIGKILL is a crash; without a signal it ends in its own clean way. Data stays. */
  stop(name: ServerName, signal?: NodeJS.Signals): Promise<void>;
  /** Waits until it is healthy. */
  start(name: ServerName): Promise<void>;
  restart(name: ServerName, signal?: NodeJS.Signals): Promise<void>;
}

export type ServerName =
  | 'postgres'
  | 'redis-pool'
  | 'redis-cache'
  | 'rabbitmq'
  | 'kafka'
  | 'keycloak'
  | 'prometheus'
  | 'arango-embedded';

interface NativeStack {
  startServer(stack: string, name: string): Promise<void>;
  stopServer(stack: string, name: string, signal?: NodeJS.Signals): Promise<void>;
}

/**
 * Control over the stack that SOCIOGRAPH_STACK names. infra/native is loaded only here: most specs need no
 * server to die. A server that was given by URL is not ours to stop; infra/native then throws.
 */
export function serverControl(env: NodeJS.ProcessEnv = process.env): ServerControl {
  const stack = env['SOCIOGRAPH_STACK'];
  if (stack === undefined)
    throw new Error('SOCIOGRAPH_STACK is not set: servers can only be stopped in a stack of our own');
  const native = loadNative();
  return {
    stop: (name, signal) => native.stopServer(stack, name, signal),
    start: (name) => native.startServer(stack, name),
    async restart(name, signal) {
      await native.stopServer(stack, name, signal);
      await native.startServer(stack, name);
    },
  };
}

/** From the sources under jest, else from the build: a path, because infra is no library that others depend on. */
function loadNative(): NativeStack {
  const root = resolve(__dirname, '../../..');
  const entry = __filename.endsWith('.ts') ? 'src/index.ts' : 'dist/index.js';
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(join(root, 'infra/native', entry)) as NativeStack;
}
