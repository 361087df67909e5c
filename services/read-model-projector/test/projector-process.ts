import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { server, unique } from './servers';

const MAIN = join(__dirname, '../dist/main.js');
const MIGRATE = join(__dirname, '../dist/migrate.js');
const NAMES = [
  'KAFKA_BROKERS',
  'KAFKA_USERNAME',
  'KAFKA_PASSWORD',
  'REDIS_POOL_URL',
  'REDIS_CACHE_URL',
  'ARANGO_URL',
  'ARANGO_DATABASE',
  'ARANGO_USERNAME',
  'ARANGO_PASSWORD',
];

/** One instance of the built service, as its supervisor would start it. */
export class ProjectorProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly managementUrl: string,
    readonly output: string[],
  ) {}

  static async start(): Promise<ProjectorProcess> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not built: npx nx run read-model-projector:build`);
    const [http, management] = [await freePort(), await freePort()];
    const own = Object.fromEntries(NAMES.map((name) => [name, server(name)]));
    const { OIDC_ISSUER, OIDC_JWKS_URL, OIDC_AUDIENCE, OIDC_CLIENTS, PATH } = process.env;
    const env = {
      ...own,
      ...{ PATH, OIDC_ISSUER, OIDC_JWKS_URL, OIDC_AUDIENCE, OIDC_CLIENTS },
      SERVICE_NAME: 'read-model-projector',
      INSTANCE_ID: unique('spec'),
      HTTP_PORT: String(http),
      MANAGEMENT_PORT: String(management),
    };
    execFileSync(process.execPath, [MIGRATE], { env });
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => output.push(String(chunk)));
    const started = new ProjectorProcess(
      child,
      `http://127.0.0.1:${http}`,
      `http://127.0.0.1:${management}`,
      output,
    );
    await until(
      () => started.answers('/health/ready'),
      40_000,
      () => output.join(''),
    );
    return started;
  }

  /** A metric without labels of its own; 0 while it is not there. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.managementUrl}/metrics`)).text();
    const line = text
      .split('\n')
      .find((candidate) => candidate.startsWith(`${name}{`) || candidate.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  async get(
    path: string,
    token: string,
  ): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }> {
    const response = await fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    return new Promise((resolve) => {
      this.child.once('exit', (code) => resolve(code));
      this.child.kill(signal);
    });
  }

  private async answers(path: string): Promise<boolean> {
    return fetch(`${this.managementUrl}${path}`).then(
      (response) => response.ok,
      () => false,
    );
  }
}

/** Polls until it holds; says what `explain` gives when it does not in time. */
export async function until(
  condition: () => Promise<boolean>,
  withinMs: number,
  explain = (): string => '',
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms. ${explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
