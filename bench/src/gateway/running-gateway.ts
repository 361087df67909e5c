import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';

const ROOT = resolve(__dirname, '../../..');
const SERVICES = [
  'key-service',
  'parser-service',
  'graph-storage-service',
  'read-model-projector',
  'identity-service',
];

interface Plugin {
  name: string;
  config: { minute?: number };
}
interface Document {
  consumers: Record<string, unknown>[];
  services: { routes: { plugins: Plugin[] }[] }[];
}

export interface RunningGateway {
  port: number;
  pid: number;
  /** Another one at each call. */
  token: () => string;
  stop: () => Promise<void>;
}

/** The built gateway with the rendered kong.yml, its limits raised, as a process of its own on the first core. */
export async function startGateway(
  upstreamPort: number,
  collectorPort: number,
  redisUrl: string,
): Promise<RunningGateway> {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  const document = parse(readFileSync(join(ROOT, 'gateway/kong.yml'), 'utf8')) as Document;
  const rsa = pair.publicKey.export({ type: 'spki', format: 'pem' });
  document.consumers = [
    { ...document.consumers[0], jwt_secrets: [{ key: 'bench', algorithm: 'RS256', rsa_public_key: rsa }] },
  ];
  for (const service of document.services)
    for (const { plugins } of service.routes)
      for (const { config } of plugins) if (config.minute !== undefined) config.minute = 1_000_000;
  const file = join(folder, 'kong.yml');
  writeFileSync(file, stringify(document));
  const child = spawn('taskset', ['-c', '0', process.execPath, join(ROOT, 'gateway/dist/embedded/main.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      NODE_OPTIONS: process.env['GATEWAY_NODE_OPTIONS'] ?? '',
      GATEWAY_CONFIG: file,
      GATEWAY_PROXY_PORT: '0',
      GATEWAY_ADMIN_PORT: '0',
      GATEWAY_STATUS_PORT: '0',
      GATEWAY_HOSTS: SERVICES.map((service) => `${service}:3000=127.0.0.1:${upstreamPort}`).join(),
      REDIS_CACHE_URL: redisUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collectorPort}`,
    },
  });
  const token = (): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 600;
    // About as long as Keycloak's.
    const claims = { sub: 'bench', exp, jti: randomUUID(), scope: 'x'.repeat(500) };
    const text = `${part({ alg: 'RS256', typ: 'JWT', kid: 'bench' })}.${part(claims)}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), pair.privateKey).toString('base64url')}`;
  };
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true });
  };
  // taskset becomes what it starts: the process is the gateway's.
  return { port: await listening(child), pid: child.pid ?? 0, token, stop };
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const port = /"port":(\d+)/.exec(text)?.[1];
      if (port !== undefined) done(Number(port));
    });
    child.once('exit', (code) => fail(new Error(`the gateway ended with ${code}`)));
  });
}
