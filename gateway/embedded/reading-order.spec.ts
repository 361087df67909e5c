import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Files of this folder that a file names, types included. */
function imported(file: string): string[] {
  const names = [...readFileSync(join(__dirname, file), 'utf8').matchAll(/ from '(\.[^']*)'/g)];
  return names
    .map(([, name = '']) => `${relative(__dirname, join(__dirname, dirname(file), name))}.ts`)
    .filter((name) => !name.startsWith('..'));
}

describe('gateway/embedded', () => {
  const files = readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'),
  );

  it('can be read in an order in which each file needs only earlier ones', () => {
    const read = new Set<string>();
    for (let before = -1; before < read.size;) {
      before = read.size;
      for (const file of files) if (imported(file).every((name) => read.has(name))) read.add(file);
    }
    expect(files.filter((file) => !read.has(file))).toEqual([]);
    expect(read.size).toBeGreaterThan(20);
  });

  it('has no file above 260 lines', () => {
    const long = files.filter((file) => readFileSync(join(__dirname, file), 'utf8').split('\n').length > 261);
    expect(long).toEqual([]);
  });
});
