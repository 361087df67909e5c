import { LEASE_QUEUE } from '@sociograph/contracts';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { LeaseWorker, reportOf, type WorkerLease } from '@sociograph/lease-client';
import { RpcClient } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { type Contender, lanesOf, pause } from './contender';
import { CALL_BODY, CALL_TIMEOUT_MS, callHeaders } from './plain-call';
import type { WorkerSettings } from './protocol';
import { errorIn, type Tally } from './tally';

const LEASE_TIMEOUT_MS = 5_000;
const OPEN_MS = 30_000;
const NETWORK = 'vk';

/** The pool of this repository: a lease for every call, asked of key-service and sent in its slot. */
export class OursContender implements Contender {
  readonly #rpc: RpcClient;
  readonly #worker: LeaseWorker;
  readonly #of: { workspaceId: string; network: string };

  constructor(
    private readonly settings: WorkerSettings,
    private readonly tally: Tally,
  ) {
    const { pool, instance } = settings;
    if (pool === undefined) throw new Error('ours needs the address of its key-service');
    this.#of = { workspaceId: pool.workspaceId, network: NETWORK };
    const logger = createLogger({ service: 'bench', instance: String(instance), level: 'error' });
    this.#rpc = new RpcClient({ url: pool.rabbitUrl, queue: LEASE_QUEUE, logger });
    this.#worker = new LeaseWorker({
      rpc: this.#rpc,
      identityKeyPem: pool.identityKeyPem,
      service: 'parser-service',
      instanceId: String(instance),
      clock: new SystemClock(),
      ids: new TimeOrderedIds(),
      networks: { [NETWORK]: { baseUrl: settings.baseUrl, pathProbe: { method: 'HEAD', path: '/' } } },
      onMargin: (_network, marginMs) => this.tally.margin(marginMs),
      fail: (error) => {
        throw error;
      },
    });
  }

  /** Waits until the pool knows every key: they were registered a moment ago. */
  async open(): Promise<void> {
    const until = performance.now() + OPEN_MS;
    const wanted = this.settings.keys.length;
    for (;;) {
      const known = await this.#known().catch((error: Error) => error);
      if (known === wanted) return;
      if (performance.now() > until) {
        if (known instanceof Error) throw known;
        throw new Error(`the pool has ${known} keys to give, not ${wanted}`);
      }
      await pause(100);
    }
  }

  async run(running: () => boolean): Promise<void> {
    const { keys, workers } = this.settings;
    const quota = keys.reduce((sum, key) => sum + key.perSecond, 0);
    await Promise.all(Array.from({ length: lanesOf(quota, workers) }, () => this.#lane(running)));
  }

  async close(): Promise<void> {
    await this.#worker.close();
    await this.#rpc.close();
  }

  async #known(): Promise<number> {
    await this.#worker.open();
    return (await this.#worker.capacity(this.#of)).keys;
  }

  async #lane(running: () => boolean): Promise<void> {
    while (running()) {
      const askedAt = performance.now();
      const verdict = await this.#worker
        .acquire({
          ...this.#of,
          importId: 'bench',
          methods: { 'friends.get': 1 },
          timeoutMs: LEASE_TIMEOUT_MS,
        })
        .catch((error: { code?: string }) => ({
          kind: 'denied' as const,
          reason: error.code ?? 'unreachable',
          retryAt: 0,
        }));
      if (verdict.kind === 'denied') {
        this.tally.count('denied', verdict.reason);
        await pause(Math.min(500, Math.max(20, verdict.retryAt - this.#worker.poolNow())));
        continue;
      }
      const aheadMs = (verdict.lease.slots[0]?.notBefore ?? NaN) - verdict.lease.grantedAt;
      this.tally.leased(performance.now() - askedAt, aheadMs);
      await this.#call(verdict.lease);
    }
  }

  async #call(lease: WorkerLease): Promise<void> {
    const [slot] = lease.slots;
    if (slot === undefined) return this.tally.count('lost', 'no-slot');
    const outcome = await this.#worker.send(slot, {
      path: 'friends.get',
      headers: callHeaders(lease.token.reveal()),
      body: CALL_BODY,
      timeoutMs: CALL_TIMEOUT_MS,
    });
    const code = outcome.kind === 'answered' ? errorIn(outcome.body) : undefined;
    if (outcome.kind === 'missed') this.tally.count('lost', outcome.cause);
    else {
      this.tally.sent(outcome.sentAt - slot.notBefore);
      if (outcome.late) this.tally.count('lost', 'sent-late');
      if (outcome.kind === 'broken') this.tally.count('broken', outcome.cause);
      else this.tally.answered(code);
    }
    const report = reportOf(0, outcome, code === undefined ? {} : { error: { code } });
    this.#worker.settle(lease, [report]).catch(() => this.tally.count('lost', 'settle'));
  }
}
