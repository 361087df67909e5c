import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Fleet, type FleetOptions, fleetOf, marker, serviceEnvironment, STORE_METRICS } from '../fleet';
import { accepts, answersOk, endGroup, lastLines, launchDetached } from '../launch';
import { readProcessFile } from '../process-file';
import { run } from '../run-command';
import type { Servers } from '../servers/catalogue';
import { PlainFault } from '../servers/server';
import { SERVICES, type Stack } from '../stack';
import { askSupervisor, type ProcessStatus } from '../supervisor/control';
import type { ProcessSpec } from '../supervisor/process-spec';

const READY_WITHIN_MS = 60_000;

/** Migrates the databases, hands the fleet to the supervisor (starting it when there is none), waits until it is ready. */
export async function fleetUp(
  servers: Servers,
  options: Partial<FleetOptions>,
  say: (line: string) => void,
): Promise<void> {
  const chosen = rememberedOptions(servers.stack, options);
  await migrate(servers, chosen, say);
  const fleet = fleetOf(servers, chosen);
  for (const program of fleet.missing) say(`${program} is not built: left out`);
  writeTargets(servers, fleet);
  await ensureSupervisor(servers.stack);
  const reply = await askSupervisor(servers.stack.dir, { command: 'apply', processes: fleet.processes });
  if (reply?.ok !== true)
    throw new PlainFault(`The supervisor did not take the fleet: ${reply?.error ?? 'no answer'}`);
  await Promise.all(fleet.processes.map((spec) => untilReady(servers.stack, spec, say)));
}

/** Scale and simulator stay as they were when the call does not name them. */
function rememberedOptions(stack: Stack, options: Partial<FleetOptions>): FleetOptions {
  const file = join(stack.dir, 'fleet-options.json');
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<FleetOptions>) : {};
  const chosen: FleetOptions = {
    scale: options.scale ?? before.scale ?? 1,
    simulator: 'simulator' in options ? options.simulator : before.simulator,
  };
  writeFileSync(file, `${JSON.stringify(chosen, null, 2)}\n`);
  return chosen;
}

async function migrate(servers: Servers, options: FleetOptions, say: (line: string) => void): Promise<void> {
  const { stack } = servers;
  const stampFile = join(stack.dir, 'migrated');
  const stamp = migrationStamp(servers);
  if (stamp !== undefined && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  await Promise.all(
    SERVICES.map(async (service) => {
      const program = join(stack.root, 'services', service, 'dist', 'migrate.js');
      if (!existsSync(program)) return;
      const since = Date.now();
      try {
        await run(process.execPath, ['--enable-source-maps', program], {
          cwd: stack.root,
          env: {
            PATH: process.env['PATH'],
            HOME: process.env['HOME'],
            ...serviceEnvironment(servers, service, 0, options),
          },
        });
      } catch (error) {
        throw new PlainFault(`The migrations of ${service} failed. ${(error as Error).message}`);
      }
      say(`${service.padEnd(22)} migrated, ${((Date.now() - since) / 1000).toFixed(1)} s`);
    }),
  );
  if (stamp !== undefined) writeFileSync(stampFile, stamp);
}

/**
 * Stands for this build on these databases: with the same stamp as last time there is nothing to migrate, and four Node
 * processes need not start to find that out. Undefined where a database is not ours: it may have been emptied meanwhile.
 */
function migrationStamp({ stack, postgres, arango }: Servers): string | undefined {
  const build = join(stack.root, '.sociograph', 'build.stamp');
  if (postgres.given() !== undefined || arango.given() !== undefined || !existsSync(build)) return undefined;
  const made = ['postgres/PG_VERSION', 'arango'].map((path) => statSync(join(stack.dir, 'data', path)).ino);
  return `${readFileSync(build, 'utf8').trim()} ${made.join(' ')}`;
}

async function ensureSupervisor(stack: Stack): Promise<void> {
  if ((await askSupervisor(stack.dir, { command: 'status' })) !== undefined) return;
  await endOrphans(stack);
  const launched = await launchDetached(
    {
      file: process.execPath,
      args: [join(__dirname, '..', 'supervisor', 'main.js'), stack.dir],
      cwd: stack.root,
    },
    join(stack.dir, 'logs', 'supervisor.log'),
  );
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline && !launched.exited()) {
    if ((await askSupervisor(stack.dir, { command: 'status' })) !== undefined) return;
    await pause(50);
  }
  throw new PlainFault(
    `The supervisor did not start:\n${lastLines(join(stack.dir, 'logs', 'supervisor.log'), 12)}`,
  );
}

/** A killed supervisor leaves its fleet running; a new one cannot adopt it, so it is ended first. */
export async function endOrphans(stack: Stack): Promise<void> {
  const servers = new Set(['arango-embedded']);
  await Promise.all(
    readProcessFile(stack.dir)
      .filter((record) => record.pid !== undefined && !servers.has(record.name))
      .map((record) => endGroup(record.pid as number, marker(stack.name), 'SIGTERM', 6000)),
  );
}

async function untilReady(stack: Stack, spec: ProcessSpec, say: (line: string) => void): Promise<void> {
  const since = Date.now();
  const management = spec.ports['management'];
  const ready = (): Promise<boolean> =>
    management === undefined
      ? Promise.all(Object.values(spec.ports).map((port) => accepts(port))).then((all) => all.every(Boolean))
      : answersOk(`http://127.0.0.1:${management}/health/ready`);
  let status: ProcessStatus | undefined;
  while (Date.now() - since < READY_WITHIN_MS) {
    if (await ready()) {
      const [first] = Object.values(spec.ports);
      say(
        `${spec.name.padEnd(22)} ready on 127.0.0.1:${first}, ${((Date.now() - since) / 1000).toFixed(1)} s`,
      );
      return;
    }
    const reply = await askSupervisor(stack.dir, { command: 'status' });
    status = reply?.ok === true ? reply.processes.find((process) => process.name === spec.name) : undefined;
    if (status?.state === 'given up') break;
    await pause(150);
  }
  const log = join(stack.dir, 'logs', `${spec.name}.log`);
  const state =
    status?.state === 'given up' ? 'died ten times and was given up' : `is not ready (${status?.state})`;
  throw new PlainFault(`${spec.name} ${state}. The end of ${log}:\n${lastLines(log, 12)}`);
}

function writeTargets(servers: Servers, fleet: Fleet): void {
  const scraped = fleet.processes.flatMap((spec) => {
    const port = spec.ports['management'] ?? spec.ports['status'];
    if (port === undefined) return [];
    const service = spec.env['SERVICE_NAME'] ?? spec.name;
    return [{ targets: [`127.0.0.1:${port}`], labels: { service, instance: spec.name } }];
  });
  const stores = fleet.processes.filter(({ name }) => name === STORE_METRICS).map(storesTarget);
  if (servers.prometheus.given() !== undefined) return;
  servers.prometheus.writeTargets('fleet', scraped);
  servers.prometheus.writeTargets('stores', stores);
}

/** Not one of the fleet's own: its series are those of servers. */
function storesTarget({ name, ports }: ProcessSpec): { targets: string[]; labels: Record<string, string> } {
  return { targets: [`127.0.0.1:${ports['http']}`], labels: { service: 'stores', instance: name } };
}
