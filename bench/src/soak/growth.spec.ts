import { growthOf, isFlat, leastOf, missesOf, type Series, type SoakFigures, trendOf } from './growth';

const memory = (heapBytes: number, residentBytes: number) => ({ heapBytes, residentBytes });
const series = (values: number[], slack = 0): Series => ({ name: 's', values, slack });

describe('the growth of a process', () => {
  it('goes by the least of several readings', () => {
    expect(leastOf([memory(3, 9), memory(5, 7), memory(4, 8)])).toEqual(memory(3, 7));
  });

  it('is the share by which it became more', () => {
    const { heap, resident } = growthOf(memory(100, 200), memory(105, 190));
    expect(heap).toBeCloseTo(0.05, 12);
    expect(resident).toBeCloseTo(-0.05, 12);
  });
});

describe('the trend of a figure', () => {
  it('compares the medians of its first and last third', () => {
    expect(trendOf(series([1, 9, 2, 50, 50, 50, 4, 99, 3]))).toEqual({ first: 2, last: 4 });
    expect(trendOf(series([7]))).toEqual({ first: 7, last: 7 });
  });

  it.each([
    [[100, 100, 100, 105, 105, 105], 0, true],
    [[100, 100, 100, 106, 106, 106], 0, false],
    [[100, 100, 100, 106, 106, 106], 6, true],
    [[0, 0, 0, 1, 1, 1], 0, false],
    [[0, 0, 0, 4, 4, 4], 4, true],
    [[9, 9, 9, 1, 1, 1], 0, true],
  ])('of %j with a slack of %s is flat: %s', (values, slack, flat) => {
    expect(isFlat(series(values, slack))).toBe(flat);
  });
});

describe('the verdict on a soak', () => {
  const clean: SoakFigures = {
    processes: [{ name: 'p', first: memory(1_000, 1_000), last: memory(1_050, 1_100) }],
    series: [series([5, 5, 5])],
    failed: {},
    imports: { ended: 1, faults: [] },
    offered: 100,
    answered: 95,
  };

  it('is clean at 5 % more heap and 10 % more resident memory', () => {
    expect(missesOf(clean)).toEqual([]);
  });

  it.each<[string, Partial<SoakFigures>, string]>([
    [
      'a heap that grows',
      { processes: [{ name: 'p', first: memory(1_000, 1), last: memory(1_051, 1) }] },
      'the heap of p grew by 5.1 %',
    ],
    [
      'resident memory that grows',
      { processes: [{ name: 'p', first: memory(1, 1_000), last: memory(1, 1_101) }] },
      'the resident memory of p grew by 10.1 %',
    ],
    [
      'a process that died',
      { processes: [{ name: 'p', first: memory(1, 1), last: undefined }] },
      'p was started again meanwhile',
    ],
    ['a figure that rises', { series: [series([5, 5, 9])] }, 's rose from 5 to 9'],
    ['failed requests', { failed: { '502 GET /': 3 } }, '3 requests failed: 502 GET /'],
    [
      'requests that were not answered',
      { answered: 94 },
      '94 requests a second were answered, 100 were meant to be',
    ],
    ['no import', { imports: { ended: 0, faults: [] } }, 'no import ended'],
    [
      'an import that failed',
      { imports: { ended: 1, faults: ['import 1 is failed'] } },
      'import 1 is failed',
    ],
  ])('names %s', (_, part, words) => {
    expect(missesOf({ ...clean, ...part })).toEqual([words]);
  });
});
