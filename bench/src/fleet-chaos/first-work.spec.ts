import { FirstWork } from './first-work';

const answers = (first: FirstWork, counts: (number | undefined)[]): boolean[] =>
  counts.map((count) => first.saw(count));

describe('the first completed unit of work', () => {
  it.each<[string, FirstWork, (number | undefined)[], boolean[]]>([
    [
      'counts from nothing in a new process',
      new FirstWork(0),
      [undefined, 0, 0, 1],
      [false, false, false, true],
    ],
    [
      'is what comes after the first answer',
      new FirstWork(),
      [undefined, 7, 7, 8],
      [false, false, false, true],
    ],
    ['counts from what was known', new FirstWork(5), [5, 6], [false, true]],
    ['is seen in a process that was replaced', new FirstWork(50), [50, 0, 1], [false, false, true]],
    ['is seen at once where the new process has worked', new FirstWork(50), [50, 3], [false, true]],
  ])('%s', (_, first, counts, expected) => {
    expect(answers(first, counts)).toEqual(expected);
  });
});
