import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { MIGRATIONS } from '../infrastructure/migrations';
import { type BenchGraph, load } from './graph';

type Database = ReturnType<typeof connectArango>;

/** A store of this bench's own that holds a graph, on a port and in a folder of its own. */
export interface BenchStore {
  url: string;
  db: Database;
  /** For files of the bench; gone with the store. */
  folder: string;
  close(): void;
}

export async function loadedStore(graph: BenchGraph): Promise<BenchStore> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-store-'));
  const { url, child } = await startStore(join(folder, 'store'));
  const db = connected(url);
  const close = (): void => {
    db.close();
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(db);
    await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
    await load(db, graph);
    return { url, db, folder, close };
  } catch (error) {
    close();
    throw error;
  }
}

export function connected(url: string): Database {
  return connectArango({ url, database: 'sociograph', username: 'bench', password: 'none' });
}

async function startStore(dataDir: string): Promise<{ url: string; child: ChildProcess }> {
  const port = await freePort();
  const program = join(__dirname, '../../../../libs/arango-embedded/dist/main.js');
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ARANGO_EMBEDDED_DATA_DIR: dataDir,
      ARANGO_EMBEDDED_NO_AUTH: '1',
      ARANGO_EMBEDDED_PORT: String(port),
    },
  });
  return { url: `http://127.0.0.1:${port}`, child };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(db: Database): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await db.version();
      return;
    } catch (error) {
      if (tries >= 100) throw error;
      await delay(100);
    }
  }
}

/** mulberry32: the same sequence for the same seed. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
