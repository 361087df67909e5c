import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, freePort, ownSuppressionKey, ProcessHandle } from '@sociograph/testing';
import { server, unique } from './servers';

const MAIN = join(__dirname, '../dist/main.js');
const REBUILD = join(__dirname, '../dist/rebuild.js');
const NAMES = [
  'KAFKA_BROKERS',
  'KAFKA_USERNAME',
  'KAFKA_PASSWORD',
  'REDIS_POOL_URL',
  'REDIS_CACHE_URL',
  'ARANGO_URL',
];

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** One instance of the built service, as its supervisor would start it. */
export class ProjectorProcess {
  private constructor(
    private readonly handle: ProcessHandle,
    private readonly env: NodeJS.ProcessEnv,
    readonly url: string,
    readonly managementUrl: string,
  ) {}

  /** `views`: where its database is. */
  static async start(views: Readonly<Record<string, string>>): Promise<ProjectorProcess> {
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
      SUPPRESSION_KEY_FILE: ownSuppressionKey(),
      ...views,
    };
    const handle = await new ProcessHandle({ command: process.execPath, args: [MAIN], env }).start();
    const managementUrl = `http://127.0.0.1:${management}`;
    await eventually(
      async () => {
        if (!handle.running) throw new Error(`it ended:\n${handle.lines.slice(-20).join('\n')}`);
        return (await fetch(`${managementUrl}/health/ready`)).ok;
      },
      { timeoutMs: 40_000 },
    );
    return new ProjectorProcess(handle, env, `http://127.0.0.1:${http}`, managementUrl);
  }

  /** A metric without labels of its own; 0 while it is not there. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.managementUrl}/metrics`)).text();
    const line = text
      .split('\n')
      .find((candidate) => candidate.startsWith(`${name}{`) || candidate.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  /** What `npm run projector:rebuild` prints. */
  async rebuild(): Promise<string> {
    return (await promisify(execFile)(process.execPath, [REBUILD], { env: this.env })).stdout;
  }

  post(path: string, token: string, body?: object, headers?: Record<string, string>): Promise<Answer> {
    return this.get(path, token, 'POST', body, headers);
  }

  async get(
    path: string,
    token: string,
    method = 'GET',
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...headers,
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  }

  /** The exit code, null when it was killed. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    return (await this.handle.end(signal)).code;
  }
}
