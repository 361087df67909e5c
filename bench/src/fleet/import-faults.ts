import type { FleetApi } from '@sociograph/api-client';
import type { GraphStatistics } from '@sociograph/graph-file';
import { eventually } from '@sociograph/testing';
import { differences } from '../import-chaos/verdict';
import type { EndedImport } from './endless-imports';

/** What is wrong with imports that nobody disturbed on purpose: how they ended, and their gaps. */
export function faultsOf(ended: readonly EndedImport[]): string[] {
  return ended.flatMap(({ view, certificate }, index) => [
    ...(view.state === 'completed' ? [] : [`import ${index + 1} is ${view.state}`]),
    ...certificate.gaps.map(
      ({ what, cause, count }) => `import ${index + 1}: gap: ${count} of ${what}, ${cause}`,
    ),
  ]);
}

/** The summary as of the last import's end against the graph's file, and the faults of all imports. */
export async function differencesAfter(
  api: FleetApi,
  ended: readonly EndedImport[],
  expected: GraphStatistics,
): Promise<string[]> {
  const last = ended.at(-1);
  if (last === undefined) return [];
  const summary = await eventually(() => api.summaryAfter(last.view), { timeoutMs: 60_000 });
  return [...differences(summary, expected), ...faultsOf(ended)];
}
