import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientCredentials } from '@sociograph/api-client';
import { graphStatistics, readGraphFile } from '@sociograph/graph-file';
import { eventually, seeded } from '@sociograph/testing';
import type { Cleanup } from '../fleet/cleanup';
import { deadLetters } from '../fleet/dead-letters';
import { EndlessImports, pause } from '../fleet/endless-imports';
import { differencesAfter } from '../fleet/import-faults';
import { metricsPage, sumOf } from '../fleet/metrics-page';
import { RequestLoad } from '../fleet/request-load';
import { freeBase, needed, ROOT, type ServerEnvironment } from '../fleet/servers';
import { demoAccount, fleetApi } from '../fleet/stack-access';
import { unlimitedGateway } from '../fleet/unlimited-gateway';
import { usualRequests } from '../fleet/usual-requests';
import { generatedGraph } from '../import-chaos/generated-graph';
import { startNetwork } from '../restore-drill/simulated-network';
import type { UpgradeOptions } from './arguments';
import { FleetHands, type ProcessSpec } from './fleet-hands';
import { bootstrap, checkOut, commitOf, endOf, previousVersion } from './old-checkout';
import { missesOf, type UpgradeVerdict } from './verdict';

const STACK = 'upgrade-drill';
const READY_WITHIN_MS = 60_000;
const CALM_MS = 10 * 60_000;
const NEARLY = 0.8;

/** The gateway is one process natively, and goes on as it is: in production Kong is upgraded by its own means. */
const REPLACED = /^(key|parser|graph-storage|identity)-service-\d+$|^read-model-projector-\d+$/;

/** The fleet of an older commit under load, replaced process by process by this checkout's. */
export async function runUpgrade(
  options: UpgradeOptions,
  cleanup: Cleanup,
  say: (line: string) => void,
): Promise<UpgradeVerdict> {
  const folder = mkdtempSync(join(tmpdir(), 'upgrade-'));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  const old = join(folder, 'old');
  const from = commitOf(options.from ?? previousVersion());
  checkOut(from, old);
  say(`> ${from} is checked out`);

  const graph = join(folder, 'graph.txt');
  writeFileSync(graph, generatedGraph(options.people, options.friendships, seeded(1)));
  const expected = graphStatistics(await readGraphFile(graph));
  const network = await startNetwork(folder, graph, options.keys);
  cleanup.add(() => network.stop());
  const env = { VK_API_URL: `${network.url}/method`, GATEWAY_CONFIG: unlimitedGateway(old, folder) };
  cleanup.add(() => bootstrap(old, ['down', '--stack', STACK, '--purge'], env));
  const base = options.portBase ?? (await freeBase());
  await bootstrap(old, ['up', '--stack', STACK, '--port-base', String(base), '--scale', '2'], env);

  const servers = environmentIn(old);
  const gatewayUrl = needed(servers, 'GATEWAY_URL');
  const api = fleetApi(servers, network.url);
  await api.registerKeys(network.tokens);
  const seeds = await api.seeds();
  await api.ended((await api.startImport({ seeds })).id);
  say('> the older fleet has imported the graph; the load begins');

  const next = await usualRequests(api, seeded(1), { posts: true });
  const load = new RequestLoad(gatewayUrl, clientCredentials(demoAccount(servers)), next).open(
    options.perSecond,
  );
  const order = { network: 'vk', seeds, include: ['friends'] };
  const imports = new EndlessImports(api, order, NEARLY * expected.users).start();
  await pause(options.restMs);
  const replaced = await replaceAll(new FleetHands(old, STACK, env), old, options.restMs, say);
  const answered = await load.stop();
  say(`> ${answered.sent} requests were sent; imports that were begun come to their end`);
  const ended = await imports.stop(CALM_MS);
  const figures = {
    from,
    replaced,
    load: answered,
    offered: options.perSecond,
    imports: ended.length,
    dead: await deadLetters(servers),
    refused: (await api.stats()).totals.refused,
    differences: await differencesAfter(api, ended, expected),
  };
  const misses = missesOf(figures);
  return { ...figures, misses, passed: misses.length === 0 };
}

/** What the new version wants of the servers, its migrations while the older one goes on, then one instance after the other. */
async function replaceAll(
  hands: FleetHands,
  old: string,
  restMs: number,
  say: (line: string) => void,
): Promise<string[]> {
  let running: readonly ProcessSpec[] = await hands.specs(old);
  const wanted = (await hands.specs(ROOT)).filter(({ name }) => REPLACED.test(name));
  await hands.fill(ROOT);
  for (const spec of wanted.filter(({ name }) => name.endsWith('-0'))) await migrate(spec);
  say('> migrated; the older processes go on');
  const gateway = running.find(({ name }) => name === 'gateway')?.ports['status'];
  const replaced: string[] = [];
  for (const spec of wanted) {
    const before = pidIn(old, spec.name);
    running = running.map((each) => (each.name === spec.name ? spec : each));
    await hands.apply(running);
    await eventually(
      async () => {
        const now = pidIn(old, spec.name);
        return now !== undefined && now !== before && (await isReady(spec)) && isServed(spec, gateway);
      },
      { timeoutMs: READY_WITHIN_MS, everyMs: 100 },
    );
    say(`  ${spec.name} is of this checkout`);
    replaced.push(spec.name);
    await pause(restMs);
  }
  return replaced;
}

async function migrate({ env, name }: ProcessSpec): Promise<void> {
  const service = name.replace(/-\d+$/, '');
  const program = join(ROOT, 'services', service, 'dist', 'migrate.js');
  const child = spawn(process.execPath, [program], { cwd: ROOT, env, stdio: ['ignore', 'ignore', 2] });
  await endOf(child, `the migrations of ${service}`);
}

/** As the older checkout's supervisor wrote it down; undefined between two processes. */
function pidIn(old: string, name: string): number | undefined {
  const file = join(old, '.sociograph', STACK, 'processes.json');
  const processes = JSON.parse(readFileSync(file, 'utf8')) as { name: string; pid?: number }[];
  return processes.find((process) => process.name === name)?.pid;
}

async function isReady({ ports }: ProcessSpec): Promise<boolean> {
  const url = `http://127.0.0.1:${ports['management']}/health/ready`;
  return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
}

/** That the gateway gives it requests: a process that was away may be ready a few probes before that. */
async function isServed({ ports }: ProcessSpec, gateway: number | undefined): Promise<boolean> {
  const page = await metricsPage(`http://127.0.0.1:${gateway}/metrics`);
  const labels = [`address="127.0.0.1:${ports['http']}"`, 'state="healthy"'];
  return page !== undefined && sumOf(page, 'kong_upstream_target_health', labels) > 0;
}

function environmentIn(old: string): ServerEnvironment {
  const text = readFileSync(join(old, '.sociograph', STACK, 'env.json'), 'utf8');
  return JSON.parse(text) as ServerEnvironment;
}
