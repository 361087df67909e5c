import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, TcpProxy } from '@sociograph/testing';
import { Redis } from 'ioredis';
import type { Cleanup } from '../fleet/cleanup';
import { KeyServiceHome, type RunningKeyService } from '../fleet/key-service-home';
import { type OwnRedis, startRedis } from '../fleet/own-redis';
import { ROOT, type ServerEnvironment } from '../fleet/servers';
import { SimulatorProcess } from '../fleet/simulator-process';
import { faketimeLibrary, shifted, SteppedClock } from './faketime';
import { ManagedProcess } from './managed-process';
import { machineNow } from './system-clock';
import type { Loss, Presence } from './verdict';
import { type ChaosWorkerSettings, type LeaseRecord, SETTINGS_VARIABLE } from './worker/protocol';

export interface StandOptions {
  keys: number;
  workers: number;
  keyServices: number;
  seed: number;
  jitterMs: number;
  /** Wall clocks of the workers are off by so much, in turn. */
  workerClocksMs: readonly number[];
  /** The method that is called, its day's budget at the simulator and the limits that the pool is told. */
  method: string;
  budgetPerDay?: number;
  limits?: object;
}

export interface PoolKeys {
  workspaceId: string;
  /** Id in the pool by the simulator's name of the key. */
  idOf: ReadonlyMap<string, string>;
}

/** A pool under test: its own Redis under libfaketime, simulator, key-services, workers, and proxies before the broker. */
export class Stand {
  readonly presences: Presence[] = [];
  readonly losses: Loss[] = [];

  private constructor(
    readonly options: StandOptions,
    readonly simulator: SimulatorProcess,
    readonly redis: OwnRedis,
    readonly admin: Redis,
    readonly clock: SteppedClock,
    readonly keys: PoolKeys,
    readonly proxies: Readonly<Record<'worker' | 'key-service', TcpProxy>>,
    private readonly folder: string,
  ) {}

  keyServices: ManagedProcess[] = [];
  workers: ManagedProcess[] = [];

  static async start(env: ServerEnvironment, options: StandOptions, cleanup: Cleanup): Promise<Stand> {
    const folder = mkdtempSync(join(tmpdir(), 'pool-chaos-'));
    mkdirSync(join(folder, 'records'));
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    const library = await faketimeLibrary();
    const clock = new SteppedClock(library, join(folder, 'redis-clock'));
    const simulator = await SimulatorProcess.start({
      keys: String(options.keys),
      seed: String(options.seed),
      jitter: String(options.jitterMs),
      delay: '80',
      ...(options.budgetPerDay !== undefined && { budget: `${options.method}=${options.budgetPerDay}` }),
    });
    cleanup.add(() => simulator.stop());
    const redis = await startRedis([
      'env',
      ...Object.entries(clock.env).map(([name, value]) => `${name}=${value}`),
    ]);
    cleanup.add(() => redis.stop());
    const admin = new Redis(redis.url, { maxRetriesPerRequest: null, retryStrategy: () => 100 });
    admin.on('error', () => undefined);
    cleanup.add(() => admin.disconnect());
    const home = await KeyServiceHome.make(env);
    cleanup.add(() => home.close());
    const first = await home.start(redis.url);
    cleanup.add(() => first.stop());
    const keys = await registered(first, simulator, options.limits);
    // What follows is started the same way, but through proxies and watched; the first one only registered.
    await first.handle.end();
    const broker = new URL(first.workerRabbitUrl);
    const target = { host: broker.hostname, port: Number(broker.port || 5672) };
    const proxies = {
      worker: await new TcpProxy({ target }).start(),
      'key-service': await new TcpProxy({ target }).start(),
    };
    cleanup.add(() => Promise.all(Object.values(proxies).map((proxy) => proxy.close())));
    const stand = new Stand(options, simulator, redis, admin, clock, keys, proxies, folder);
    stand.presences.push({ at: machineNow(), who: 'redis', there: true });
    await stand.#startKeyServices(first.env, cleanup);
    await stand.#startWorkers(first.workerRabbitUrl, first.identityKeyPem, library, cleanup);
    return stand;
  }

  async #startKeyServices(env: Readonly<Record<string, string>>, cleanup: Cleanup): Promise<void> {
    const program = join(ROOT, 'services/key-service/dist/main.js');
    for (let index = 0; index < this.options.keyServices; index += 1) {
      const ports = { HTTP_PORT: String(await freePort()), MANAGEMENT_PORT: String(await freePort()) };
      this.keyServices.push(
        new ManagedProcess(
          `key-service ${index}`,
          {
            command: process.execPath,
            args: ['--enable-source-maps', program],
            env: {
              ...env,
              ...ports,
              INSTANCE_ID: String(index),
              RABBITMQ_URL: through(env['RABBITMQ_URL'] ?? '', this.proxies['key-service']),
            },
          },
          /service started/,
          this.presences,
        ),
      );
    }
    cleanup.add(() => Promise.all(this.keyServices.map((process) => process.end())));
    await Promise.all(this.keyServices.map((process) => process.start()));
  }

  async #startWorkers(
    rabbitUrl: string,
    identityKeyPem: string,
    library: string,
    cleanup: Cleanup,
  ): Promise<void> {
    const { workers, workerClocksMs, method } = this.options;
    const quota = this.simulator.tokens.reduce((sum, token) => sum + token.perSecond, 0);
    for (let instance = 0; instance < workers; instance += 1) {
      const settings: ChaosWorkerSettings = {
        instance,
        baseUrl: this.simulator.baseUrl,
        rabbitUrl: through(rabbitUrl, this.proxies.worker),
        identityKeyPem,
        workspaceId: this.keys.workspaceId,
        // A call is on its way for about half a second: enough to keep all windows full when one more is away.
        lanes: Math.ceil(quota / workers) + 2,
        method,
        recordsFile: join(this.folder, 'records', `${instance}.jsonl`),
      };
      const clockMs = workerClocksMs[instance % Math.max(1, workerClocksMs.length)] ?? 0;
      this.workers.push(
        new ManagedProcess(
          `worker ${instance}`,
          {
            command: process.execPath,
            args: ['--enable-source-maps', join(ROOT, 'bench/dist/pool-chaos/worker/main.js')],
            env: {
              PATH: process.env['PATH'],
              [SETTINGS_VARIABLE]: JSON.stringify(settings),
              ...(clockMs !== 0 && shifted(library, clockMs)),
            },
          },
          /worker started/,
          this.presences,
        ),
      );
    }
    cleanup.add(() => Promise.all(this.workers.map((process) => process.end())));
    await Promise.all(this.workers.map((process) => process.start()));
  }

  /** Redis lost what it knew, or may have. */
  lost(what: string): void {
    this.losses.push({ at: machineNow(), what });
  }

  /** What the workers wrote down. */
  records(): LeaseRecord[] {
    return this.#lines().filter((line): line is LeaseRecord => 'keyId' in line);
  }

  /** Requests that the pool denied, by reason, of workers that ended in order. */
  denied(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const line of this.#lines()) {
      if (!('denied' in line)) continue;
      for (const [reason, count] of Object.entries(line.denied))
        counts[reason] = (counts[reason] ?? 0) + count;
    }
    return counts;
  }

  #lines(): WrittenLine[] {
    const folder = join(this.folder, 'records');
    return readdirSync(folder).flatMap((name) => readLines(readFileSync(join(folder, name), 'utf8')));
  }
}

type WrittenLine = LeaseRecord | { denied: Record<string, number> };

/** A line that a kill cut off is left out. */
function readLines(text: string): WrittenLine[] {
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as WrittenLine];
    } catch {
      return [];
    }
  });
}

async function registered(
  service: RunningKeyService,
  { tokens }: SimulatorProcess,
  limits: object | undefined,
): Promise<PoolKeys> {
  const { workspaceId, ids } = await service.register(
    tokens.map(({ token, kind, name }) => ({
      token,
      kind,
      label: name,
      ...(limits !== undefined && { limits }),
    })),
  );
  return { workspaceId, idOf: new Map(tokens.map(({ name }, index) => [name, ids[index] ?? name])) };
}

function through(url: string, proxy: TcpProxy): string {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(proxy.port);
  return changed.href;
}
