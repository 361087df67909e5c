import { openSync, writeSync } from 'node:fs';
import { EXCHANGES, LEASE_QUEUE } from '@sociograph/contracts';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { LeaseWorker, reportOf, type SendOutcome, type WorkerLease } from '@sociograph/lease-client';
import { Fanout, RpcClient } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { machineNow } from '../system-clock';
import { type ChaosWorkerSettings, type LeaseRecord, SETTINGS_VARIABLE } from './protocol';

const LEASE_TIMEOUT_MS = 2_000;
const CALL_TIMEOUT_MS = 5_000;
const FLUSH_MS = 50;
const BODY = 'v=5.199&user_ids=1&user_id=1';

/** One worker: leases and calls in as many lanes as it is told, and writes down what became of each lease. */
class ChaosWorker {
  readonly #clock = new SystemClock();
  readonly #worker: LeaseWorker;
  readonly #rpc: RpcClient;
  readonly #fanout: Fanout;
  readonly #file: number;
  #lines: string[] = [];
  #running = true;
  readonly #denied: Record<string, number> = {};

  constructor(private readonly settings: ChaosWorkerSettings) {
    const logger = createLogger({ service: 'chaos', instance: String(settings.instance), level: 'fatal' });
    this.#rpc = new RpcClient({ url: settings.rabbitUrl, queue: LEASE_QUEUE, logger });
    this.#fanout = new Fanout({ url: settings.rabbitUrl, logger });
    this.#worker = new LeaseWorker({
      rpc: this.#rpc,
      identityKeyPem: settings.identityKeyPem,
      service: 'parser-service',
      instanceId: `chaos-${settings.instance}`,
      clock: this.#clock,
      ids: new TimeOrderedIds(),
      networks: { vk: { baseUrl: settings.baseUrl, pathProbe: { method: 'HEAD', path: '/' } } },
      fail: () => process.exit(1),
    });
    this.#file = openSync(settings.recordsFile, 'a');
    setInterval(() => this.#flush(), FLUSH_MS);
  }

  async run(): Promise<void> {
    void this.#fanout
      .subscribeFanout(EXCHANGES.keyState, (body) => this.#heard(body), 600_000)
      .catch(() => undefined);
    process.once('SIGTERM', () => void this.#stop());
    process.stdout.write('worker started\n');
    await this.#opened();
    process.stdout.write('session open\n');
    await Promise.all(Array.from({ length: this.settings.lanes }, () => this.#lane()));
  }

  async #opened(): Promise<void> {
    for (;;) {
      try {
        return await this.#worker.open();
      } catch {
        await pause(200);
      }
    }
  }

  async #stop(): Promise<void> {
    this.#running = false;
    await pause(300);
    this.#lines.push(`${JSON.stringify({ denied: this.#denied })}\n`);
    this.#flush();
    process.exit(0);
  }

  #heard(body: Buffer): void {
    this.#worker.keyStateChanged(JSON.parse(body.toString('utf8')));
  }

  async #lane(): Promise<void> {
    const { workspaceId, instance, method } = this.settings;
    while (this.#running) {
      const verdict = await this.#worker
        .acquire({
          workspaceId,
          network: 'vk',
          importId: `chaos-${instance}`,
          methods: { [method]: 1 },
          timeoutMs: LEASE_TIMEOUT_MS,
        })
        .catch(() => undefined);
      if (verdict?.kind === 'granted') await this.#call(verdict.lease);
      else {
        const reason = verdict?.reason ?? 'pool not reached';
        this.#denied[reason] = (this.#denied[reason] ?? 0) + 1;
        await pause(verdict === undefined ? 200 : clamp(verdict.retryAt - this.#worker.poolNow(), 20, 500));
      }
    }
  }

  async #call(lease: WorkerLease): Promise<void> {
    const [slot] = lease.slots;
    if (slot === undefined) return;
    const grantedAt = machineNow();
    const outcome = await this.#worker.send(slot, {
      path: this.settings.method,
      headers: {
        authorization: `Bearer ${lease.token.reveal()}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: BODY,
      timeoutMs: CALL_TIMEOUT_MS,
    });
    const base = { worker: this.settings.instance, keyId: lease.keyId, grantedAt };
    if (outcome.kind === 'missed') {
      this.#note({ ...base, result: outcome.cause });
      return this.#settle(lease, outcome);
    }
    const sent = { ...base, ...this.#stamps(outcome, slot.notAfter) };
    if (outcome.kind === 'broken') {
      this.#note({ ...sent, result: outcome.cause });
      return this.#settle(lease, outcome);
    }
    const code = errorIn(outcome.body);
    const answeredAt = this.#machine(outcome.answeredAt);
    this.#note({ ...sent, answeredAt, result: code === undefined ? 'sent' : String(code) });
    this.#settle(lease, outcome, code);
  }

  #stamps(
    outcome: Exclude<SendOutcome, { kind: 'missed' }>,
    notAfter: number,
  ): Pick<LeaseRecord, 'checkedAt' | 'sentAt' | 'endedAt' | 'late'> {
    return {
      checkedAt: this.#machine(outcome.checkedAt),
      sentAt: this.#machine(outcome.sentAt),
      endedAt: this.#machine(notAfter),
      ...(outcome.late && { late: true }),
    };
  }

  /** From the pool's clock to the machine's, by the mapping in force now. */
  #machine(poolMs: number): number {
    const onOwnClock = this.#worker.client.clock.toMonotonic(poolMs);
    return machineNow() + onOwnClock - this.#clock.monotonicMs();
  }

  #settle(lease: WorkerLease, outcome: SendOutcome, code?: number): void {
    const report = reportOf(0, outcome, code === undefined ? {} : { error: { code } });
    this.#worker.settle(lease, [report]).catch(() => undefined);
  }

  #note(record: LeaseRecord): void {
    this.#lines.push(`${JSON.stringify(record)}\n`);
    // What a verdict will need must survive a kill in the next moment.
    if (record.late === true || /^\d+$/.test(record.result)) this.#flush();
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    writeSync(this.#file, this.#lines.join(''));
    this.#lines = [];
  }
}

function errorIn(body: string): number | undefined {
  if (!body.startsWith('{"error"')) return undefined;
  return (JSON.parse(body) as { error: { error_code: number } }).error.error_code;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const settings = JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as ChaosWorkerSettings;
new ChaosWorker(settings).run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
