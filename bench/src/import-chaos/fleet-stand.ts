import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { FleetApi } from '@sociograph/api-client';
import { type GraphStatistics, graphStatistics, readGraphFile } from '@sociograph/graph-file';
import { accessToken, eventually, seeded, type ServiceAccount } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { deadLetters } from '../fleet/dead-letters';
import { environmentOf, freeBase, native, needed, ROOT, type ServerEnvironment } from '../fleet/servers';
import { fleetApi } from '../fleet/stack-access';
import type { ImportChaosOptions } from './arguments';
import { generatedGraph } from './generated-graph';

const STACK = 'chaos';
/** The network: 80 ms to answer, up to 20 ms on the way there. */
const NETWORK = 'delay=80 jitter=20';
const RESTARTED_WITHIN_MS = 20_000;
/** Of the first parser process, beyond the first port of the stack. */
const PARSER_MANAGEMENT = 210;

export interface ChaosStand {
  readonly api: FleetApi;
  /** Of the account of `api`. */
  readonly workspaceId: string;
  readonly expected: GraphStatistics;
  /** Names of the simulator's keys. */
  readonly keys: readonly string[];
  /** Processes of the fleet that a fault may hit; the simulator keeps the books and is spared. */
  victims(): string[];
  /** SIGKILL; resolves when the supervisor has a new one. */
  kill(name: string): Promise<void>;
  /** An import of the whole graph. */
  startImport(): Promise<string>;
  /** What the simulator answered so far. */
  answered(): Promise<Answered>;
  /** Messages in dead queues and dead-letter topics. */
  dead(): Promise<number>;
  /** What each parser process says at `/metrics`. */
  parserMetrics(): Promise<string[]>;
  /** The API for the account in this workspace, which those that were asked for earlier leave when their tokens end. */
  inWorkspace(workspaceId: string): Promise<FleetApi>;
  /** Lets other workspaces use all keys. */
  shareKeys(workspaces: readonly string[]): Promise<void>;
}

export interface Answered {
  /** Requests that were let through. */
  readonly served: number;
  /** Refused by a limit of the simulator's, not by a planted fault. */
  readonly refused: number;
  /** Friend lists inside `execute`, each one person's. */
  readonly lists: number;
  /** Arrivals of all served requests, ms. */
  readonly times: readonly number[];
  /** Arrivals of those of them that were packed calls. */
  readonly packed: readonly number[];
}

interface Stats {
  totals: { served: number; refused: number };
  keys: {
    key: string;
    methods: Record<string, { served: { times: number[] } }>;
    innerCalls: Record<string, number>;
  }[];
}

/** A whole fleet of its own with a simulator that serves a generated graph. */
export async function openFleet(options: ImportChaosOptions, cleanup: Cleanup): Promise<ChaosStand> {
  const folder = mkdtempSync(join(tmpdir(), 'import-chaos-'));
  cleanup.add(() => rmSync(folder, { recursive: true }));
  const graph = join(folder, 'graph.txt');
  writeFileSync(graph, generatedGraph(options.people, options.friendships, seeded(options.seed)));
  const expected = graphStatistics(await readGraphFile(graph));
  const tokens = Array.from({ length: options.keys }, () => `vk1.a.${randomBytes(64).toString('base64url')}`);
  const tokensFile = join('.sociograph', STACK, 'run', 'chaos-tokens.json');
  mkdirSync(dirname(join(ROOT, tokensFile)), { recursive: true });
  const list = tokens.map((token) => ({ token }));
  writeFileSync(join(ROOT, tokensFile), JSON.stringify(list), { mode: 0o600 });
  cleanup.add(() => native(['down', '--stack', STACK, '--purge'], false));
  const base = await freeBase();
  const up = [
    ...['up', '--stack', STACK, '--port-base', String(base), '--scale', String(options.scale)],
    ...['--simulator-graph', graph, '--keys', String(options.keys)],
    ...['--simulator', `${NETWORK} tokens-file=${tokensFile}`],
  ];
  if ((await native(up, true)) !== 0) throw new Error('the fleet could not be started: see the lines above');
  const env = environmentOf(STACK);
  const api = fleetApi(env);
  await api.registerKeys(tokens);
  const { keys } = await api.simulator<Stats>('/stats');
  return standOn(
    env,
    api,
    expected,
    keys.map(({ key }) => key),
    Array.from(
      { length: options.scale },
      (_, i) => `http://127.0.0.1:${base + PARSER_MANAGEMENT + i}/metrics`,
    ),
  );
}

function standOn(
  env: ServerEnvironment,
  api: FleetApi,
  expected: GraphStatistics,
  keys: readonly string[],
  parsers: readonly string[],
): ChaosStand {
  return {
    api,
    workspaceId: 'demo',
    expected,
    keys,
    victims: () =>
      processes()
        .filter(({ name }) => isVictim(name))
        .map(({ name }) => name),
    async kill(name) {
      const pid = pidOf(name);
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      await eventually(() => ![undefined, pid].includes(pidOf(name)), { timeoutMs: RESTARTED_WITHIN_MS });
    },
    startImport: async () => (await api.startImport({ seeds: await api.seeds() })).id,
    answered: async () => answeredBy(await api.simulator<Stats>('/stats?times=1')),
    dead: () => deadLetters(env),
    parserMetrics: () => Promise.all(parsers.map(async (url) => (await fetch(url)).text())),
    async inWorkspace(workspaceId) {
      await moveAccount(env, workspaceId);
      const moved = fleetApi(env);
      // Its token is fetched before the account is moved on.
      await moved.get('/v1/keys', { limit: 1 });
      return moved;
    },
    async shareKeys(workspaces) {
      const token = await accessToken(accountOf(env));
      for await (const { id } of api.items<{ id: string }>('/v1/keys')) {
        const answer = await fetch(`${needed(env, 'GATEWAY_URL')}/v1/keys/${id}/shares`, {
          method: 'PUT',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ workspaces }),
        });
        if (!answer.ok) throw new Error(`a key is not shared: ${answer.status} ${await answer.text()}`);
      }
    },
  };
}

function accountOf(env: ServerEnvironment): ServiceAccount {
  return {
    issuer: needed(env, 'OIDC_ISSUER'),
    clientId: needed(env, 'DEMO_CLIENT_ID'),
    clientSecret: needed(env, 'DEMO_CLIENT_SECRET'),
  };
}

/** A user belongs to one workspace: the account has another one from its next token on. */
async function moveAccount(env: ServerEnvironment, workspaceId: string): Promise<void> {
  const keycloak = needed(env, 'KEYCLOAK_URL');
  const token = await accessToken({
    issuer: `${keycloak}/realms/master`,
    clientId: needed(env, 'KEYCLOAK_ADMIN_CLIENT_ID'),
    clientSecret: needed(env, 'KEYCLOAK_ADMIN_CLIENT_SECRET'),
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const users = `${keycloak}/admin/realms/${needed(env, 'KEYCLOAK_REALM')}/users`;
  const username = `service-account-${needed(env, 'DEMO_CLIENT_ID')}`;
  const found = await fetch(`${users}?exact=true&username=${username}`, { headers });
  const [user] = (await found.json()) as { id: string }[];
  const body = JSON.stringify({ ...user, attributes: { workspace_id: [workspaceId] } });
  const moved = await fetch(`${users}/${user?.id}`, { method: 'PUT', headers, body });
  if (!moved.ok) throw new Error(`Keycloak does not move the account: ${moved.status}`);
}

function answeredBy({ totals, keys }: Stats): Answered {
  return {
    served: totals.served,
    refused: totals.refused,
    lists: keys.reduce((sum, { innerCalls }) => sum + (innerCalls['friends.get'] ?? 0), 0),
    times: keys.flatMap(({ methods }) => Object.values(methods).flatMap(({ served }) => served.times)),
    packed: keys.flatMap(({ methods }) => methods['execute']?.served.times ?? []),
  };
}

function isVictim(name: string): boolean {
  return /-service-\d+$|^read-model-projector-\d+$|^gateway$|^jwks-reconciler$/.test(name);
}

function processes(): { name: string; pid?: number }[] {
  const file = join(ROOT, '.sociograph', STACK, 'processes.json');
  return JSON.parse(readFileSync(file, 'utf8')) as { name: string; pid?: number }[];
}

function pidOf(name: string): number | undefined {
  return processes().find((process) => process.name === name)?.pid;
}
