import type { Secret } from '@sociograph/kernel';
import { Database } from 'arangojs';

export interface ArangoOptions {
  url: string;
  database: string;
  username: string;
  password: Secret | string;
  /** Requests in flight per process; arangojs' own default of 3 starves batches. */
  poolSize?: number;
  /** Milliseconds until a request counts as failed; 0 waits for ever. */
  timeoutMs?: number;
}

const DEFAULT_POOL_SIZE = 16;
const DEFAULT_TIMEOUT_MS = 30_000;

/** A client for one database. Nothing is sent yet: a server that is down shows with the first request. */
export function connectArango(options: ArangoOptions): Database {
  const { url, database, username, password } = options;
  return new Database({
    url,
    databaseName: database,
    auth: { username, password: typeof password === 'string' ? password : password.reveal() },
    poolSize: options.poolSize ?? DEFAULT_POOL_SIZE,
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  });
}
