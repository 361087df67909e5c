import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ImportView } from '@sociograph/api-client';
import { eventually } from '@sociograph/testing';
import { Fleet, native, pidOf, useWorkspace } from './fleet';

jest.setTimeout(400_000);

const EGO_FACEBOOK = join(__dirname, '../infra/vk-simulator/data/ego-facebook.txt.gz');
/** Few enough that every fault falls into the import: processes are back within seconds, servers need up to half a minute. */
const KEYS = { processes: 2, servers: 1 };

/** What is killed at the same time: identity-service is no step of an import, and needs no turn of its own. */
const TURNS = [
  ['key-service-0'],
  ['parser-service-0'],
  ['graph-storage-service-0'],
  ['read-model-projector-0'],
  ['gateway'],
  ['jwks-reconciler', 'identity-service-0'],
  ['vk-simulator'],
];
const SERVERS = ['postgres', 'redis-pool', 'redis-cache', 'rabbitmq', 'kafka', 'arango-embedded', 'keycloak'];

describe('an import whose fleet is hit', () => {
  it('by kill -9 of each process in turn ends with the exact figures', async () => {
    const { fleet, id } = await startedImport(KEYS.processes);
    for (const names of TURNS) {
      await progressBeyond(fleet, id);
      const killed = names.map((name) => [name, fleet.kill(name)] as const);
      for (const [name, pid] of killed)
        await eventually(() => expect(pidOf(name)).not.toBe(pid), { timeoutMs: 10_000, everyMs: 100 });
    }
    await expectExactFigures(fleet, id);
  });

  it('by a restart of each server in turn ends with the exact figures', async () => {
    const { fleet, id } = await startedImport(KEYS.servers);
    for (const name of SERVERS) {
      await progressBeyond(fleet, id);
      await native(['up', 'restart', name]);
    }
    await expectExactFigures(fleet, id);
  });
});

async function startedImport(keys: number): Promise<{ fleet: Fleet; id: string }> {
  await useWorkspace(`e2e-${randomUUID().slice(0, 8)}`);
  const fleet = await Fleet.up(EGO_FACEBOOK, { keys });
  await fleet.registerKeys();
  return { fleet, id: await fleet.startImport() };
}

/** Waits until the import made another call, so that each fault hits work. */
async function progressBeyond(fleet: Fleet, id: string): Promise<void> {
  const look = async (): Promise<ImportView> => fleet.api.get<ImportView>(`/v1/imports/${id}`);
  let before: number | undefined;
  await eventually(
    async () => {
      const view = await look();
      before ??= view.counters.calls.made;
      expect(view.state).toBe('running');
      expect(view.counters.calls.made).toBeGreaterThan(before);
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );
}

async function expectExactFigures(fleet: Fleet, id: string): Promise<void> {
  const finished = await fleet.completed(id, 180_000);
  const summary = await fleet.api.summaryAfter(finished);
  expect(summary).toMatchObject({
    users: 4039,
    friendships: 88234,
    triangles: 1612010,
    components: { count: 1, largest: 4039 },
  });
  expect(summary.averageClustering).toBeCloseTo(0.605547, 6);
  expect(summary.closedTriangleFraction).toBeCloseTo(0.264662, 6);
  expect(await fleet.api.certificate(id)).toMatchObject({
    final: true,
    got: { people: 4039, lists: 4039 },
    gaps: [],
  });
}
