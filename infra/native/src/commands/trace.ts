import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PlainFault } from '../servers/server';
import type { Stack } from '../stack';
import { findTraces, isTraceQuery } from '../traces/find-traces';
import { printTrace, summarize } from '../traces/print-trace';

/** Other traces of the same import that are listed. */
const MOST_LISTED = 20;

/** Where the spans of a stack lie, whether or not it runs. */
export function tracesFolder(stack: Pick<Stack, 'dir'>): string {
  return join(stack.dir, 'traces');
}

/** Prints the trace that an id leads to as a tree; of several the first one, and the others in a line each. */
export function trace(
  stack: Pick<Stack, 'dir' | 'name'>,
  id: string | undefined,
  say: (line: string) => void,
): void {
  if (id === undefined)
    throw new PlainFault('Give an id: of a trace, a correlation id, an import, a call or a lease.');
  if (!isTraceQuery(id)) throw new PlainFault(`"${id.slice(0, 80)}" is no id of a trace or of a request.`);
  const folder = tracesFolder(stack);
  if (!existsSync(folder)) {
    throw new PlainFault(
      `Stack ${stack.name} keeps no traces: its fleet has not run yet, or sends them to OTEL_EXPORTER_OTLP_ENDPOINT.`,
    );
  }
  const [shown, ...others] = [...findTraces(folder, id).values()];
  if (shown === undefined) {
    throw new PlainFault(
      `No span of "${id}" is kept in stack ${stack.name}. Spans arrive a second after they end; of reads and of calls after the first ones only a share is traced (TRACE_SAMPLE_RATIO), and the oldest spans make room for new ones.`,
    );
  }
  for (const line of printTrace(shown)) say(line);
  if (others.length === 0) return;
  say('');
  say(`${others.length} more of the same id:`);
  for (const spans of others.slice(0, MOST_LISTED)) say(summarize(spans));
  if (others.length > MOST_LISTED) say(`... and ${others.length - MOST_LISTED} later`);
}
