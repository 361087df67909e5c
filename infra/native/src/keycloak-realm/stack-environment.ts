import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../../../..');

/** What the stack of this name told of its servers; nothing where there is none. */
export function stackEnvironment(stack: string): Record<string, string> {
  const file = join(ROOT, '.sociograph', stack, 'env.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}
