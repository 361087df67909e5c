import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { FleetApi } from '@sociograph/api-client';
import type { ImportView } from '@sociograph/api-client';
import { accessToken } from '@sociograph/testing';

const ROOT = resolve(__dirname, '..');
/** VK's limit for a user token. */
export const USER_CALLS_PER_SECOND = 3;

/** One value of the test stack's environment; jest loads `.sociograph/test/env.json` before each spec file. */
export function fromStack(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: start the test stack ("npm run up -- --stack test --servers-only")`);
  return value;
}

/** The whole fleet on the servers of the test stack, with a simulator that serves one graph. */
export class Fleet {
  private constructor(
    readonly api: FleetApi,
    private readonly tokens: readonly string[],
  ) {}

  /** Starts the fleet, or changes the running one so that it fits; a new simulator has empty windows. */
  static async up(graph: string, options: { keys: number; simulator?: string }): Promise<Fleet> {
    // Tokens of this fleet only: the pool knows a token once, and other specs registered theirs in other workspaces.
    const tokens = Array.from(
      { length: options.keys },
      () => `vk1.a.${randomBytes(64).toString('base64url')}`,
    );
    const file = join(
      '.sociograph',
      fromStack('SOCIOGRAPH_STACK'),
      'run',
      `tokens-${randomInt(2 ** 40)}.json`,
    );
    mkdirSync(dirname(join(ROOT, file)), { recursive: true });
    writeFileSync(join(ROOT, file), JSON.stringify(tokens.map((token) => ({ token }))), { mode: 0o600 });
    const simulator = `delay=80 jitter=20 tokens-file=${file} ${options.simulator ?? ''}`;
    await native([
      'up',
      '--simulator-graph',
      graph,
      '--keys',
      String(options.keys),
      '--simulator',
      simulator,
    ]);
    const api = new FleetApi({
      gatewayUrl: fromStack('GATEWAY_URL'),
      tokenUrl: `${fromStack('OIDC_ISSUER')}/protocol/openid-connect/token`,
      clientId: fromStack('DEMO_CLIENT_ID'),
      clientSecret: fromStack('DEMO_CLIENT_SECRET'),
      simulatorUrl: fromStack('VK_SIMULATOR_URL'),
    });
    await api.tell('/reset');
    return new Fleet(api, tokens);
  }

  /** Registers the simulator's keys in the workspace of the token. */
  async registerKeys(): Promise<void> {
    await this.api.registerKeys(this.tokens);
  }

  /** Starts an import from these people, one of every component unless told; answers its id. */
  async startImport(seeds?: readonly string[]): Promise<string> {
    return (await this.api.startImport({ seeds: seeds ?? (await this.api.seeds()) })).id;
  }

  /** Waits until the import is completed; fails when it ends otherwise. */
  async completed(id: string, timeoutMs: number): Promise<ImportView> {
    const view = await this.api.ended(id, { timeoutMs });
    if (view.state !== 'completed') throw new Error(`The import is ${view.state}`);
    return view;
  }

  /** SIGKILL to one process of the fleet; answers its pid. */
  kill(name: string): number {
    const pid = pidOf(name);
    process.kill(pid, 'SIGKILL');
    return pid;
  }
}

/** The pid of a running process of the fleet, as the supervisor wrote it down. */
export function pidOf(name: string): number {
  const file = join(ROOT, '.sociograph', fromStack('SOCIOGRAPH_STACK'), 'processes.json');
  const processes = JSON.parse(readFileSync(file, 'utf8')) as { name: string; pid?: number }[];
  const pid = processes.find((process) => process.name === name)?.pid;
  if (pid === undefined)
    throw new Error(`${name} does not run; there are ${processes.map((p) => p.name).join(', ')}`);
  return pid;
}

/** Moves the account of the demo into another workspace, so that specs do not see each other's graphs. */
export async function useWorkspace(workspaceId: string): Promise<void> {
  const admin = `${fromStack('KEYCLOAK_URL')}/admin/realms/${fromStack('KEYCLOAK_REALM')}`;
  const token = await accessToken({
    issuer: `${fromStack('KEYCLOAK_URL')}/realms/master`,
    clientId: fromStack('KEYCLOAK_ADMIN_CLIENT_ID'),
    clientSecret: fromStack('KEYCLOAK_ADMIN_CLIENT_SECRET'),
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const username = `service-account-${fromStack('DEMO_CLIENT_ID')}`;
  const found = await fetch(`${admin}/users?exact=true&username=${username}`, { headers });
  const [user] = (await found.json()) as { id: string }[];
  if (user === undefined) throw new Error(`Keycloak has no user ${username}`);
  const body = JSON.stringify({ ...user, attributes: { workspace_id: [workspaceId] } });
  const changed = await fetch(`${admin}/users/${user.id}`, { method: 'PUT', headers, body });
  if (!changed.ok)
    throw new Error(`Keycloak does not move the account: ${changed.status} ${await changed.text()}`);
}

/** A command of infra/native on the test stack; answers what it printed. */
export function native(args: string[]): Promise<string> {
  const [command, ...rest] = args;
  const program = [
    '--enable-source-maps',
    'infra/native/dist/main.js',
    command ?? '',
    '--stack',
    fromStack('SOCIOGRAPH_STACK'),
    ...rest,
  ];
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, program, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', fail);
    child.once('exit', (code) =>
      code === 0 ? done(output) : fail(new Error(`"${args.join(' ')}" ended with ${code}:\n${output}`)),
    );
  });
}
