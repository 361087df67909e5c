import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from 'arangojs';
import { startEmbedded, type TestModeConfig } from '../src';

export const ACCOUNT = { username: 'spec', password: 'spec-password', databases: ['sociograph', '_system'] };

export interface SpecServer {
  url: string;
  db: Database;
  /** A request without arangojs: status, headers and parsed body. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  stop(): Promise<void>;
}

export interface Reply {
  status: number;
  headers: Headers;
  body: unknown;
}

/** A server in this process on a free port, over a folder that goes with it. */
export async function specServer(testMode?: TestModeConfig): Promise<SpecServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'arango-embedded-'));
  const server = await startEmbedded({
    host: '127.0.0.1',
    port: 0,
    dataDir,
    accounts: [ACCOUNT],
    database: 'sociograph',
    testMode,
  });
  const db = new Database({ url: server.url, databaseName: 'sociograph', auth: ACCOUNT });
  const authorization = `Basic ${Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64')}`;
  return {
    url: server.url,
    db,
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${server.url}${path}`, {
        method,
        headers: { authorization, ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
    },
    async stop() {
      db.close();
      await server.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export async function rows(
  db: Database,
  query: string,
  bindVars: Record<string, unknown> = {},
): Promise<unknown[]> {
  const cursor = await db.query<unknown>(query, bindVars);
  return cursor.all();
}
