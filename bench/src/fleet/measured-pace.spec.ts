import { keysFor } from './measured-pace';

it.each([
  [0, 1],
  [74, 1],
  [75, 1],
  [149, 1],
  [150, 2],
  [750, 10],
])(
  'for %s lists a second it takes %s keys at most, at three calls of 25 lists a second each',
  (lists, keys) => {
    expect(keysFor(lists)).toBe(keys);
  },
);
