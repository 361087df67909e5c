import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetAddresses } from '@sociograph/api-client';
import { DemoRefused } from './demo-arguments';

/** The stack that `npm run up`, `down`, `status` and `logs` mean when none is named. */
const STACK = 'dev';
/** Relative to the repository's root, which is where every process of a stack runs. */
const STACK_DIR = join('.sociograph', STACK);
const TOKENS_FILE = join(STACK_DIR, 'secrets', 'vk-tokens.json');
/** Says that whatever the stack holds came from a demo and may be dropped by the next one. */
const DEMO_MARK = join(STACK_DIR, 'demo.json');
const NATIVE = 'infra/native/dist/main.js';

/** VK as the demo pretends it is: 80 ms to answer, up to 20 ms of jitter on the way there, a strict sliding window. */
const SIMULATED_NETWORK = 'delay=80 jitter=20 window=sliding';

export interface DemoStack extends FleetAddresses {
  tokens: string[];
  clientSecretFile: string;
  addresses: Record<string, string>;
}

/** Starts servers, fleet and simulator with empty stores, so that the figures at the end are this import's alone. */
export async function startDemoStack(root: string, graphFile: string, keys: number): Promise<DemoStack> {
  if (existsSync(join(root, DEMO_MARK))) {
    console.log('The data of the last demo is dropped.');
    await native(root, ['down', '--stack', STACK, '--purge']);
  } else if (existsSync(join(root, STACK_DIR, 'env.json'))) {
    throw new DemoRefused(
      `The stack "${STACK}" was started by "npm run up" and may hold data of yours, which the demo would have to drop. ` +
        'If it may go: "npm run down -- --purge", then the demo again.',
    );
  }
  // Only the secrets are closed: PostgreSQL's own user must be able to enter the stack's folder.
  mkdirSync(join(root, STACK_DIR), { recursive: true });
  mkdirSync(join(root, STACK_DIR, 'secrets'), { recursive: true, mode: 0o700 });
  writeFileSync(join(root, DEMO_MARK), `${JSON.stringify({ graphFile, keys })}\n`);
  const simulator = `${SIMULATED_NETWORK} tokens-file=${TOKENS_FILE}`;
  const options = ['--simulator-graph', graphFile, '--keys', String(keys), '--simulator', simulator];
  await native(root, ['up', '--stack', STACK, '--scale', '1', ...options]);
  return describeStack(root);
}

function describeStack(root: string): DemoStack {
  const env = readJson<Record<string, string>>(join(root, STACK_DIR, 'env.json'));
  const value = (name: string): string => {
    const found = env[name];
    if (found === undefined) throw new Error(`${name} is not in ${STACK_DIR}/env.json`);
    return found;
  };
  const gatewayUrl = value('GATEWAY_URL');
  const clientSecretFile = join(STACK_DIR, 'secrets', 'demo-client-secret');
  writeFileSync(join(root, clientSecretFile), value('DEMO_CLIENT_SECRET'), { mode: 0o600 });
  return {
    gatewayUrl,
    tokenUrl: `${value('OIDC_ISSUER')}/protocol/openid-connect/token`,
    clientId: value('DEMO_CLIENT_ID'),
    clientSecret: value('DEMO_CLIENT_SECRET'),
    simulatorUrl: value('VK_SIMULATOR_URL'),
    tokens: readJson<{ token: string }[]>(join(root, TOKENS_FILE)).map((entry) => entry.token),
    clientSecretFile,
    addresses: {
      gateway: gatewayUrl,
      Keycloak: value('KEYCLOAK_URL'),
      Prometheus: value('PROMETHEUS_URL'),
      Kafka: value('KAFKA_BROKERS'),
      simulator: value('VK_SIMULATOR_URL'),
    },
  };
}

/** Runs a command of infra/native in this terminal; its own messages are the explanation when it fails. */
function native(root: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--enable-source-maps', NATIVE, ...args], {
      cwd: root,
      stdio: 'inherit',
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new DemoRefused(`The stack did not come up ("${args[0]}" ended with ${code}): see above.`));
    });
  });
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}
