import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArangoMigrations, connectArango, runNamed } from '@sociograph/arango';
import { startEmbedded, type RunningServer } from '@sociograph/arango-embedded';
import { seeded } from '@sociograph/testing';
import { ApplyObservations } from '../src/application/apply-observations';
import { Confirmations } from '../src/application/confirmations';
import { ArangoGraph } from '../src/infrastructure/arango-graph';
import { InMemoryChangeLog, InMemoryMeter } from '../src/infrastructure/in-memory';
import { MIGRATIONS } from '../src/infrastructure/migrations';
import { TimerPause } from '../src/infrastructure/timer-pause';
import { aDocument, aList } from './builders';

const SEEDS = 20;
const PEOPLE = 36;
const OBSERVATIONS = 300;
const DUPLICATES = 5;
/** How far a record may be from where it belongs. */
const SHUFFLED_WITHIN = 1_000;

interface Look {
  id: string;
  at: number;
  kind: 'complete' | 'partial' | 'deleted' | 'nothing' | 'person';
  ids: string[];
}

type Chance = () => number;

/** The whole write side over the store in test mode: conflicts by chance, results in any order. */
describe('whatever is repeated and however it is shuffled', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'any-order-'));
  let server: RunningServer;
  let db: ReturnType<typeof connectArango>;

  beforeAll(async () => {
    server = await startEmbedded({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      accounts: undefined,
      database: 'sociograph',
      testMode: { seed: 9, conflictRate: 0.01 },
    });
    db = connectArango({ url: server.url, database: 'sociograph', username: 'spec', password: 'none' });
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
  }, 60_000);

  afterAll(async () => {
    db.close();
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))(
    'the store ends in the state of the clean run (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const chance = (): number => random.next();
      const looks = Array.from({ length: OBSERVATIONS }, (_, at) => aLook(at + 1, chance));
      const clean = `clean${seed}`;
      const wild = `wild${seed}`;
      await applyAll(clean, looks, chance);
      await applyAll(wild, shuffled(repeated(looks), chance), chance);
      const state = await stateOf(clean);
      expect(await stateOf(wild)).toEqual(state);
      expect(state.people.length).toBe(PEOPLE);
      expect(state.friendships.some((line) => line.endsWith('disputed'))).toBe(true);
    },
    60_000,
  );

  async function applyAll(workspaceId: string, stream: readonly Look[], chance: Chance): Promise<void> {
    const apply = new ApplyObservations(
      new ArangoGraph(db),
      new InMemoryChangeLog(),
      new InMemoryMeter(),
      new Confirmations(),
      { nowMs: () => 1, monotonicMs: () => 0 },
      { next: chance },
      new TimerPause(),
    );
    for (let at = 0; at < stream.length;) {
      const batch = stream.slice(at, (at += 1 + Math.floor(chance() * 400)));
      const people = [...new Set(batch.map(({ id }) => id))].map((id) => {
        const own = batch.filter((look) => look.id === id);
        return {
          ref: { workspaceId, network: 'vk', id },
          seen: {
            lists: own.flatMap(({ kind, at: time, ids }) =>
              kind === 'person' ? [] : [aList(time, ids, kind)],
            ),
            documents: own.flatMap(({ kind, at: time }) =>
              kind === 'person' ? [aDocument(time, `Name ${time % 3}`)] : [],
            ),
          },
        };
      });
      await apply.execute({ partition: 0, people, positions: {}, heartbeat: async () => {} });
    }
  }

  async function stateOf(workspaceId: string): Promise<{ people: string[]; friendships: string[] }> {
    const people = await runNamed<string>(
      db,
      {
        text: `
          FOR u IN users
            FILTER u.workspaceId == @workspaceId
            LET added = u.list.added == null ? [] : ATTRIBUTES(u.list.added)
            SORT u.id
            RETURN CONCAT(u.id, " ", u.list.base.kind, " ", u.document.content.profile.firstName, " ",
                          CONCAT_SEPARATOR(",", SORTED_UNIQUE(UNION(u.list.base.ids || [], added))))`,
      },
      { workspaceId },
    );
    const friendships = await runNamed<string>(
      db,
      {
        text: `
          FOR e IN friendships
            FILTER e._key > @low AND e._key < @high
            SORT e._key
            RETURN CONCAT(SUBSTRING(e._key, LENGTH(@low)), " ", e.low == null ? "" : "low", " ",
                          e.high == null ? "" : "high", " ", e.deniedAt == null ? "" : "disputed")`,
      },
      { low: `${workspaceId}.`, high: `${workspaceId}/` },
    );
    return { people, friendships };
  }
});

function aLook(at: number, chance: Chance): Look {
  const id = String(100 + Math.floor(chance() * PEOPLE));
  const dice = chance();
  const kind =
    dice < 0.15
      ? 'person'
      : dice < 0.8
        ? 'complete'
        : dice < 0.92
          ? 'partial'
          : dice < 0.95
            ? 'deleted'
            : 'nothing';
  const asserts = kind === 'complete' || kind === 'partial';
  const others = Array.from({ length: PEOPLE }, (_, n) => String(100 + n)).filter((other) => other !== id);
  return { id, at, kind, ids: asserts ? others.filter(() => chance() < 0.2) : [] };
}

function repeated(looks: readonly Look[]): Look[] {
  return looks.flatMap((look) => Array.from({ length: DUPLICATES }, () => look));
}

/** Each record ends up at most `SHUFFLED_WITHIN` places from where it was. */
function shuffled(looks: readonly Look[], chance: Chance): Look[] {
  return looks
    .map((look, at) => ({ look, place: at + chance() * SHUFFLED_WITHIN }))
    .sort((a, b) => a.place - b.place)
    .map(({ look }) => look);
}
