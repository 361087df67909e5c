import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** The repository's root; this file runs from tools/dist. */
export const ROOT = resolve(__dirname, '../..');

const SKIPPED = new Set(['node_modules', 'dist', 'generated', 'coverage']);

/** Files below `folder` whose path from the root passes `wanted`, in order; build output and hidden folders are left out. */
export function filesBelow(folder: string, wanted: (path: string) => boolean, root = ROOT): string[] {
  const found: string[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) continue;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (wanted(relative(root, path))) found.push(relative(root, path));
    }
  };
  walk(join(root, folder));
  return found.sort();
}
