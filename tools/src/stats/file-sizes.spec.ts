import { measure, sizesOf } from './file-sizes';

const file = (path: string, lines: number): ReturnType<typeof measure> => ({
  path,
  lines,
  comments: 0,
  imports: 0,
});

describe('file sizes', () => {
  it('count filled lines, comments and imports', () => {
    const text = "import a from 'a';\n\n/** Why. */\n// cost\n * limit\nconst x = 1;\n";
    expect(measure('a.ts', text)).toEqual({ path: 'a.ts', lines: 5, comments: 3, imports: 1 });
  });

  it('give median, 95th percentile and the share of tiny files', () => {
    const sizes = sizesOf(Array.from({ length: 100 }, (_, i) => file(`${i}`, i + 1)));
    expect(sizes).toMatchObject({ files: 100, lines: 5050, median: 51, p95: 96, tiny: 0.14 });
    expect(sizes.largest.map((each) => each.lines)).toEqual([100, 99, 98, 97, 96]);
  });

  it('are nothing for no files', () => {
    expect(sizesOf([])).toMatchObject({ files: 0, median: 0, p95: 0, tiny: 0, commentShare: 0 });
  });
});
