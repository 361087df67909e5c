import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientCredentials, type FleetApi, type TokenSource } from '@sociograph/api-client';
import { type GraphStatistics, graphStatistics, readGraphFile } from '@sociograph/graph-file';
import {
  eventually,
  seeded,
  type ServerControl,
  serverControl,
  type ServerName,
  TcpProxy,
} from '@sociograph/testing';
import { generatedGraph } from '../import-chaos/generated-graph';
import type { Cleanup } from './cleanup';
import { metricsPage, sumOf } from './metrics-page';
import { redirectWord } from './redirects';
import { environmentOf, freeBase, native, ROOT, type ServerEnvironment } from './servers';
import { demoAccount, fleetApi } from './stack-access';
import { unlimitedGateway } from './unlimited-gateway';

/** Of a stack's block of ports. */
const OFFSETS: Readonly<Partial<Record<ServerName, number>>> = {
  postgres: 1,
  'redis-pool': 2,
  'redis-cache': 3,
  rabbitmq: 4,
  kafka: 9,
  keycloak: 11,
  'arango-embedded': 14,
};
/** 80 ms to answer, up to 20 ms on the way there. */
const NETWORK = 'delay=80 jitter=20';

export interface DrillOrder {
  readonly stack: string;
  readonly portBase: number | undefined;
  readonly scale: number;
  readonly people: number;
  readonly friendships: number;
  readonly keys: number;
  readonly seed: number;
  /** Servers that the fleet reaches through a proxy in this process. */
  readonly proxied: readonly ServerName[];
  /** The fleet's folder and logs stay when the run is over. */
  readonly keep: boolean;
}

export interface FleetProcess {
  readonly name: string;
  readonly pid?: number;
  readonly ports: Readonly<Record<string, number>>;
}

/** A whole fleet of its own with a simulator that serves a generated graph, and the hands that break it. */
export class DrillStand {
  private constructor(
    private readonly order: DrillOrder,
    readonly env: ServerEnvironment,
    readonly api: FleetApi,
    readonly expected: GraphStatistics,
    readonly servers: ServerControl,
    readonly proxies: ReadonlyMap<ServerName, TcpProxy>,
    private readonly memoryFolder: string,
  ) {}

  static async open(order: DrillOrder, cleanup: Cleanup): Promise<DrillStand> {
    const { stack, people, friendships, keys, seed, scale, keep } = order;
    const folder = mkdtempSync(join(tmpdir(), 'drill-'));
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    const graph = join(folder, 'graph.txt');
    writeFileSync(graph, generatedGraph(people, friendships, seeded(seed)));
    const expected = graphStatistics(await readGraphFile(graph));
    // What an earlier run left or kept would be counted with this one's graph. A stack that never was ends with 1.
    await native(['down', '--stack', stack, '--purge'], false);
    const tokens = Array.from({ length: keys }, () => `vk1.a.${randomBytes(64).toString('base64url')}`);
    const tokensFile = join('.sociograph', stack, 'run', 'drill-tokens.json');
    mkdirSync(join(ROOT, '.sociograph', stack, 'run'), { recursive: true });
    const list = JSON.stringify(tokens.map((token) => ({ token })));
    writeFileSync(join(ROOT, tokensFile), list, { mode: 0o600 });

    const base = order.portBase ?? (await freeBase());
    const { proxies, redirects } = await proxiesFor(order.proxied, base, cleanup);
    cleanup.add(() => native(['down', '--stack', stack, ...(keep ? [] : ['--purge'])], false));
    const up = [
      ...['up', '--stack', stack, '--port-base', String(base), '--scale', String(scale)],
      ...['--simulator-graph', graph, '--keys', String(keys)],
      ...['--simulator', `${NETWORK} tokens-file=${tokensFile}`],
    ];
    const started = await native(up, true, {
      SOCIOGRAPH_PRELOAD: join(ROOT, 'bench/dist/fleet/preload.js'),
      DRILL_REDIRECT: redirects,
      DRILL_MEMORY_FOLDER: folder,
      GATEWAY_CONFIG: unlimitedGateway(ROOT, folder),
    });
    if (started !== 0) throw new Error('the fleet could not be started: see the lines above');
    const env = environmentOf(stack);
    const api = fleetApi(env);
    await api.registerKeys(tokens);
    const servers = serverControl({ SOCIOGRAPH_STACK: stack });
    return new DrillStand(order, env, api, expected, servers, proxies, folder);
  }

  /** Of the demo's account, for requests that do not go through `api`. */
  tokens(): TokenSource {
    return clientCredentials(demoAccount(this.env));
  }

  get folder(): string {
    return join(ROOT, '.sociograph', this.order.stack);
  }

  /** Of the fleet and its servers, as they are now. */
  processes(): FleetProcess[] {
    return JSON.parse(readFileSync(join(this.folder, 'processes.json'), 'utf8')) as FleetProcess[];
  }

  /** Undefined while it is being started again. */
  pidOf(name: string): number | undefined {
    return this.processes().find((process) => process.name === name)?.pid;
  }

  /** Names of the services' processes, in the order of the fleet. */
  services(): string[] {
    return this.processes()
      .map(({ name }) => name)
      .filter((name) =>
        /^(key|parser|graph-storage|identity)-service-\d+$|^read-model-projector-\d+$/.test(name),
      );
  }

  /** The moment (performance.now) at which the supervisor has another process of that name than `pid`. */
  async startedAgain(name: string, pid: number | undefined, timeoutMs = 20_000): Promise<number> {
    return eventually(
      () => {
        const now = this.pidOf(name);
        return now !== undefined && now !== pid ? performance.now() : false;
      },
      { timeoutMs, everyMs: 20 },
    );
  }

  portOf(name: string, port: string): number {
    const found = this.processes().find((process) => process.name === name)?.ports[port];
    if (found === undefined) throw new Error(`${name} has no port "${port}"`);
    return found;
  }

  /** Page of metrics of a process; undefined while it does not answer. */
  metrics(name: string): Promise<string | undefined> {
    const ports = this.processes().find((process) => process.name === name)?.ports;
    const port = ports?.['management'] ?? ports?.['status'];
    return port === undefined ? Promise.resolve(undefined) : metricsPage(`http://127.0.0.1:${port}/metrics`);
  }

  /** A metric of one process, its series with these labels added up. */
  async metric(name: string, metric: string, ...labels: string[]): Promise<number | undefined> {
    const page = await this.metrics(name);
    return page === undefined ? undefined : sumOf(page, metric, labels);
  }

  async isReady(name: string): Promise<boolean> {
    const port = this.portOf(name, 'management');
    return fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(
      async (response) => (await response.arrayBuffer(), response.ok),
      () => false,
    );
  }

  /** True when nothing is dead, deaf or given up. */
  async isHealthy(): Promise<boolean> {
    return (await native(['status', '--stack', this.order.stack], false)) === 0;
  }

  /** Where a process writes what is left after a forced collection. */
  memoryFile(pid: number): string {
    return join(this.memoryFolder, `${pid}.json`);
  }
}

async function proxiesFor(names: readonly ServerName[], base: number, cleanup: Cleanup) {
  const proxies = new Map<ServerName, TcpProxy>();
  const ports = new Map<number, number>();
  for (const name of names) {
    const offset = OFFSETS[name];
    if (offset === undefined) throw new Error(`no proxy can stand in front of ${name}`);
    const proxy = await new TcpProxy({ target: { port: base + offset } }).start();
    cleanup.add(() => proxy.close());
    proxies.set(name, proxy);
    ports.set(base + offset, proxy.port);
  }
  return { proxies, redirects: redirectWord(ports) };
}
