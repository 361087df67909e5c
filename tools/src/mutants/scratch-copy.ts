import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { ROOT } from '../repository';

const LEFT_OUT = new Set(['node_modules', '.git', '.nx', '.sociograph', '.swc', 'coverage']);

/**
 * A copy of the repository in which files may be broken: a run that is killed leaves the working tree as it was.
 * Packages and the state of the test stack are shared by links.
 */
export class ScratchCopy {
  readonly root = mkdtempSync(join(tmpdir(), 'sociograph-mutants-'));

  constructor() {
    cpSync(ROOT, this.root, {
      recursive: true,
      filter: (from) => from === ROOT || !LEFT_OUT.has(basename(from)),
    });
    for (const folder of ['.', ...projectFolders()]) {
      const packages = join(ROOT, folder, 'node_modules');
      if (existsSync(packages)) symlinkSync(packages, join(this.root, folder, 'node_modules'));
    }
    const state = join(ROOT, '.sociograph');
    if (existsSync(state)) symlinkSync(state, join(this.root, '.sociograph'));
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function projectFolders(): string[] {
  const below = (top: string): string[] =>
    readdirSync(join(ROOT, top), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => relative(ROOT, join(ROOT, top, entry.name)));
  return ['gateway', 'tools', 'e2e', ...below('libs'), ...below('services'), ...below('infra')];
}
