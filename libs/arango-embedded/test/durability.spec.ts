import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, seeded } from '@sociograph/testing';
import { Database } from 'arangojs';
import { specServer } from './server';

/** Compiles on the way, so that the spec tests the sources and not an older build; each file once for all lives. */
const MAIN = `
  const { existsSync, readFileSync, writeFileSync } = require('node:fs');
  const options = { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' }, swcrc: false };
  require('node:module').Module._extensions['.ts'] = (module, file) => {
    const kept = process.env.SPEC_COMPILED + '/' + encodeURIComponent(file);
    if (!existsSync(kept)) writeFileSync(kept, require('@swc/core').transformFileSync(file, options).code);
    module._compile(readFileSync(kept, 'utf8'), file);
  };
  require(${JSON.stringify(join(__dirname, '..', 'src', 'main.ts'))});
`;

/** Kills of one run; each falls somewhere else into the writing. */
const KILLS = 20;
const DOCUMENTS = 60;
const SEED = 20_261_121;

interface Ledger {
  /** Round -> value last acknowledged; undefined once the removal was. */
  acknowledged: Map<number, number | undefined>;
  /** The one request that was under way when the process died: it counts wholly or not at all. */
  open: { round: number; value: number | undefined } | undefined;
}

describe('acknowledged writes', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'arango-durable-'));
  const compiled = mkdtempSync(join(tmpdir(), 'arango-compiled-'));
  const chance = seeded(SEED);
  let child: ChildProcess;

  async function start(): Promise<Database> {
    const env = {
      ...process.env,
      ARANGO_EMBEDDED_DATA_DIR: dataDir,
      ARANGO_EMBEDDED_PORT: '0',
      ARANGO_EMBEDDED_NO_AUTH: '1',
      SPEC_COMPILED: compiled,
    };
    child = spawn(process.execPath, ['-e', MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer];
    const { url } = JSON.parse(line.toString()) as { url: string };
    return new Database({ url, databaseName: 'sociograph' });
  }

  async function kill(): Promise<void> {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  afterAll(async () => {
    if (child.exitCode === null && child.signalCode === null) await kill();
    for (const folder of [dataDir, compiled]) rmSync(folder, { recursive: true, force: true });
  });

  /** Inserts, replaces and removes rounds of 60 edges, one writer for each ledger, until the server is gone. */
  async function writeUntilDeath(db: Database, ledgers: Ledger[], fresh: () => number): Promise<void> {
    await Promise.all(
      ledgers.map(async (ledger) => {
        for (;;) {
          const known = [...ledger.acknowledged].filter(([, value]) => value !== undefined);
          const dice = known.length < 3 ? 0 : chance.next();
          const [old = 0, was = 0] = known[Math.floor(chance.next() * known.length)] ?? [];
          const round = dice < 0.5 ? fresh() : old;
          const value = dice < 0.5 ? 1 : dice < 0.8 ? (was ?? 0) + 1 : undefined;
          ledger.open = { round, value };
          const docs = Array.from({ length: DOCUMENTS }, (_, i) => ({
            _key: `${round}-${i}`,
            _from: `u/${round}`,
            _to: `u/${i}`,
            round,
            value,
          }));
          const edges = db.collection('edges');
          const request =
            dice < 0.5 ? edges.saveAll(docs) : dice < 0.8 ? edges.replaceAll(docs) : edges.removeAll(docs);
          if ((await request.catch(() => undefined)) === undefined) return;
          ledger.acknowledged.set(round, value);
          ledger.open = undefined;
        }
      }),
    );
  }

  /** What is stored of each round, by the documents, by the index and by the edge index. */
  async function stored(db: Database): Promise<Map<number, [value: number, ...counts: number[]]>> {
    const cursor = await db.query<[number, number, number, number, number]>(
      `FOR e IN edges
         COLLECT round = e.round AGGREGATE low = MIN(e.value), high = MAX(e.value), n = COUNT(1)
         LET indexed = LENGTH(FOR i IN edges FILTER i.round == round RETURN 1)
         LET out = LENGTH(FOR i IN edges FILTER i._from == CONCAT("u/", round) RETURN 1)
         RETURN [round, low == high ? low : -1, n, indexed, out]`,
    );
    return new Map((await cursor.all()).map(([round, ...rest]) => [round, rest]));
  }

  function insistOn(found: Map<number, [number, ...number[]]>, ledgers: readonly Ledger[]): void {
    const wanted = new Map<number, number>();
    for (const { acknowledged, open } of ledgers) {
      for (const [round, value] of acknowledged) if (value !== undefined) wanted.set(round, value);
      // Either is right for the request that nobody answered; what is there now counts from here on.
      if (!open) continue;
      const is = found.get(open.round)?.[0];
      expect([acknowledged.get(open.round), open.value]).toContain(is);
      acknowledged.set(open.round, is);
      if (is === undefined) wanted.delete(open.round);
      else wanted.set(open.round, is);
    }
    const complete = [...wanted].map(([round, value]) => [round, [value, DOCUMENTS, DOCUMENTS, DOCUMENTS]]);
    expect(found).toEqual(new Map(complete as [number, [number]][]));
  }

  it(`survive kill -9 in the middle of writing, with their indexes, ${KILLS} times`, async () => {
    let rounds = 0;
    const fresh = (): number => (rounds += 1);
    const ledgers: Ledger[] = Array.from({ length: 3 }, () => ({ acknowledged: new Map(), open: undefined }));
    let db = await start();
    await db.collection('edges').create({ type: 3 } as never);
    await db.collection('edges').ensureIndex({ type: 'persistent', fields: ['round'], name: 'round' });
    for (let life = 1; life <= KILLS; life++) {
      const writing = writeUntilDeath(db, ledgers, fresh);
      const before = rounds;
      await eventually(() => expect(rounds).toBeGreaterThan(before + 2), { everyMs: 1 });
      // Somewhere within the next requests, of which one takes 5 to 30 ms.
      await new Promise((resolve) => setTimeout(resolve, chance.next() * 40));
      await kill();
      await writing;
      db.close();
      db = await start();
      insistOn(await stored(db), ledgers);
      for (const ledger of ledgers) ledger.open = undefined;
    }
    expect(rounds).toBeGreaterThan(3 * KILLS);
    db.close();
  }, 180_000);
});

describe('test mode', () => {
  it('shuffles what has no order and injects conflicts, the same way for the same seed', async () => {
    const outcome = async (): Promise<unknown> => {
      const server = await specServer({ seed: 11, conflictRate: 0.2 });
      try {
        await server.db.collection('items').create();
        const saved = await server.db
          .collection('items')
          .saveAll(Array.from({ length: 50 }, (_, i) => ({ _key: `k${i + 10}` })));
        const conflicts = saved.flatMap((reply, i) =>
          'errorNum' in reply && reply.errorNum === 1200 ? [i] : [],
        );
        const unordered = await (await server.db.query<string>('FOR i IN items RETURN i._key')).all();
        const ordered = await (
          await server.db.query<string>('FOR i IN items SORT i._key RETURN i._key')
        ).all();
        expect(conflicts.length).toBeGreaterThan(2);
        expect(ordered).toEqual([...unordered].sort());
        expect(unordered).not.toEqual(ordered);
        return { conflicts, unordered };
      } finally {
        await server.stop();
      }
    };
    expect(await outcome()).toEqual(await outcome());
  });
});
