import { parentPort, workerData } from 'node:worker_threads';
import { analyse } from '../projections/analyses/analyse';
import type { AnalysisKind } from '../projections/analyses/analysis';
import type { GraphCopy } from '../projections/analyses/whole-graph';

/** What a thread is started with. */
export interface AnalysisWork {
  copy: GraphCopy;
  kind: AnalysisKind;
  seed: number;
}

/** Between two messages about the progress. */
const TELL_MS = 100;

/** The thread of one analysis: tells how far it is, then what it found, and ends. */
function main(port: NonNullable<typeof parentPort>, { copy, kind, seed }: AnalysisWork): void {
  const work = analyse(copy, kind, seed);
  let told = performance.now();
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return port.postMessage({ findings: step.value });
    if (performance.now() - told < TELL_MS) continue;
    told = performance.now();
    port.postMessage({ progress: step.value });
  }
}

if (parentPort !== null) main(parentPort, workerData as AnalysisWork);
