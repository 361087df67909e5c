import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What of a board's file is asked of Prometheus. */
interface Dashboard {
  title: string;
  templating: { list: { type: string; name: string; definition?: string }[] };
  annotations: { list: { name: string; expr: string }[] };
  panels: { type: string; title: string; description?: string; targets?: { expr: string }[] }[];
}

/** One expression of a board. */
export interface Question {
  board: string;
  panel: string;
  expression: string;
  /** What has to happen before there is an answer; undefined when there must be one. */
  emptyUntil: string | undefined;
}

export interface Fault extends Question {
  fault: string;
}

/** Every expression of the boards in a folder: of panels, of annotations, of what variables are filled from. */
export function questionsIn(folder: string): Question[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => questionsOf(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard));
}

export function questionsOf({ title: board, templating, annotations, panels }: Dashboard): Question[] {
  const announced = panels
    .filter(({ type }) => type !== 'row')
    .map(({ description }) => announcedIn(description));
  // Where every panel waits for something, there is nothing to choose from before either.
  const boardUntil = announced.every((until) => until !== undefined) ? announced[0] : undefined;
  return [
    ...templating.list.flatMap(({ type, name, definition }) => {
      const expression = /^label_values\((.+), \w+\)$/.exec(definition ?? '')?.[1];
      if (type === 'query' && expression === undefined)
        throw new Error(`What is $${name} of ${board} filled from?`);
      return expression === undefined
        ? []
        : [{ board, panel: `$${name}`, expression, emptyUntil: boardUntil }];
    }),
    ...annotations.list.map(({ name, expr }) => ({
      ...{ board, panel: `annotation ${name}`, expression: expr },
      emptyUntil: 'something happens',
    })),
    ...panels.flatMap(({ title: panel, description, targets = [] }) => {
      const emptyUntil = announcedIn(description);
      return targets.map(({ expr }) => ({ board, panel, expression: expr, emptyUntil }));
    }),
  ];
}

function announcedIn(description = ''): string | undefined {
  return / Empty until (.+)\.$/.exec(description)?.[1];
}

/** As Grafana would send it: every variable at "All", a minute as the interval of rates. */
export function expanded(expression: string): string {
  return expression
    .replaceAll(/\$(__rate_interval|\{__rate_interval\})/g, '1m')
    .replaceAll(/\$(__interval|\{__interval\})/g, '15s')
    .replaceAll(/\$(__range|\{__range\})/g, '1h')
    .replaceAll(/\$(\{[a-z]\w*(:\w+)?\}|[a-z]\w*)/g, '.*');
}

/** Asks a Prometheus all of it; what it refuses is a fault, and so is silence that was not announced. */
export async function faultsIn(prometheus: string, questions: readonly Question[]): Promise<Fault[]> {
  const faults = await Promise.all(
    questions.map(async (question): Promise<Fault[]> => {
      const response = await fetch(`${prometheus}/api/v1/query`, {
        method: 'POST',
        body: new URLSearchParams({ query: expanded(question.expression) }),
      });
      const answer = (await response.json()) as { error?: string; data?: { result: unknown[] } };
      if (answer.data === undefined)
        return [{ ...question, fault: answer.error ?? `status ${response.status}` }];
      const silent = answer.data.result.length === 0 && question.emptyUntil === undefined;
      return silent ? [{ ...question, fault: 'no series' }] : [];
    }),
  );
  return faults.flat();
}
