import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GraphFileError } from './graph-file-error';
import { graphStatistics } from './graph-statistics';
import { readGraphFile } from './read-graph-file';

describe('readGraphFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'graph-file-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (content: string | Buffer): string => {
    const path = join(folder, 'graph.txt');
    writeFileSync(path, content);
    return path;
  };
  const refusal = async (content: string | Buffer): Promise<string> => {
    const error = await readGraphFile(file(content)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GraphFileError);
    return (error as Error).message.replace(folder, '');
  };

  it('drops repeats, reversed repeats and self-loops, and keeps a person named only in a self-loop', async () => {
    const graph = await readGraphFile(file('1 2\n2 1\n1 2\n9 9\n2 40\n2 2\n'));
    expect([...graph.ids]).toEqual([1, 2, 9, 40]);
    expect([...graph.friendships]).toEqual([
      [1, 2],
      [2, 40],
    ]);
    expect(graph.friendshipCount).toBe(2);
    expect(graph.people).toBe(4);
    expect(graph.shift).toBe(0);
    expect(graph.neighbours(9)).toEqual([]);
    expect(graph.neighbours(2)).toEqual([1, 40]);
    expect(graph.neighbours(3)).toEqual([]);
  });

  it('reads blanks, tabs, commas, CRLF, comments, empty lines, a byte order mark and a last line without end', async () => {
    const graph = await readGraphFile(
      file('\ufeff# people\r\n% more\r\n\r\n 1\t2 \r\n2,3\r\n  # indented\r\n3 , 4\r\n4  5'),
    );
    expect([...graph.friendships]).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
  });

  it('tells gzip by its first bytes', async () => {
    const graph = await readGraphFile(file(gzipSync('7 8\n')));
    expect([...graph.ids]).toEqual([7, 8]);
  });

  it.each([
    ['0 1\n1 5\n', 1, [1, 2, 6]],
    ['-3 4\n', 4, [1, 8]],
    ['1 2\n', 0, [1, 2]],
  ])('shifts ids of 0 and below: %j by %i', async (content, shift, ids) => {
    const graph = await readGraphFile(file(content));
    expect(graph.shift).toBe(shift);
    expect([...graph.ids]).toEqual(ids);
  });

  it('uses the shift it is given, unless that leaves an id below 1', async () => {
    expect([...(await readGraphFile(file('0 1\n'), { idShift: 100 })).ids]).toEqual([100, 101]);
    await expect(readGraphFile(file('0 1\n'), { idShift: 0 })).rejects.toThrow(
      'holds the id 0, which a shift of 0 leaves below 1.',
    );
  });

  it.each([
    [
      '1 2\nfrom,to\n',
      'The graph file /graph.txt cannot be read: line 2 is "from,to": it is not two whole numbers.',
    ],
    ['1\n', 'The graph file /graph.txt cannot be read: line 1 is "1": it names one person instead of two.'],
    ['1,\n', 'The graph file /graph.txt cannot be read: line 1 is "1,": it names one person instead of two.'],
    [
      '\n1 2 3\r\n',
      'The graph file /graph.txt cannot be read: line 2 is "1 2 3": it holds more than two whole numbers.',
    ],
    [
      '1 2.5\n',
      'The graph file /graph.txt cannot be read: line 1 is "1 2.5": it holds more than two whole numbers.',
    ],
    ['1-2\n', 'The graph file /graph.txt cannot be read: line 1 is "1-2": it is not two whole numbers.'],
    ['1 -\n', 'The graph file /graph.txt cannot be read: line 1 is "1 -": it is not two whole numbers.'],
    ['1,,2\n', 'The graph file /graph.txt cannot be read: line 1 is "1,,2": it is not two whole numbers.'],
    [
      '9007199254740992 1',
      'The graph file /graph.txt cannot be read: line 1 is "9007199254740992 1": it holds an id above 9007199254740991.',
    ],
    ['# nothing\n', 'The graph file /graph.txt holds no friendships.'],
    ['', 'The graph file /graph.txt holds no friendships.'],
    [
      '\u0000\u0001'.repeat(30),
      `The graph file /graph.txt cannot be read: line 1 is "${'?'.repeat(40)}...": it is not two whole numbers.`,
    ],
    [
      '1'.repeat(5000),
      `The graph file /graph.txt cannot be read: line 1 is "${'1'.repeat(40)}...": it is longer than 4096 bytes.`,
    ],
    [
      gzipSync('1 2\n'.repeat(99)).subarray(0, 24),
      'The graph file /graph.txt cannot be read: its gzip data ends too early.',
    ],
    [
      Buffer.concat([gzipSync('1 2\n').subarray(0, 10), Buffer.alloc(40, 0xff)]),
      'The graph file /graph.txt cannot be read: its gzip data is damaged.',
    ],
  ])('refuses %j with one sentence', async (content, sentence) => {
    expect(await refusal(content)).toBe(sentence);
  });

  it('refuses a missing file and a folder', async () => {
    await expect(readGraphFile(join(folder, 'none'))).rejects.toThrow('cannot be read: it does not exist.');
    await expect(readGraphFile(folder)).rejects.toThrow('cannot be read: it is a folder.');
  });

  it('names one person of every component: the one with most friends', async () => {
    const graph = await readGraphFile(file('1 2\n2 3\n10 11\n20 20\n'));
    expect(graph.componentsSeeds()).toEqual([2, 10, 20]);
  });

  it('reads lines that are cut anywhere', async () => {
    const lines = Array.from({ length: 120_000 }, (_, n) => `${n + 1} ${n + 2}`).join('\n');
    const graph = await readGraphFile(file(lines));
    expect(graph.people).toBe(120_001);
    expect(graph.friendshipCount).toBe(120_000);
    expect(graphStatistics(graph).components).toBe(1);
  });
});
