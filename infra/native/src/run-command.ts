import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Runs a command to its end; a failure carries the command's own last words. */
export function run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      file,
      [...args],
      { env: options.env ?? process.env, cwd: options.cwd, maxBuffer: 1 << 26, ...(options.user ?? {}) },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const words = `${stderr}\n${stdout}`.trim().split('\n').slice(-8).join('\n');
        reject(new Error(`${file} ${args[0] ?? ''} failed: ${words || error.message}`));
      },
    );
  });
}

/** Folders that hold server binaries although they are on few PATHs (Debian's sbin, Homebrew's kegs). */
const EXTRA_FOLDERS = [
  '/usr/local/sbin',
  '/usr/sbin',
  '/sbin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
  '/usr/local/bin',
];

/** Full path of an executable on PATH or in `folders`, or undefined. */
export function find(name: string, folders: readonly string[] = []): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of [...folders, ...path, ...EXTRA_FOLDERS]) {
    if (folder === '') continue;
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Subfolders of `parent` that match, newest version first: `/usr/lib/postgresql/15/bin` and its like. */
export function versionedFolders(parent: string, pattern: RegExp, below = ''): string[] {
  try {
    return readdirSync(parent)
      .filter((name) => pattern.test(name))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((name) => join(parent, name, below));
  } catch {
    return [];
  }
}

/** Numeric ids of a user of this machine, or undefined when there is none. */
export function userIds(name: string): { uid: number; gid: number } | undefined {
  try {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}
