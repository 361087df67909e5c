import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { startEmbedded, type Arrival, type RunningServer } from '@sociograph/arango-embedded';
import { ApplyObservations, type SeenPerson } from '../src/application/apply-observations';
import { Confirmations } from '../src/application/confirmations';
import { ArangoGraph } from '../src/infrastructure/arango-graph';
import { InMemoryChangeLog, InMemoryMeter } from '../src/infrastructure/in-memory';
import { MIGRATIONS } from '../src/infrastructure/migrations';
import { TimerPause } from '../src/infrastructure/timer-pause';
import { aDocument, aList, seen } from './builders';

const PEOPLE = 2_000;
const FRIENDS = 50;
/** What the issue allows. */
const REQUESTS_PER_1000_EDGES = 3;

/** Counted at the server, not by the client: what the store has to bear for a batch of 2,000 lists of 50. */
describe('the bill of the store', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'store-bill-'));
  const meter = new InMemoryMeter();
  const lists = Array.from({ length: PEOPLE }, (_, i) => ringNeighbours(i));
  let server: RunningServer;
  let db: ReturnType<typeof connectArango>;
  let apply: ApplyObservations;
  const arrived = { requests: 0, writes: 0 };
  let now = 0;
  let stranger = 500_000;

  beforeAll(async () => {
    const config = {
      host: '127.0.0.1',
      port: 0,
      dataDir,
      accounts: undefined,
      database: 'sociograph',
      testMode: { seed: 5, conflictRate: 0 },
    };
    server = await startEmbedded(config, (arrival) => {
      arrived.requests += 1;
      if (writesDocuments(arrival)) arrived.writes += 1;
    });
    db = connectArango({ url: server.url, database: 'sociograph', username: 'spec', password: 'none' });
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
    apply = new ApplyObservations(
      new ArangoGraph(db),
      new InMemoryChangeLog(),
      meter,
      new Confirmations(),
      { nowMs: () => now, monotonicMs: () => now },
      { next: () => 0.5 },
      new TimerPause(),
    );
  }, 60_000);

  afterAll(async () => {
    db.close();
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Requests and changed edges of one batch that looks at all people. */
  async function bill(): Promise<{ requests: number; writes: number; edges: number }> {
    now += 1;
    const before = { ...arrived, edges: changedEdges(meter) };
    const people: SeenPerson[] = lists.map((ids, i) =>
      seen(idOf(i), [aList(now, [...ids])], [aDocument(now, 'Vera')]),
    );
    await apply.execute({ partition: 0, people, positions: {}, heartbeat: async () => {} });
    return {
      requests: arrived.requests - before.requests,
      writes: arrived.writes - before.writes,
      edges: changedEdges(meter) - before.edges,
    };
  }

  it.each<[string, () => void, number]>([
    ['new lists', () => {}, (PEOPLE * FRIENDS) / 2],
    ['a friend more on each list', () => lists.forEach((ids) => ids.push(String(stranger++))), PEOPLE],
    [
      'another friend instead on each list',
      () => lists.forEach((ids) => ids.splice(-1, 1, String(stranger++))),
      2 * PEOPLE,
    ],
    ['a friend less on each list', () => lists.forEach((ids) => ids.splice(-1, 1)), PEOPLE],
  ])(
    'is at most three requests for 1,000 changed edges: %s',
    async (_, change, edges) => {
      change();
      const { requests, edges: changed } = await bill();
      expect(changed).toBe(edges);
      expect(requests).toBeGreaterThan(0);
      expect((requests * 1000) / changed).toBeLessThanOrEqual(REQUESTS_PER_1000_EDGES);
    },
    60_000,
  );

  it('has no write for unchanged lists', async () => {
    expect(await bill()).toEqual({ requests: 2, writes: 0, edges: 0 });
  }, 60_000);
});

function idOf(i: number): string {
  return String(100_000 + i);
}

/** Everyone knows the 25 on either side: each friendship is on two lists. */
function ringNeighbours(i: number): string[] {
  const reach = FRIENDS / 2;
  const steps = Array.from({ length: reach }, (_, n) => n + 1);
  return steps
    .flatMap((step) => [idOf((i + step) % PEOPLE), idOf((i - step + PEOPLE) % PEOPLE)])
    .sort((a, b) => (a < b ? -1 : 1));
}

function writesDocuments({ method, path, query }: Arrival): boolean {
  return path[1] === 'document' && method !== 'GET' && query.get('onlyget') !== 'true';
}

function changedEdges({ counts }: InMemoryMeter): number {
  return ['created', 'changed', 'removed'].reduce((sum, it) => sum + (counts[`friendships ${it}`] ?? 0), 0);
}
