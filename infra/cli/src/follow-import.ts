import {
  hasEnded,
  pathOf,
  progressLine,
  ProgressDisplay,
  watchImport,
  type ImportView,
} from '@sociograph/api-client';
import type { Call } from './command';
import { EndedOtherwise, EXIT, type ExitCode } from './failures';

/** Whoever waits is patient with a fleet whose processes are being restarted. */
const PATIENCE_MS = 30_000;

/**
 * Shows the progress of an import until it has ended: a bar on a terminal, a line every five seconds elsewhere, with
 * --json one line for each change. Ends with 0 when it is completed; throws EndedOtherwise when it is not.
 */
export async function followImport(call: Call, id: string): Promise<ExitCode> {
  const { output, terminal } = call;
  const api = await call.api({ patienceMs: PATIENCE_MS });
  const display = new ProgressDisplay(output.progress);
  const startedAt = performance.now();
  let last: ImportView | undefined;
  let told = '';
  try {
    for await (const view of watchImport(api, id, { signal: terminal.signal })) {
      last = view;
      if (output.json) {
        const line = JSON.stringify(view);
        if (line !== told) output.record(view);
        told = line;
      } else {
        display.show(progressLine({ view, elapsedMs: performance.now() - startedAt }), hasEnded(view));
      }
    }
  } catch (error) {
    display.end();
    if (terminal.signal.aborted) output.note(`The import goes on: "sociograph watch ${id}" shows it again.`);
    throw error;
  }
  display.end();
  if (last?.state !== 'completed') throw new EndedOtherwise(`The import is ${last?.state ?? 'unknown'}.`);
  output.note(`The import is completed: "sociograph import certificate ${id}" says what is in it.`);
  return EXIT.ok;
}

/** The path of an import, or of what belongs to it. */
export function importPath(id: string, part = ''): string {
  return pathOf`/v1/imports/${id}` + part;
}
