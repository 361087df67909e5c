import { differencesOf } from './differences';

describe('differences of a server from the contract', () => {
  it('are the sentences that failed, with what was expected and what came', () => {
    const report = {
      numPassedTests: 1,
      testResults: [
        {
          name: '/a.spec.ts',
          message: '',
          assertionResults: [
            { fullName: 'a query answers', status: 'passed', failureMessages: [] },
            {
              fullName: 'a query sorts',
              status: 'failed',
              failureMessages: [
                '\u001b[31mexpected 1\u001b[39m\n\ngot 2\n    at here (a.ts:1)\n    at there',
              ],
            },
            { fullName: 'not asked', status: 'pending', failureMessages: [] },
          ],
        },
      ],
    };
    expect(differencesOf(report)).toEqual([{ sentence: 'a query sorts', detail: 'expected 1\n\ngot 2' }]);
  });

  it('are one for a file that could not be run', () => {
    const testResults = [{ name: '/a.spec.ts', message: 'cannot connect', assertionResults: [] }];
    expect(differencesOf({ numPassedTests: 0, testResults })).toEqual([
      { sentence: '/a.spec.ts', detail: 'cannot connect' },
    ]);
  });
});
