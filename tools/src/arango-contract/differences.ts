/** What is used of jest's `--json` output. */
export interface JestReport {
  numPassedTests: number;
  testResults: {
    name: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

/** One sentence of the contract that the server does not keep. */
export interface Difference {
  sentence: string;
  /** What was expected and what came, without the stack. */
  detail: string;
}

/** The terminal's colours, which jest writes into its messages. */
// eslint-disable-next-line no-control-regex
const COLOURS = /\u001b\[\d+m/g;

/** A file that could not be run at all counts as one difference. */
export function differencesOf({ testResults }: JestReport): Difference[] {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    if (assertionResults.length === 0) return [{ sentence: name, detail: plain(message) }];
    return assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => ({
        sentence: fullName,
        detail: plain(failureMessages.join('\n')),
      }));
  });
}

function plain(message: string): string {
  const lines = message.replace(COLOURS, '').split('\n');
  const stack = lines.findIndex((line) => /^\s+at /.test(line));
  return (stack < 0 ? lines : lines.slice(0, stack)).join('\n').trim();
}
