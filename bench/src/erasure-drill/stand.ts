import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetApi } from '@sociograph/api-client';
import { seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { environmentOf, freeBase, native, needed, ROOT, type ServerEnvironment } from '../fleet/servers';
import { fleetApi } from '../fleet/stack-access';
import { generatedGraph } from '../import-chaos/generated-graph';
import { startNetwork } from '../restore-drill/simulated-network';
import type { ErasureDrillOptions } from './arguments';
import { type Person, withPerson } from './person';

export const STACK = 'erasure';
const KEYS = 20;
/** Has friends enough: early ones are hubs. */
const STEAD = 5;

/** What takes days or minutes in a platform, in seconds. Answers of before stay in the cache of the views for a minute. */
const SHORT_TIMES = {
  ERASURE_SETTLE_MS: '1500',
  ERASURE_CHECK_MS: '2000',
  ERASURE_FILES_MS: '62000',
  PARSER_FORGET_FILES_MS: '2000',
  PROJECTOR_CHECKPOINT_MS: '2000',
  SOCIOGRAPH_KAFKA_SETTINGS: 'log.retention.check.interval.ms=1000 log.cleaner.backoff.ms=1000',
};

/** A fleet without limits of time, and a network with a small graph in which one person cannot be mistaken. */
export class ErasureStand {
  private constructor(
    readonly env: ServerEnvironment,
    readonly api: FleetApi,
    readonly folder = join(ROOT, '.sociograph', STACK),
  ) {}

  static async open(options: ErasureDrillOptions, person: Person, cleanup: Cleanup): Promise<ErasureStand> {
    const { people, seed, keep } = options;
    const folder = mkdtempSync(join(tmpdir(), 'erasure-drill-'));
    cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    const graph = join(folder, 'graph.txt');
    writeFileSync(graph, withPerson(generatedGraph(people, 4 * people, seeded(seed)), STEAD, person));
    const network = await startNetwork(folder, graph, KEYS, {
      called: `${person.id}=${person.first}/${person.last}`,
      ...{ delay: '20', groups: '8', memberships: '3', posts: '6', 'post-length': '80' },
    });
    cleanup.add(() => network.stop());
    // A stack that never was ends with 1.
    await native(['down', '--stack', STACK, '--purge'], false);
    cleanup.add(() => native(['down', '--stack', STACK, ...(keep ? [] : ['--purge'])], false));
    const base = options.portBase ?? (await freeBase());
    const up = await native(['up', '--stack', STACK, '--port-base', String(base)], true, {
      ...SHORT_TIMES,
      VK_API_URL: `${network.url}/method`,
    });
    if (up !== 0) throw new Error('the fleet could not be started: see the lines above');
    const env = environmentOf(STACK);
    const api = fleetApi(env, network.url);
    await api.registerKeys(network.tokens);
    return new ErasureStand(env, api);
  }

  /** A command of a service that an operator has, with the accounts of the stack. Throws when it does not end with 0. */
  async command(
    service: string,
    program: string,
    words: readonly string[],
    names: readonly string[],
  ): Promise<void> {
    const prefix = service.toUpperCase().replaceAll('-', '_');
    const file = join(ROOT, 'services', service, 'dist', program);
    const own = Object.fromEntries(names.map((name) => [name, needed(this.env, `${prefix}_${name}`)]));
    const child = spawn(process.execPath, ['--enable-source-maps', file, ...words], {
      cwd: ROOT,
      // Standard output is the verdict's.
      stdio: ['ignore', 2, 2],
      env: { ...process.env, ...own },
    });
    const code = await new Promise<number>((done, failed) => {
      child.once('error', failed);
      child.once('exit', (status) => done(status ?? 1));
    });
    if (code !== 0) throw new Error(`${service}'s ${program} ended with ${code}: see the lines above`);
  }
}
