import { openSync, writeSync } from 'node:fs';
import { EXCHANGES, LEASE_QUEUE } from '@sociograph/contracts';
import { SystemClock, TimeOrderedIds } from '@sociograph/kernel';
import { LeaseClient, type SendOutcome, SlotSender, type WorkerLease } from '@sociograph/lease-client';
import { Fanout, RpcClient } from '@sociograph/messaging';
import { createLogger } from '@sociograph/observability';
import { machineNow } from '../system-clock';
import { type ChaosWorkerSettings, type LeaseRecord, SETTINGS_VARIABLE } from './protocol';

const LEASE_TIMEOUT_MS = 2_000;
const CALL_TIMEOUT_MS = 5_000;
const FLUSH_MS = 50;
/** A stamp this much after the slot's end was taken by a process that was frozen after its check. */
const LATE_MS = 2;
const BODY = 'v=5.199&user_ids=1&user_id=1';

/** One worker: leases and calls in as many lanes as it is told, and writes down what became of each lease. */
class ChaosWorker {
  readonly #clock = new SystemClock();
  readonly #client: LeaseClient;
  readonly #sender: SlotSender;
  readonly #rpc: RpcClient;
  readonly #fanout: Fanout;
  readonly #file: number;
  #lines: string[] = [];
  #running = true;

  constructor(private readonly settings: ChaosWorkerSettings) {
    const logger = createLogger({ service: 'chaos', instance: String(settings.instance), level: 'fatal' });
    this.#rpc = new RpcClient({ url: settings.rabbitUrl, queue: LEASE_QUEUE, logger });
    this.#fanout = new Fanout({ url: settings.rabbitUrl, logger });
    this.#client = new LeaseClient({
      rpc: this.#rpc,
      identityKeyPem: settings.identityKeyPem,
      service: 'parser-service',
      instanceId: `chaos-${settings.instance}`,
      clock: this.#clock,
      ids: new TimeOrderedIds(),
    });
    this.#sender = new SlotSender({ baseUrl: settings.baseUrl, client: this.#client, connections: 16 });
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
        return await this.#client.open();
      } catch {
        await pause(200);
      }
    }
  }

  async #stop(): Promise<void> {
    this.#running = false;
    await pause(300);
    this.#flush();
    process.exit(0);
  }

  #heard(body: Buffer): void {
    this.#client.keyStateChanged(JSON.parse(body.toString('utf8')));
  }

  async #lane(): Promise<void> {
    const { workspaceId, instance, method } = this.settings;
    while (this.#running) {
      const verdict = await this.#client
        .acquire({
          workspaceId,
          network: 'vk',
          importId: `chaos-${instance}`,
          methods: { [method]: 1 },
          timeoutMs: LEASE_TIMEOUT_MS,
        })
        .catch(() => undefined);
      if (verdict?.kind === 'granted') await this.#call(verdict.lease);
      else
        await pause(verdict === undefined ? 200 : clamp(verdict.retryAt - this.#client.poolNow(), 20, 500));
    }
  }

  async #call(lease: WorkerLease): Promise<void> {
    const [slot] = lease.slots;
    if (slot === undefined) return;
    const grantedAt = machineNow();
    const outcome = await this.#sender.send(slot, {
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
      this.#settle(lease, { slot: 0, outcome: 'unsent', cause: outcome.cause });
      return;
    }
    const sent = { ...base, ...this.#stamps(outcome, slot.notAfter) };
    if (outcome.kind === 'broken') {
      this.#note({ ...sent, result: outcome.cause });
      this.#settle(lease, { slot: 0, outcome: 'broken', sentAt: outcome.sentAt, cause: outcome.cause });
      return;
    }
    const { sentAt, answeredAt, status } = outcome;
    const code = errorIn(outcome.body);
    this.#note({
      ...sent,
      answeredAt: this.#machine(answeredAt),
      result: code === undefined ? 'sent' : String(code),
    });
    const error = code !== undefined && { error: { code } };
    this.#settle(lease, { slot: 0, outcome: 'answered', sentAt, answeredAt, status, ...error });
  }

  #stamps(
    outcome: Exclude<SendOutcome, { kind: 'missed' }> & { checkedAt?: number; late?: boolean },
    notAfter: number,
  ): Pick<LeaseRecord, 'checkedAt' | 'sentAt' | 'endedAt' | 'late'> {
    const { checkedAt, sentAt } = outcome;
    return {
      ...(checkedAt !== undefined && { checkedAt: this.#machine(checkedAt) }),
      sentAt: this.#machine(sentAt),
      endedAt: this.#machine(notAfter),
      ...((outcome.late ?? sentAt > notAfter + LATE_MS) && { late: true }),
    };
  }

  /** From the pool's clock to the machine's, by the mapping in force now. */
  #machine(poolMs: number): number {
    const onOwnClock = this.#client.clock.toMonotonic(poolMs);
    return machineNow() + onOwnClock - this.#clock.monotonicMs();
  }

  #settle(lease: WorkerLease, report: Parameters<LeaseClient['settle']>[1][number]): void {
    this.#client.settle(lease, [report]).catch(() => undefined);
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
