import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlainFault } from '../servers/server';
import type { Stack } from '../stack';

/**
 * Runs a command in a shell that has the stack's addresses and accounts in its environment (the names in env.json), so that
 * no password stands on a command line of the caller's. Answers its exit code.
 */
export function withStack(
  { dir, name, root }: Pick<Stack, 'dir' | 'name' | 'root'>,
  words: readonly string[],
): Promise<number> {
  const file = join(dir, 'env.json');
  if (words.length === 0)
    throw new PlainFault(`Give a command in quotes: npm run with -- 'psql "$ADMIN_DATABASE_URL" -l'`);
  if (!existsSync(file)) throw new PlainFault(`Stack ${name} was never started: there is no ${file}.`);
  const env = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  const child = spawn('sh', ['-c', words.join(' ')], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
