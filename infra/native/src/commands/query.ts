import { PlainFault } from '../servers/server';

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  /** Of a range such as `up[1m]`: every sample in it. */
  readonly values?: readonly (readonly [number, string])[];
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly resultType: string;
    readonly result: readonly Sample[] | readonly [number, string];
  };
}

/** Asks the stack's Prometheus for the value of an expression now, and prints a line for each series. */
export async function query(
  prometheus: string,
  expression: string | undefined,
  say: (line: string) => void,
): Promise<void> {
  if (expression === undefined)
    throw new PlainFault("Give an expression in quotes: npm run query -- 'sum by (service) (up)'");
  const answer = await ask(prometheus, expression);
  if (answer.data === undefined)
    throw new PlainFault(`Prometheus refuses it: ${answer.error ?? 'no reason'}`);
  for (const line of linesOf(answer.data)) say(line);
}

async function ask(prometheus: string, expression: string): Promise<Answer> {
  try {
    const body = new URLSearchParams({ query: expression });
    const response = await fetch(`${prometheus}/api/v1/query`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(10_000),
    });
    return (await response.json()) as Answer;
  } catch (error) {
    throw new PlainFault(`Prometheus does not answer at ${prometheus}: does it run? (npm run status)`, {
      cause: error,
    });
  }
}

function linesOf({ resultType, result }: NonNullable<Answer['data']>): string[] {
  if (resultType === 'scalar' || resultType === 'string') return [String(result[1])];
  const samples = result as readonly Sample[];
  if (samples.length === 0) return ['No series.'];
  return samples.map(({ metric, value, values = [] }) => {
    const { __name__: name = '', ...labels } = metric;
    const texts = Object.entries(labels).map(([label, text]) => `${label}="${text}"`);
    const what = texts.length === 0 ? name : `${name}{${texts.join(', ')}}`;
    return `${what === '' ? '{}' : what}  ${value?.[1] ?? values.map(([, text]) => text).join(' ')}`;
  });
}
