import { add, countsOf, exitCodeOf, lastLine } from './counts';

const results = {
  numPassedTests: 5,
  numFailedTests: 1,
  numPendingTests: 2,
  numTodoTests: 3,
  numRuntimeErrorTestSuites: 4,
};

describe('the counts of a test run', () => {
  it('take a suite that did not load as one failure, and todo as skipped', () => {
    expect(countsOf(results)).toEqual({ passed: 5, failed: 5, skipped: 5 });
  });

  it('add up to the last line', () => {
    const sum = add({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 });
    expect(lastLine(sum)).toBe('11 passed, 22 failed, 33 skipped');
  });

  it.each([
    [{ passed: 1, failed: 0, skipped: 0 }, true, 0],
    [{ passed: 1, failed: 1, skipped: 0 }, false, 1],
    [{ passed: 1, failed: 0, skipped: 1 }, false, 0],
    [{ passed: 1, failed: 0, skipped: 1 }, true, 1],
    [{ passed: 0, failed: 0, skipped: 0 }, false, 1],
  ])('%j with CI=%s exits with %d', (counts, ci, code) => {
    expect(exitCodeOf(counts, ci)).toBe(code);
  });
});
