import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from 'arangojs';
import { specServer } from './server';

/** Compiles on the way, so that the spec tests the sources and not an older build. */
const MAIN = `
  require('@swc/core');
  require('node:module').Module._extensions['.ts'] = (module, file) => {
    const { code } = require('@swc/core').transformFileSync(file, { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' }, swcrc: false });
    module._compile(code, file);
  };
  require(${JSON.stringify(join(__dirname, '..', 'src', 'main.ts'))});
`;

describe('acknowledged writes', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'arango-durable-'));
  let child: ChildProcess;

  async function start(): Promise<Database> {
    const env = {
      ...process.env,
      ARANGO_EMBEDDED_DATA_DIR: dataDir,
      ARANGO_EMBEDDED_PORT: '0',
      ARANGO_EMBEDDED_NO_AUTH: '1',
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
    if (child.exitCode === null) await kill();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('survive kill -9 in the middle of writing, with their indexes', async () => {
    let db = await start();
    await db.collection('edges').create({ type: 3 } as never);
    await db.collection('edges').ensureIndex({ type: 'persistent', fields: ['round'], name: 'round' });
    const acknowledged: number[] = [];
    let dead = false;
    const writer = (async () => {
      for (let round = 0; !dead; round++) {
        const docs = Array.from({ length: 200 }, (_, i) => ({
          _key: `${round}-${i}`,
          _from: `u/${round}`,
          _to: `u/${i}`,
          round,
        }));
        const outcome = await db
          .collection('edges')
          .saveAll(docs)
          .catch(() => undefined);
        if (outcome) acknowledged.push(round);
        else return;
      }
    })();
    while (acknowledged.length < 10) await new Promise((resolve) => setTimeout(resolve, 5));
    await kill();
    dead = true;
    await writer;
    db = await start();
    const cursor = await db.query<[number, number, number]>(
      `FOR round IN @rounds
         LET indexed = LENGTH(FOR e IN edges FILTER e.round == round RETURN 1)
         LET out = LENGTH(FOR e IN edges FILTER e._from == CONCAT("u/", round) RETURN 1)
         RETURN [round, indexed, out]`,
      { rounds: acknowledged },
    );
    expect(await cursor.all()).toEqual(acknowledged.map((round) => [round, 200, 200]));
    const { count } = await db.collection('edges').count();
    expect(count % 200).toBe(0); // a request is committed as a whole or not at all
  }, 60_000);
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
