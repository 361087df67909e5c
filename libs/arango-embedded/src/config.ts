import { readFileSync } from 'node:fs';

export interface Account {
  readonly username: string;
  readonly password: string;
  /** Databases this account may use; `*` means all, `_system` the administration of databases. */
  readonly databases: readonly string[];
}

export interface EmbeddedConfig {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Undefined only when ARANGO_EMBEDDED_NO_AUTH=1 was said. */
  readonly accounts: readonly Account[] | undefined;
  /** Created at start. */
  readonly database: string;
  readonly testMode: TestModeConfig | undefined;
}

export interface TestModeConfig {
  readonly seed: number;
  /** Share of written documents that answer 1200 although nothing conflicts. */
  readonly conflictRate: number;
}

/** Reads ARANGO_EMBEDDED_*; throws one sentence that names what is missing or malformed, never a value. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): EmbeddedConfig {
  const dataDir = env['ARANGO_EMBEDDED_DATA_DIR'];
  if (!dataDir) throw new Error('ARANGO_EMBEDDED_DATA_DIR is missing: the folder for the database files');
  const port = Number(env['ARANGO_EMBEDDED_PORT'] ?? 8529);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new Error('ARANGO_EMBEDDED_PORT is no port number');
  return Object.freeze({
    host: env['ARANGO_EMBEDDED_HOST'] ?? '127.0.0.1',
    port,
    dataDir,
    accounts: readAccounts(env),
    database: env['ARANGO_EMBEDDED_DATABASE'] ?? 'sociograph',
    testMode: readTestMode(env),
  });
}

function readAccounts(env: NodeJS.ProcessEnv): readonly Account[] | undefined {
  const file = env['ARANGO_EMBEDDED_USERS_FILE'];
  if (!file) {
    if (env['ARANGO_EMBEDDED_NO_AUTH'] === '1') return undefined;
    throw new Error('ARANGO_EMBEDDED_USERS_FILE is missing (or say ARANGO_EMBEDDED_NO_AUTH=1)');
  }
  let accounts: unknown;
  try {
    accounts = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error('ARANGO_EMBEDDED_USERS_FILE cannot be read as JSON', { cause });
  }
  if (!Array.isArray(accounts) || !accounts.every(isAccount)) {
    throw new Error('ARANGO_EMBEDDED_USERS_FILE must be [{"username", "password", "databases": []}]');
  }
  return accounts;
}

function isAccount(value: unknown): value is Account {
  const account = value as Partial<Account> | null;
  return (
    typeof account?.username === 'string' &&
    typeof account.password === 'string' &&
    account.password.length > 0 &&
    Array.isArray(account.databases)
  );
}

function readTestMode(env: NodeJS.ProcessEnv): TestModeConfig | undefined {
  if (env['ARANGO_EMBEDDED_TEST_MODE'] !== '1') return undefined;
  return {
    seed: Number(env['ARANGO_EMBEDDED_TEST_SEED'] ?? 1),
    conflictRate: Number(env['ARANGO_EMBEDDED_CONFLICT_RATE'] ?? 0.01),
  };
}

/** A real server that the contract suite is run against. */
export interface ContractTarget {
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/**
 * ARANGO_CONTRACT_URL (`http://root:password@host:8529`), undefined when it is not set: then the stand-in is
 * tried. The account must be allowed to create databases; the password may come in ARANGO_CONTRACT_PASSWORD.
 */
export function contractTarget(env: NodeJS.ProcessEnv = process.env): ContractTarget | undefined {
  const named = env['ARANGO_CONTRACT_URL'];
  if (!named) return undefined;
  if (!URL.canParse(named)) throw new Error('ARANGO_CONTRACT_URL is no URL: http://root:password@host:8529');
  const { origin, username, password } = new URL(named);
  return {
    url: origin,
    username: decodeURIComponent(username) || 'root',
    password: decodeURIComponent(password) || (env['ARANGO_CONTRACT_PASSWORD'] ?? ''),
  };
}
