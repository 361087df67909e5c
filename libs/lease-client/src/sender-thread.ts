import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { LeaseClient } from './lease-client';
import type { PathSample, ProbeRequest } from './path-probe';
import type { SendOutcome, SendOutcomeOf, SlotCall } from './slot-sender';
import { type KeyChange, voidCauseOf } from './slot-verdict';
import { performanceAheadOfHr, SHARED } from './thread-guard';
import type { LeaseFacts, SendSlot } from './worker-lease';

export interface ThreadSettings {
  baseUrl: string;
  shared: SharedArrayBuffer;
  ownersAheadOfHr: number;
  pathProbe?: ProbeRequest | undefined;
  connections?: number | undefined;
}

export type ToThread =
  | { kind: 'send'; id: number; slot: Omit<SendSlot, 'lease'>; lease: LeaseFacts; call: SlotCall }
  | { kind: 'withdraw'; id: number }
  | { kind: 'warm' }
  | { kind: 'key-changed'; change: KeyChange; at: number };

export type FromThread =
  | { kind: 'outcome'; id: number; outcome: SendOutcomeOf<Uint8Array<ArrayBuffer>> }
  | { kind: 'probe'; sample: PathSample };

export interface SenderThreadOptions {
  /** E.g. https://api.vk.ru/method ; paths of calls are appended to it. */
  baseUrl: string;
  client: Pick<LeaseClient, 'clock' | 'view' | 'poolNow'>;
  /** Called once when the thread died: without it nothing is sent, so the process should end. */
  fail: (error: unknown) => void;
  /** Connections kept while there is work (4). */
  connections?: number | undefined;
  /** What the path is measured with; none: it is not. */
  pathProbe?: ProbeRequest | undefined;
  onProbe?: ((sample: PathSample) => void) | undefined;
  /** The thread's compiled entry; another one only in specs. */
  entry?: string | undefined;
}

/** The mapping of the pool's clock changes with each exchange; the thread has it at least this fresh. */
const SHARE_EVERY_MS = 100;
/** Connections that are wanted soon are asked for at most so often. */
const WARM_EVERY_MS = 1_000;

/**
 * Sends calls in their slots from a thread of its own. Slots are milliseconds wide and the main thread is busy for
 * longer than that whenever it reads an answer or writes to Kafka: sharing it cost more than half of the slots of
 * 4 ms under load. Each message carries all that the send needs; tokens stay inside the process.
 */
export class SenderThread {
  readonly #options: SenderThreadOptions;
  readonly #shared = new SharedArrayBuffer(SHARED.size * Float64Array.BYTES_PER_ELEMENT);
  readonly #view = new Float64Array(this.#shared);
  readonly #waiting = new Map<number, (outcome: SendOutcome) => void>();
  readonly #ownersAheadOfHr = performanceAheadOfHr();
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;
  #warmedAt = -Infinity;
  #closing = false;

  constructor(options: SenderThreadOptions) {
    this.#options = options;
  }

  /** Starts the thread, its first connections and the probes; sending does it too. */
  open(): void {
    if (this.#worker !== undefined || this.#closing) return;
    const { baseUrl, pathProbe, connections, entry = compiledEntry() } = this.#options;
    this.#share();
    const workerData: ThreadSettings = {
      baseUrl,
      shared: this.#shared,
      ownersAheadOfHr: this.#ownersAheadOfHr,
      pathProbe,
      connections,
    };
    this.#worker = new Worker(entry, {
      workerData,
      name: 'sender',
      resourceLimits: { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.on('message', (message: FromThread) => this.#take(message));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the sending thread ended')));
    this.#timer = setInterval(() => this.#share(), SHARE_EVERY_MS);
    this.#timer.unref();
    this.#worker.unref();
  }

  /** A call will come soon: connections should be there by then. */
  warm(): void {
    this.open();
    const now = performance.now();
    if (now - this.#warmedAt < WARM_EVERY_MS) return;
    this.#warmedAt = now;
    this.#post({ kind: 'warm' });
  }

  /** In the slot or not at all; never rejects. What is withdrawn before its slot is `missed`. */
  async send(slot: SendSlot, call: SlotCall, withdrawn?: AbortSignal): Promise<SendOutcome> {
    this.open();
    const { lease, ...times } = slot;
    // Asked here too: what this thread knows already need not be found out there.
    const cause = voidCauseOf(lease, this.#options.client.view(lease.keyId), slot.notBefore);
    if (this.#worker === undefined || cause !== undefined) {
      return { kind: 'missed', cause: cause ?? 'no-connection' };
    }
    if (withdrawn?.aborted === true) return { kind: 'missed', cause: 'withdrawn' };
    this.#share();
    const { keyId, grantedAt, expiresAt, generation, wallAhead } = lease;
    const id = (this.#sent += 1);
    const facts: LeaseFacts = { keyId, grantedAt, expiresAt, generation, wallAhead };
    const answer = new Promise<SendOutcome>((resolve) => this.#waiting.set(id, resolve));
    this.#post({ kind: 'send', id, slot: times, lease: facts, call });
    const withdraw = (): void => this.#post({ kind: 'withdraw', id });
    withdrawn?.addEventListener('abort', withdraw, { once: true });
    return answer.finally(() => withdrawn?.removeEventListener('abort', withdraw));
  }

  /** Takes a change of a key's state, also for slots that the thread waits for. */
  keyChanged(change: KeyChange): void {
    const { keyId, state, restingUntil } = change;
    this.#post({
      kind: 'key-changed',
      change: { keyId, state, restingUntil },
      at: this.#options.client.poolNow(),
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    for (const [id] of this.#waiting) this.#settle(id, { kind: 'missed', cause: 'no-connection' });
  }

  #post(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #share(): void {
    const { clock } = this.#options.client;
    // The generation first: a check between the two then sees a void slot as void.
    this.#view[SHARED.generation] = clock.generation;
    this.#view[SHARED.poolAheadOfHr] = clock.toPool(0) + this.#ownersAheadOfHr;
  }

  #take(message: FromThread): void {
    if (message.kind === 'probe') {
      this.#options.onProbe?.(message.sample);
      return;
    }
    const { id, outcome } = message;
    // Decoded here: the thread has slots to keep.
    const told =
      outcome.kind === 'answered'
        ? { ...outcome, body: Buffer.from(outcome.body.buffer).toString('utf8') }
        : outcome;
    this.#settle(id, told);
  }

  #settle(id: number, outcome: SendOutcome): void {
    this.#waiting.get(id)?.(outcome);
    this.#waiting.delete(id);
  }

  #end(error: unknown): void {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#timer);
    this.#options.fail(error);
  }
}

/** Beside this file once it is compiled; from its source (specs, a script runner) the last build is used. */
function compiledEntry(): string {
  const beside = join(__dirname, 'sender-worker.js');
  return existsSync(beside) ? beside : join(__dirname, '..', 'dist', 'sender-worker.js');
}
