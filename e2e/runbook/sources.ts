import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(__dirname, '../..');
const FOLDERS = ['services', 'libs', 'gateway', 'infra', 'tools/src', 'bench/src', 'docs/errors.md'];
const LEFT_OUT = /^(node_modules|dist|test|generated|jars|data|content)$/;
const TEXT = /(?<!\.spec)\.(ts|mjs|json|yml|conf|prisma|sql|md)$/;

let all: string | undefined;

/** True where every part of it stands in some source; `<name>` stands for any part. */
export function stands(words: string): boolean {
  all ??= FOLDERS.flatMap((folder) => textsBelow(join(ROOT, folder))).join('\n');
  return words.split(/<[^>]*>/).every((part) => all?.includes(part));
}

function textsBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (path.endsWith('.md')) return [readFileSync(path, 'utf8')];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    const below = join(path, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.test(entry.name) ? [] : textsBelow(below);
    return TEXT.test(entry.name) && !entry.name.endsWith('README.md') ? [readFileSync(below, 'utf8')] : [];
  });
}
