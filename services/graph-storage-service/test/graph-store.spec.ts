import { randomBytes } from 'node:crypto';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import { ArangoGraph, ArangoGraphQueries } from '../src/infrastructure/arango-graph';
import { InMemoryGraph } from '../src/infrastructure/in-memory';
import { MIGRATIONS } from '../src/infrastructure/migrations';
import { graphStoreContract } from './graph-store.contract';

jest.setTimeout(60_000);

const workspace = (): string => `w${randomBytes(6).toString('hex')}`;

describe('the graph in memory', () => {
  graphStoreContract(async () => {
    const store = new InMemoryGraph();
    return { store, queries: store, workspace: workspace() };
  });
});

describe('the graph in ArangoDB (the stand-in in test mode unless a URL is given)', () => {
  let applied: number[];
  let server: ContractServer;
  let db: ReturnType<typeof connectArango>;

  beforeAll(async () => {
    server = await contractServer({ seed: 7, conflictRate: 0.02 });
    db = connectArango(server);
    applied = await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run();
  });

  afterAll(async () => {
    db.close();
    await server.stop();
  });

  it('applies each migration once', async () => {
    expect(applied).toEqual(MIGRATIONS.map(({ version }) => version));
    expect(await new ArangoMigrations(db, 'graph-storage-service', MIGRATIONS).run()).toEqual([]);
  });

  graphStoreContract(async () => ({
    store: new ArangoGraph(db),
    queries: new ArangoGraphQueries(db),
    workspace: workspace(),
  }));
});
