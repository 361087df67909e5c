import { parentPort, workerData } from 'node:worker_threads';
import { SlotSender, type WorkerLease } from '@sociograph/lease-client';
import type { FromThread, ThreadSettings, ToThread } from './sender-thread';
import { hrNow, ThreadGuard } from './thread-guard';

/** Entry of the sending thread: one SlotSender, fed by messages. */
const { baseUrl, shared, ownersAheadOfHr } = workerData as ThreadSettings;
const guard = new ThreadGuard(new Float64Array(shared), ownersAheadOfHr);
const sender = new SlotSender({ baseUrl, client: guard, monotonicMs: hrNow });

parentPort?.on('message', (message: ToThread) => {
  if (message.kind === 'key-changed') {
    guard.keyChanged(message.keyId, message.before);
    return;
  }
  const { id, slot, lease, call } = message;
  // The sender hands the lease to the guard and reads nothing else of it.
  void sender
    .send({ ...slot, lease: lease as WorkerLease }, call)
    .then((outcome) => parentPort?.postMessage({ id, outcome } satisfies FromThread));
});
