import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { LeaseClient, type WorkerLease } from '@sociograph/lease-client';
import { RpcClient } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { LEASE_QUEUE } from '@sociograph/contracts';
import { type PhaseResult, timesOf } from './figures';

/** The load generator: a process of its own, told its phases by the bench over the parent's channel. */
export interface LoadSettings {
  rabbitUrl: string;
  /** Where requests are answered with nothing. */
  echoRabbitUrl: string;
  identityKeyPem: string;
  workspaceId: string;
}

export type Phase =
  | { mode: 'counted'; calls: number }
  | { mode: 'closed'; concurrency: number; seconds: number }
  | { mode: 'open'; rate: number; seconds: number }
  | { mode: 'echo'; rate: number; seconds: number };

/** How long after its slot a call is reported as answered (ms). */
const ANSWER_AFTER_MS = 80;
const WAIT_MS = 2_000;
/** Bytes of a request for one call. */
const REQUEST_BYTES = 500;

class Load {
  readonly #client: LeaseClient;
  readonly #echo: RpcClient;
  readonly #workspaceId: string;
  #settleRequests = 0;
  #clockRequests = 0;
  #granted = 0;
  #failed = 0;
  #denied: Record<string, number> = {};
  #latencies: number[] = [];
  #open: WorkerLease[] = [];
  #inFlight = 0;

  constructor(settings: LoadSettings) {
    const logger = createLogger({ service: 'bench', instance: 'load', level: 'warn' });
    const rpc = new RpcClient({ url: settings.rabbitUrl, queue: LEASE_QUEUE, logger });
    this.#echo = new RpcClient({ url: settings.echoRabbitUrl, queue: LEASE_QUEUE, logger });
    this.#workspaceId = settings.workspaceId;
    this.#client = new LeaseClient({
      rpc: {
        request: (body, timeoutMs) => {
          // Frames begin with their kind.
          if (body[9] === 's'.charCodeAt(0)) this.#settleRequests += 1;
          else if (body[9] === 'c'.charCodeAt(0)) this.#clockRequests += 1;
          return rpc.request(body, timeoutMs);
        },
      },
      identityKeyPem: settings.identityKeyPem,
      service: 'parser-service',
      instanceId: 'bench',
      clock: new SystemClock(),
      ids: new TimeOrderedIds(),
    });
  }

  async begin(): Promise<void> {
    await this.#client.open();
    await this.#echo.connect();
    setInterval(() => this.#settleDue(), 5);
  }

  async run(phase: Phase): Promise<PhaseResult> {
    this.#settleRequests = this.#clockRequests = this.#granted = this.#failed = 0;
    this.#denied = {};
    this.#latencies = [];
    const startedAt = performance.now();
    if (phase.mode === 'counted') for (let i = 0; i < phase.calls; i += 1) await this.#one(performance.now());
    else if (phase.mode === 'closed') await this.#closed(phase.concurrency, startedAt + phase.seconds * 1000);
    else if (phase.mode === 'open')
      await this.#openLoop(phase.rate, startedAt, phase.seconds, (dueAt) => this.#one(dueAt));
    else await this.#openLoop(phase.rate, startedAt, phase.seconds, (dueAt) => this.#echoed(dueAt));
    const result = {
      granted: this.#granted,
      denied: this.#denied,
      failed: this.#failed,
      seconds: (performance.now() - startedAt) / 1000,
      latency: timesOf(this.#latencies),
      settleRequests: this.#settleRequests,
      clockRequests: this.#clockRequests,
    };
    await this.#drained();
    return result;
  }

  async #closed(concurrency: number, until: number): Promise<void> {
    const loop = async (): Promise<void> => {
      while (performance.now() < until) await this.#one(performance.now());
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
  }

  /** Requests leave by the clock, whatever became of those before; each counts from when it was due. */
  async #openLoop(
    rate: number,
    startedAt: number,
    seconds: number,
    one: (dueAt: number) => Promise<void>,
  ): Promise<void> {
    const total = Math.round(rate * seconds);
    await new Promise<void>((resolve) => {
      let sent = 0;
      const tick = (): void => {
        const due = Math.min(total, Math.floor(((performance.now() - startedAt) * rate) / 1000));
        for (; sent < due; sent += 1) void one(startedAt + ((sent + 1) * 1000) / rate);
        if (sent < total) setTimeout(tick, 0);
        else resolve();
      };
      tick();
    });
    await this.#drained();
  }

  async #one(from: number): Promise<void> {
    this.#inFlight += 1;
    try {
      const verdict = await this.#client.acquire({
        workspaceId: this.#workspaceId,
        network: 'vk',
        importId: 'bench',
        methods: { 'users.get': 1 },
        timeoutMs: WAIT_MS,
      });
      this.#latencies.push(performance.now() - from);
      if (verdict.kind === 'denied') this.#denied[verdict.reason] = (this.#denied[verdict.reason] ?? 0) + 1;
      else {
        this.#granted += 1;
        this.#open.push(verdict.lease);
      }
    } catch {
      this.#failed += 1;
    } finally {
      this.#inFlight -= 1;
    }
  }

  async #echoed(from: number): Promise<void> {
    this.#inFlight += 1;
    try {
      await this.#echo.request(Buffer.alloc(REQUEST_BYTES, '.'), WAIT_MS);
      this.#latencies.push(performance.now() - from);
      this.#granted += 1;
    } catch {
      this.#failed += 1;
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** Reports every call whose answer would have come by now; they were granted in the order of their slots, nearly. */
  #settleDue(): void {
    const now = this.#client.poolNow() - ANSWER_AFTER_MS;
    const due = this.#open.filter((lease) => (lease.slots[0]?.notBefore ?? 0) <= now);
    if (due.length === 0) return;
    const gone = new Set(due);
    this.#open = this.#open.filter((lease) => !gone.has(lease));
    for (const lease of due) {
      const sentAt = (lease.slots[0]?.notBefore ?? 0) + 1;
      const report = { outcome: 'answered' as const, slot: 0, sentAt, answeredAt: sentAt + 60, status: 200 };
      this.#client.settle(lease, [report]).catch(() => (this.#failed += 1));
    }
  }

  async #drained(): Promise<void> {
    while (this.#inFlight > 0 || this.#open.length > 0) await new Promise((done) => setTimeout(done, 5));
  }
}

let load: Load | undefined;
process.on('message', (message: { settings?: LoadSettings; phase?: Phase }) => {
  void (async () => {
    if (message.settings !== undefined) {
      load = new Load(message.settings);
      await load.begin();
      process.send?.({ ready: true });
    } else if (message.phase !== undefined) process.send?.({ result: await load?.run(message.phase) });
  })().catch((error: unknown) => process.send?.({ fault: String(error) }));
});
process.on('disconnect', () => process.exit(0));
