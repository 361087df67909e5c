import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../repository';
import { runNode } from '../run-child';
import type { FuzzOptions } from './options';

const NATIVE = 'infra/native/dist/main.js';
const GRAPH = 'infra/vk-simulator/data/ego-facebook.txt.gz';
const KEYS = 3;
const USUAL_PORT_BASE = 31_000;

export interface FuzzStack {
  /** Of `env.json`; throws where the name is not there. */
  value(name: string): string;
  /** Keys that the simulator knows and the pool does not yet. */
  keyTokens: readonly string[];
  /** Tells the process that follows Keycloak's keys to look now. */
  refreshKeys(): void;
  down(): Promise<void>;
}

/**
 * The whole fleet on servers of its own, with the gateway's limits raised. A stack that runs already is changed to that;
 * it goes on running afterwards.
 */
export async function openStack(options: FuzzOptions): Promise<FuzzStack> {
  const folder = join('.sociograph', options.stack);
  const isNew = !existsSync(join(ROOT, folder, 'env.json'));
  mkdirSync(join(ROOT, folder, 'run'), { recursive: true });
  const gatewayFile = join(folder, 'run', 'kong.fuzz.yml');
  await done('gateway/dist/render/main.js', ['--fuzz', gatewayFile]);
  const keyTokens = Array.from({ length: KEYS }, () => `vk1.a.${randomBytes(64).toString('base64url')}`);
  const tokensFile = join(folder, 'run', `tokens-${randomBytes(4).toString('hex')}.json`);
  writeFileSync(join(ROOT, tokensFile), JSON.stringify(keyTokens.map((token) => ({ token }))), {
    mode: 0o600,
  });
  const base = options.portBase ?? (isNew ? USUAL_PORT_BASE : undefined);
  await native(
    [
      ...['up', '--stack', options.stack, ...(base === undefined ? [] : ['--port-base', String(base)])],
      ...['--simulator-graph', GRAPH, '--keys', String(KEYS)],
      ...['--simulator', `delay=150 jitter=20 tokens-file=${tokensFile}`],
    ],
    { GATEWAY_CONFIG: gatewayFile },
  );
  const read = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, folder, name), 'utf8'));
  const env = read('env.json') as Record<string, string>;
  return {
    keyTokens,
    value(name) {
      const found = env[name];
      if (found === undefined) throw new Error(`${name} is not in ${folder}/env.json`);
      return found;
    },
    refreshKeys() {
      const processes = read('processes.json') as { name: string; pid?: number }[];
      const pid = processes.find(({ name }) => name === 'jwks-reconciler')?.pid;
      if (pid !== undefined) process.kill(pid, 'SIGHUP');
    },
    async down() {
      if (isNew && !options.keep) await native(['down', '--stack', options.stack, '--purge'], {});
    },
  };
}

/** The folder of the Python modules; the first time they are installed. */
export async function schemathesisSite(): Promise<string> {
  return (await done('infra/native/dist/install/schemathesis.js', [])).trim().split('\n').at(-1) ?? '';
}

async function done(program: string, args: string[]): Promise<string> {
  const { code, output } = await runNode([program, ...args], { output: 'collect' });
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
  return output;
}

/** Not in a group of its own: the supervisor that it starts stays. */
function native(args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--enable-source-maps', NATIVE, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`"${args[0]}" ended with ${code}`));
    });
  });
}
