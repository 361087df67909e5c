import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contractTarget, type ContractTarget, type TestModeConfig } from './config';
import { startEmbedded } from './start';

/** A database that goes with the spec which asked for it, at this server or at a real one. */
export interface ContractServer {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  stop(): Promise<void>;
}

/**
 * The server that contract specs talk to: the stand-in, started in this process, or the ArangoDB that
 * ARANGO_CONTRACT_URL names (`npm run test:arango`), where a database with a random name is made.
 */
export async function contractServer(testMode?: TestModeConfig): Promise<ContractServer> {
  const target = contractTarget();
  return target ? databaseAt(target) : standIn(testMode);
}

async function standIn(testMode: TestModeConfig | undefined): Promise<ContractServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'arango-contract-'));
  const account = { username: 'spec', password: 'spec-password', databases: ['sociograph', '_system'] };
  const server = await startEmbedded({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    accounts: [account],
    database: 'sociograph',
    testMode,
  });
  return {
    ...account,
    url: server.url,
    database: 'sociograph',
    async stop() {
      await server.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function databaseAt({ url, username, password }: ContractTarget): Promise<ContractServer> {
  const database = `contract_${randomBytes(8).toString('hex')}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const call = async (method: string, path: string, body?: object): Promise<void> => {
    const response = await fetch(`${url}/_db/_system/_api/database${path}`, {
      method,
      headers: { authorization },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} of database ${database} answers ${response.status}`);
    await response.arrayBuffer();
  };
  await call('POST', '', { name: database });
  return { url, database, username, password, stop: () => call('DELETE', `/${database}`) };
}
