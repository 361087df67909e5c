import { randomBytes } from 'node:crypto';
import { clientCredentials, type TokenSource } from '@sociograph/api-client';
import { encodePositions } from '@sociograph/contracts';
import { createKafka, EventPublisher } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { eventually, workspaceOf } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { environmentOf, freeBase, native, needed, type ServerEnvironment } from '../fleet/servers';
import { demoAccount } from '../fleet/stack-access';
import { Observer, type Scope } from './observer';
import { processesOf } from './processes';
import { ViewsReader } from './views-reader';
import type { World } from './world';

const OWN_STACK = 'graph';
const PROJECTOR = 'read-model-projector-0';
const STORAGE = 'graph-storage-service-0';

/** A fleet, and in it a graph of this run's alone. */
export interface GraphStand {
  readonly env: ServerEnvironment;
  readonly scope: Scope;
  readonly world: World;
  readonly observer: Observer;
  readonly views: ViewsReader;
  /** Ids of the processes as they are now. */
  pids(): Map<string, number>;
  pidOf(which: 'projector' | 'storage'): number;
  /** A service's metric, all its series added up; with `label`, those that hold this text. */
  metric(which: 'projector' | 'storage', name: string, label?: string): Promise<number>;
  /** Resolves when the views include all that was shown. */
  settled(): Promise<void>;
}

/** The fleet of a stack that runs; without a name one of our own, which is removed afterwards. */
export async function openStand(
  { stack, world }: { stack: string | undefined; world: World },
  cleanup: Cleanup,
): Promise<GraphStand> {
  const name = stack ?? OWN_STACK;
  if (stack === undefined) await startOwn(cleanup);
  const env = environmentOf(name);
  const tokens = clientCredentials(demoAccount(env));
  const scope = await scopeOf(tokens);
  const base = Number(new URL(needed(env, 'GATEWAY_URL')).port) - 20;
  const views = new ViewsReader(`http://127.0.0.1:${base + 130}`, tokens);
  cleanup.add(() => views.close());
  const publisher = publisherOn(env);
  cleanup.add(() => publisher.close());
  const observer = new Observer(publisher, scope, world);
  const pids = (): Map<string, number> => processesOf(name);
  const management = { projector: base + 230, storage: base + 220 };
  return {
    ...{ env, scope, world, observer, views, pids },
    pidOf: (which) => {
      const pid = pids().get(which === 'projector' ? PROJECTOR : STORAGE);
      if (pid === undefined) throw new Error(`no ${which} runs in the stack ${name}`);
      return pid;
    },
    metric: async (which, metric, label = '') => {
      const text = await (await fetch(`http://127.0.0.1:${management[which]}/metrics`)).text();
      return text
        .split('\n')
        .filter((line) => new RegExp(`^${metric}[{ ]`).test(line) && line.includes(label))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    settled: async () => {
      const token = encodePositions(observer.positions);
      // Rankings are read from rows, which come last.
      const path = `/v1/graphs/${scope.network}/rankings/degree?limit=1&min-position=${token}`;
      await eventually(async () => (await views.get(path)).status === 200, {
        timeoutMs: 20 * 60_000,
        everyMs: 20,
      });
    },
  };
}

async function startOwn(cleanup: Cleanup): Promise<void> {
  cleanup.add(() => native(['down', '--stack', OWN_STACK, '--purge'], false));
  const up = ['up', '--stack', OWN_STACK, '--port-base', String(await freeBase())];
  if ((await native(up, true)) !== 0) throw new Error('the fleet could not be started: see the lines above');
}

async function scopeOf(tokens: TokenSource): Promise<Scope> {
  return {
    workspaceId: workspaceOf(await tokens.token()),
    network: `bench-${randomBytes(4).toString('hex')}`,
  };
}

function publisherOn(env: ServerEnvironment): EventPublisher {
  const kafka = createKafka({
    brokers: needed(env, 'KAFKA_BROKERS'),
    username: env['PARSER_SERVICE_KAFKA_USERNAME'],
    password: env['PARSER_SERVICE_KAFKA_PASSWORD'],
    clientId: 'bench-graph',
    logger: createLogger({ service: 'bench', instance: 'graph', level: 'error' }),
  });
  return new EventPublisher({ kafka, source: 'bench' });
}
