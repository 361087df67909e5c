import { randomUUID } from 'node:crypto';
import { closeSync, constants, fsyncSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { fstatSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { rest } from '@sociograph/api-client';
import { NotLoggedIn, UsageError } from './failures';

/** One login: where, and the tokens of it. */
export interface Session {
  url: string;
  issuer: string;
  clientId: string;
  accessToken: string;
  /** When another access token should be asked for, milliseconds since the Unix epoch. */
  renewAt: number;
  /** Absent for a service account, which has only its secret to get another token with. */
  refreshToken?: string;
}

const LOCK_EVERY_MS = 50;
/** Longer than a refresh may take (15 s): whoever holds a lock that old is gone. */
const STALE_LOCK_MS = 30_000;

/** Where the login of a profile lies: `$XDG_CONFIG_HOME/sociograph/<profile>.json`. */
export function sessionPath(env: Readonly<Record<string, string | undefined>>, profile: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(profile) || profile.startsWith('.'))
    throw new UsageError(`a profile is named by letters, digits, dots, dashes and underscores`);
  const given = env['XDG_CONFIG_HOME'];
  // The XDG specification: a relative path there is to be ignored.
  const base = given?.startsWith('/') === true ? given : join(env['HOME'] || homedir(), '.config');
  return join(base, 'sociograph', `${profile}.json`);
}

/** The tokens of a login in a file that only its owner may read. */
export class SessionFile {
  constructor(readonly path: string) {}

  /** Undefined when nobody is logged in; throws NotLoggedIn when others may read the file. */
  read(): Session | undefined {
    let text: string;
    try {
      const file = openSync(this.path, 'r');
      try {
        const mode = fstatSync(file).mode & 0o777;
        if ((mode & 0o077) !== 0)
          throw new NotLoggedIn(
            `${this.path} may be read by others (mode ${mode.toString(8)}), so its tokens may be known: log in again.`,
          );
        text = readFileSync(file, 'utf8');
      } finally {
        closeSync(file);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return sessionIn(text, this.path);
  }

  /** Replaces the file in one step, mode 0600 from its first byte on. */
  write(session: Session): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const next = `${this.path}.${randomUUID()}`;
    const file = openSync(next, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    try {
      writeSync(file, `${JSON.stringify(session)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, this.path);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  /**
   * Runs `work` while no other process does under this lock. Refresh tokens are good for one use: of two processes that
   * refresh at once, one would be logged out.
   */
  async locked<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const lock = `${this.path}.lock`;
    mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
    while (!taken(lock)) {
      if (isStale(lock)) rmSync(lock, { force: true });
      else await rest(LOCK_EVERY_MS, signal);
    }
    try {
      return await work();
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

function taken(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isStale(lock: string): boolean {
  const found = statSync(lock, { throwIfNoEntry: false });
  return found !== undefined && Date.now() - found.mtimeMs > STALE_LOCK_MS;
}

function sessionIn(text: string, path: string): Session {
  const unreadable = new NotLoggedIn(`${path} holds no login: log in again.`);
  let value: Partial<Record<keyof Session, unknown>>;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw unreadable;
  }
  const { url, issuer, clientId, accessToken, renewAt, refreshToken } = value ?? {};
  if (typeof url !== 'string' || typeof issuer !== 'string' || typeof clientId !== 'string') throw unreadable;
  if (typeof accessToken !== 'string' || typeof renewAt !== 'number') throw unreadable;
  const session = { url, issuer, clientId, accessToken, renewAt };
  return typeof refreshToken === 'string' ? { ...session, refreshToken } : session;
}
