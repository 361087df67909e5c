import { nestsDeeperThan } from './nesting';

describe('the depth of a JSON text', () => {
  it.each([
    ['1', 0],
    ['{}', 1],
    ['[[],[],{}]', 2],
    ['{"a":[{"b":1}],"c":[]}', 3],
    ['{"a":"[[[[{{{{"}', 1],
    ['{"a\\"[[[":"\\\\","b":[1]}', 2],
    ['["\\\\",[1]]', 2],
  ])('of %s is %i', (text, depth) => {
    expect(nestsDeeperThan(depth, text)).toBe(false);
    if (depth > 0) expect(nestsDeeperThan(depth - 1, text)).toBe(true);
  });
});
