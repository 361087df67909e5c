import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { PathProbe } from './path-probe';
import type { FromThread, ThreadSettings, ToThread } from './sender-thread';
import { SlotSender } from './slot-sender';
import { performanceAheadOfHr, ThreadGuard } from './thread-guard';

const PRIORITY = -15;

/** Entry of the sending thread: one SlotSender, fed by messages, and the probes of the path. */
const settings = workerData as ThreadSettings;
const { baseUrl, shared, ownersAheadOfHr, pathProbe, connections } = settings;
// `performance.now` costs less than `hrtime.bigint`, and it is read in every turn while a slot is near.
const ownAheadOfHr = performanceAheadOfHr();
const monotonicMs = (): number => performance.now() - ownAheadOfHr;
const guard = new ThreadGuard(new Float64Array(shared), ownersAheadOfHr, monotonicMs);
const sender = new SlotSender({
  baseUrl,
  client: guard,
  monotonicMs,
  ...(connections !== undefined && { connections }),
});

beforeOthers();

if (pathProbe !== undefined) {
  new PathProbe({
    baseUrl,
    request: pathProbe,
    poolNow: guard.clock.now,
    monotonicMs,
    onSample: (sample) => tell({ kind: 'probe', sample }),
  }).start();
}

/** Calls that may still be withdrawn. */
const planned = new Map<number, AbortController>();

parentPort?.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'withdraw':
      return planned.get(message.id)?.abort();
    case 'key-changed':
      return guard.keyChanged(message.change, message.at);
    case 'warm':
      return sender.warm();
    case 'send': {
      const { id, slot, lease, call } = message;
      const withdrawal = new AbortController();
      planned.set(id, withdrawal);
      void sender.sendForBytes({ ...slot, lease }, call, withdrawal.signal).then((outcome) => {
        planned.delete(id);
        tell({ kind: 'outcome', id, outcome }, outcome.kind === 'answered' ? [outcome.body.buffer] : []);
      });
    }
  }
});

function tell(message: FromThread, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

/**
 * Slots are milliseconds wide and this thread needs a tenth of a core: where it may, it goes before others. On Linux the
 * process id 0 means the calling thread; elsewhere it would be the whole process.
 */
function beforeOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, PRIORITY);
  } catch {
    // Needs CAP_SYS_NICE; without it a busy machine costs more slots.
  }
}
