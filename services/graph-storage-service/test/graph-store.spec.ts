import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { startEmbedded, type RunningServer } from '@sociograph/arango-embedded';
import { ArangoGraph, ArangoGraphQueries } from '../src/infrastructure/arango-graph';
import { InMemoryGraph } from '../src/infrastructure/in-memory';
import { MIGRATIONS } from '../src/infrastructure/migrations';
import { graphStoreContract } from './graph-store.contract';

const workspace = (): string => `w${randomBytes(6).toString('hex')}`;

describe('the graph in memory', () => {
  graphStoreContract(async () => {
    const store = new InMemoryGraph();
    return { store, queries: store, workspace: workspace() };
  });
});

describe('the graph in ArangoDB (stand-in, test mode)', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'graph-store-'));
  let applied: number[];
  let server: RunningServer;
  let db: ReturnType<typeof connectArango>;

  beforeAll(async () => {
    server = await startEmbedded({
      host: '127.0.0.1',
      port: 0,
      dataDir,
      accounts: [{ username: 'spec', password: 'spec-password', databases: ['sociograph'] }],
      database: 'sociograph',
      testMode: { seed: 7, conflictRate: 0.02 },
    });
    db = connectArango({
      url: server.url,
      database: 'sociograph',
      username: 'spec',
      password: 'spec-password',
    });
    applied = await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
  });

  afterAll(async () => {
    db.close();
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('applies each migration once', async () => {
    expect(applied).toEqual([1, 2, 3]);
    expect(await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run()).toEqual([]);
  });

  graphStoreContract(async () => ({
    store: new ArangoGraph(db),
    queries: new ArangoGraphQueries(db),
    workspace: workspace(),
  }));
});
