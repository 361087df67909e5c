import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LinesFile, readLines } from './lines-file';

describe('a file of lines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lines-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const write = async (name: string, values: readonly unknown[]): Promise<string> => {
    const path = join(folder, name);
    const file = new LinesFile(path);
    for (const value of values) await file.write(value);
    await file.close();
    return path;
  };
  const read = async (path: string): Promise<unknown[]> => {
    const values: unknown[] = [];
    for await (const value of readLines(path)) values.push(value);
    return values;
  };

  it('gives back what was written, in its order, line breaks and long values included', async () => {
    const values = [{ a: 1 }, 'two\nlines', null, 'ж'.repeat(300_000), [[]]];
    expect(await read(await write('all', values))).toEqual(values);
    expect(await read(await write('none', []))).toEqual([]);
  });

  it('is for its owner alone, and never written twice', async () => {
    const path = await write('once', [1]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(write('once', [2])).rejects.toThrow(/EEXIST/);
  });

  it('that is cut off, or is none, is no file that ends sooner', async () => {
    const path = await write(
      'whole',
      Array.from({ length: 5_000 }, (_, i) => ({ i, text: `t${i * 7919}` })),
    );
    const bytes = readFileSync(path);
    writeFileSync(join(folder, 'half'), bytes.subarray(0, bytes.length / 2));
    await expect(read(join(folder, 'half'))).rejects.toThrow(/unexpected end of file/);
    writeFileSync(join(folder, 'other'), 'no gzip');
    await expect(read(join(folder, 'other'))).rejects.toThrow(/incorrect header check/);
    await expect(read(join(folder, 'absent'))).rejects.toThrow(/ENOENT/);
  });
});
