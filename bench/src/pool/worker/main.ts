import { BottleneckContender } from './bottleneck';
import { BullMqContender } from './bullmq';
import type { Contender } from './contender';
import { OursContender } from './ours';
import type { FromWorker, ToWorker, WorkerSettings } from './protocol';
import { RateLimiterFlexibleContender } from './rate-limiter-flexible';
import { Tally } from './tally';

/** One worker process of a round: told by its parent over IPC when to begin and to end, and gone with it. */
function main(): void {
  const tally = new Tally();
  let contender: Contender | undefined;
  let running = true;
  let run: Promise<void> = Promise.resolve();
  const tell = (message: FromWorker): void => void process.send?.(message);
  const failed = (error: unknown): void => {
    tell({ kind: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  };
  process.on('unhandledRejection', failed);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'prepare':
        contender = contenderOf(message.settings, tally);
        contender.open().then(() => tell({ kind: 'ready' }), failed);
        return;
      case 'go':
        tally.start();
        run = contender?.run(() => running) ?? run;
        run.catch(failed);
        return;
      case 'measure':
        tally.measure();
        return;
      case 'stop':
        running = false;
        // Calls under way may take a while; what they bring is not part of what was measured.
        tell({ kind: 'report', report: tally.report });
        void run
          .catch(() => undefined)
          .then(() => contender?.close())
          .finally(() => process.exit(0));
    }
  });
}

function contenderOf(settings: WorkerSettings, tally: Tally): Contender {
  switch (settings.system) {
    case 'ours':
      return new OursContender(settings, tally);
    case 'bottleneck':
    case 'bottleneck-tuned':
      return new BottleneckContender(settings, tally, settings.system === 'bottleneck-tuned');
    case 'rate-limiter-flexible':
    case 'rate-limiter-flexible-tuned':
      return new RateLimiterFlexibleContender(settings, tally, settings.system !== 'rate-limiter-flexible');
    case 'bullmq':
    case 'bullmq-tuned':
      return new BullMqContender(settings, tally, settings.system === 'bullmq-tuned');
  }
}

main();
