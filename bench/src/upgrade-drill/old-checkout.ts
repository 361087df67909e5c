import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../fleet/servers';

/** The newest tag before this commit; the commit before where nobody tagged anything. */
export function previousVersion(): string {
  const words = ['describe', '--tags', '--abbrev=0', 'HEAD^'];
  const tag = spawnSync('git', words, { cwd: ROOT, encoding: 'utf8' });
  return tag.status === 0 ? tag.stdout.trim() : 'HEAD^';
}

/** Short name of a commit; throws a sentence for one that there is not. */
export function commitOf(version: string): string {
  const words = ['rev-parse', '--verify', '--short', `${version}^{commit}`];
  const found = spawnSync('git', words, { cwd: ROOT, encoding: 'utf8' });
  if (found.status !== 0) throw new Error(`There is no commit "${version}" in this repository.`);
  return found.stdout.trim();
}

interface Locked {
  readonly version?: string;
  /** Of a package of the repository itself: its folder is `resolved`. */
  readonly link?: boolean;
  readonly resolved?: string;
}

/**
 * The files of a commit in a folder of their own, with its packages: links to those of this checkout where the lock file wants
 * the same ones, and for the packages of the repository itself links into the folder; else `npm ci`.
 */
export function checkOut(commit: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const files = execFileSync('git', ['archive', '--format=tar', commit], { cwd: ROOT, maxBuffer: 1 << 29 });
  execFileSync('tar', ['-x', '-C', folder], { input: files });
  if (fetchedBy(folder) === fetchedBy(ROOT)) linkPackages(folder);
  else {
    const words = ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
    execFileSync('npm', words, { cwd: folder, stdio: ['ignore', 2, 2] });
  }
}

/** A command of that checkout, by its own means: it generates and builds what it needs. Throws unless it ends with 0. */
export async function bootstrap(
  root: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'infra/native/bootstrap.mjs'), ...words], {
    cwd: root,
    env: { ...process.env, ...env, INIT_CWD: root },
    stdio: ['ignore', 2, 2],
    // Ctrl-C must not reach what is ended in order afterwards.
    detached: true,
  });
  await endOf(child, `"${words[0]}" of the older fleet`);
}

/** Throws a sentence unless the process ends with 0. */
export async function endOf(child: ReturnType<typeof spawn>, what: string): Promise<void> {
  const code = await new Promise<number>((done, failed) => {
    child.once('error', failed);
    child.once('exit', (status) => done(status ?? 1));
  });
  if (code !== 0) throw new Error(`${what} ended with ${code}: see the lines above`);
}

function lockOf(root: string): [path: string, locked: Locked][] {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  return Object.entries((JSON.parse(text) as { packages: Record<string, Locked> }).packages);
}

/** Every package that comes from a registry, with its version. */
function fetchedBy(root: string): string {
  const fetched = lockOf(root).filter(([path, { link }]) => path.includes('node_modules/') && link !== true);
  return JSON.stringify(fetched.map(([path, { version }]) => [path, version]));
}

function linkPackages(folder: string): void {
  const from = join(ROOT, 'node_modules');
  const to = join(folder, 'node_modules');
  mkdirSync(join(to, '@sociograph'), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name === '.package-lock.json') copyFileSync(join(from, name), join(to, name));
    else if (name !== '@sociograph') symlinkSync(join(from, name), join(to, name));
  }
  for (const [path, { link, resolved }] of lockOf(folder))
    if (link === true && resolved !== undefined) symlinkSync(join(folder, resolved), join(folder, path));
  // Workspaces may have packages of their own, of another version than the others'.
  const { workspaces } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    workspaces: string[];
  };
  for (const workspace of workspaces) {
    const own = join(workspace, 'node_modules');
    if (existsSync(join(ROOT, own))) symlinkSync(join(ROOT, own), join(folder, own));
  }
}
