import { Database } from 'arangojs';
import { contractServer, contractTarget, type TestModeConfig } from '../src';

/** What a real server need not do: credentials from a file, refusals of what is not supported, test mode. */
export const onlyStandIn = contractTarget() ? it.skip : it;

export interface SpecServer {
  url: string;
  account: { username: string; password: string };
  db: Database;
  /** A request without arangojs, in the database of the spec: status, headers and parsed body. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  stop(): Promise<void>;
}

export interface Reply {
  status: number;
  headers: Headers;
  body: unknown;
}

/** A database of its own: of a server in this process, or of the one that the contract suite was given. */
export async function specServer(testMode?: TestModeConfig): Promise<SpecServer> {
  const server = await contractServer(testMode);
  const { url, database, username, password } = server;
  const db = new Database({ url, databaseName: database, auth: { username, password } });
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return {
    url,
    account: { username, password },
    db,
    async call(method, path, body, headers = {}) {
      const own = path.startsWith('/_api/') && !path.startsWith('/_api/database');
      const response = await fetch(`${url}${own ? `/_db/${database}` : ''}${path}`, {
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
      await server.stop();
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
