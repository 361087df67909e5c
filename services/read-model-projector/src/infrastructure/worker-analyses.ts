import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Findings } from '../projections/analyses/analyse';
import { AnalysisRunner } from '../projections/analyses/analysis';
import { analysisBrokenOff } from '../projections/analyses/analyst';
import type { AnalysisWork } from './analysis-worker';

/** A thread has so much of V8's memory for objects; the graph itself is in arrays outside of it. */
const HEAP_MB = 1024;

type Message = { progress: number } | { findings: Findings };

/** One thread for each analysis, ended when it is done or no longer wanted. */
export class WorkerAnalyses extends AnalysisRunner {
  constructor(private readonly file = join(__dirname, 'analysis-worker.js')) {
    super();
  }

  run(work: AnalysisWork, progress: (share: number) => void, signal: AbortSignal): Promise<Findings> {
    if (signal.aborted) return Promise.reject(analysisBrokenOff('it is not wanted any more'));
    const { entries, starts, sizes, present } = work.copy;
    const worker = new Worker(this.file, {
      workerData: work,
      transferList: [entries, starts, sizes, present].map(({ buffer }) => buffer as ArrayBuffer),
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    return new Promise<Findings>((resolve, reject) => {
      const stop = (): void => {
        reject(analysisBrokenOff('it is not wanted any more'));
        void worker.terminate();
      };
      signal.addEventListener('abort', stop);
      worker.on('message', (message: Message) => {
        if ('findings' in message) resolve(message.findings);
        else progress(message.progress);
      });
      worker.on('error', reject);
      worker.on('exit', () => {
        signal.removeEventListener('abort', stop);
        reject(analysisBrokenOff('its thread ended'));
      });
    });
  }
}
