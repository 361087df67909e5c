import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LeaseClient, SendOutcome, SendSlot, SlotCall } from '@sociograph/lease-client';
import type { Logger } from '@sociograph/observability';
import { performanceAheadOfHr, SHARED, type LeaseFacts } from './thread-guard';

export interface ThreadSettings {
  baseUrl: string;
  shared: SharedArrayBuffer;
  ownersAheadOfHr: number;
}

export type ToThread =
  | { kind: 'send'; id: number; slot: Omit<SendSlot, 'lease'>; lease: LeaseFacts; call: SlotCall }
  | { kind: 'key-changed'; keyId: string; before: number };

export interface FromThread {
  id: number;
  outcome: SendOutcome;
}

export interface SenderThreadOptions {
  baseUrl: string;
  client: Pick<LeaseClient, 'clock' | 'voidCause' | 'poolNow'>;
  logger: Pick<Logger, 'fatal'>;
  /** Ends the process when the thread died: its supervisor starts a whole one. */
  fail: () => void;
  /** The thread's compiled entry; another one only in specs. */
  entry?: string;
}

/** The mapping of the pool's clock changes with each exchange; the thread has it at least this fresh. */
const SHARE_EVERY_MS = 100;

/**
 * Sends calls in their slots from a thread of its own. Slots are milliseconds wide and the main thread is busy for
 * longer than that whenever it reads an answer or writes to Kafka: sharing it cost more than half of the slots of
 * 4 ms under load. Each message carries all that the send needs; tokens stay inside the process.
 */
export class SenderThread {
  private readonly shared = new SharedArrayBuffer(SHARED.size * Float64Array.BYTES_PER_ELEMENT);
  private readonly view = new Float64Array(this.shared);
  private readonly waiting = new Map<number, (outcome: SendOutcome) => void>();
  private readonly ownersAheadOfHr = performanceAheadOfHr();
  private worker: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;
  private sent = 0;
  private closing = false;

  constructor(private readonly options: SenderThreadOptions) {}

  /** Starts the thread and its first connections; sending does it too. */
  open(): void {
    if (this.worker !== undefined || this.closing) return;
    const { baseUrl, entry = join(__dirname, 'sender-worker.js') } = this.options;
    this.share();
    const workerData: ThreadSettings = {
      baseUrl,
      shared: this.shared,
      ownersAheadOfHr: this.ownersAheadOfHr,
    };
    this.worker = new Worker(entry, {
      workerData,
      name: 'sender',
      resourceLimits: { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 },
    });
    this.worker.on('message', ({ id, outcome }: FromThread) => this.settle(id, outcome));
    this.worker.on('error', (error) => this.end(error));
    this.worker.on('exit', () => this.end(new Error('the thread ended')));
    this.timer = setInterval(() => this.share(), SHARE_EVERY_MS);
    this.timer.unref();
    this.worker.unref();
  }

  async send(slot: SendSlot, call: SlotCall): Promise<SendOutcome> {
    this.open();
    const { lease, ...times } = slot;
    // Asked here too: what this thread knows already need not be found out there.
    const cause = this.options.client.voidCause(lease);
    if (this.worker === undefined || cause !== undefined)
      return { kind: 'missed', cause: cause ?? 'no-connection' };
    this.share();
    const { keyId, grantedAt, expiresAt, generation, wallAhead } = lease;
    const id = (this.sent += 1);
    const facts: LeaseFacts = { keyId, grantedAt, expiresAt, generation, wallAhead };
    this.post({ kind: 'send', id, slot: times, lease: facts, call });
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  /** Leases of the key that came in before now are void, also those whose slot the thread waits for. */
  keyChanged(keyId: string): void {
    this.post({ kind: 'key-changed', keyId, before: this.options.client.poolNow() });
  }

  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.timer);
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }

  private post(message: ToThread): void {
    this.worker?.postMessage(message);
  }

  private share(): void {
    const { clock } = this.options.client;
    // The generation first: a check between the two then sees a void slot as void.
    this.view[SHARED.generation] = clock.generation;
    this.view[SHARED.poolAheadOfHr] = clock.toPool(0) + this.ownersAheadOfHr;
  }

  private settle(id: number, outcome: SendOutcome): void {
    this.waiting.get(id)?.(outcome);
    this.waiting.delete(id);
  }

  private end(error: unknown): void {
    if (this.closing) return;
    this.options.logger.fatal({ err: error }, 'the sending thread ended');
    this.options.fail();
  }
}
