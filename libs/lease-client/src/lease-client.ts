import {
  type CallReport,
  capacityReply,
  type CapacityReply,
  keyStateChanged,
  leaseReply,
  LONGEST_LEAD_MS,
  pathReply,
  type PathReport,
  settleReply,
} from '@sociograph/contracts';
import { Secret } from '@sociograph/kernel';
import { LeaseLateness } from './lease-lateness';
import { GRACE_MS, LeaseSession, type LeaseSessionOptions } from './lease-session';
import type { PoolClock } from './pool-clock';
import { openToken, tokenAad } from './session-crypto';
import { type SettleResult, SettleQueue } from './settle-queue';
import { type KeyChange, KeyNews, type SlotView, type VoidCause, voidCauseOf } from './slot-verdict';
import type { AcquireVerdict, SendSlot, WorkerLease } from './worker-lease';

export interface LeaseClientOptions extends LeaseSessionOptions {
  /** Label of the address that this process calls networks from; the pool's default unless told. */
  egress?: string;
  /** How often the pool's clock is read when nothing else is asked (ms, 1,000). */
  clockEveryMs?: number;
  /** Told of each settle that was given up. */
  onSettleGivenUp?: () => void;
}

export interface AcquireRequest {
  workspaceId: string;
  network: string;
  importId: string;
  methods: Record<string, number>;
  /** Requests on the wire, each with its slot; 1 unless told. */
  calls?: number;
  timeoutMs: number;
  egress?: string;
}

/** What was measured of a network's path; times are milliseconds on the pool's clock. */
export type PathMeasured = Pick<PathReport, 'network' | 'probes' | 'lateness'>;

/** A process that ends waits for so long that its last settles get through. */
const LAST_SETTLES_MS = 1_000;

/**
 * The protocol of the key pool, worker's side. A request whose reply was lost is sent once more with the same id, which
 * charges nothing. Failures to reach the pool are DomainError `LEASE.POOL_UNREACHABLE` (kind `unavailable`); a denial
 * is a value.
 */
export class LeaseClient {
  readonly clock: PoolClock;
  readonly #options: LeaseClientOptions;
  readonly #session: LeaseSession;
  readonly #settles: SettleQueue;
  readonly #news = new KeyNews();
  readonly #lateness = new LeaseLateness();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseClientOptions) {
    this.#options = options;
    this.#session = new LeaseSession(options);
    this.clock = this.#session.clock;
    this.#settles = new SettleQueue({
      ask: (settles) => this.#settle(settles),
      monotonicMs: () => options.clock.monotonicMs(),
      ...(options.onSettleGivenUp && { onGivenUp: options.onSettleGivenUp }),
    });
  }

  /** Opens the session and keeps the clock mapping fresh from then on. */
  async open(): Promise<void> {
    await this.#session.open();
    clearInterval(this.#timer);
    const everyMs = this.#options.clockEveryMs ?? 1_000;
    this.#timer = setInterval(() => void this.#readClock(everyMs), everyMs);
    this.#timer.unref();
  }

  /** Sends the last settles and ends the session; leases still held lapse by themselves. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    let timer: NodeJS.Timeout | undefined;
    const inTime = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_SETTLES_MS)));
    await Promise.race([this.#settles.close(), inTime]);
    clearTimeout(timer);
    await this.#session.bye();
  }

  async acquire(request: AcquireRequest): Promise<AcquireVerdict> {
    const { timeoutMs, ...wanted } = request;
    await this.#session.open();
    const { leadMs } = this.#lateness;
    const body = {
      ...this.#egress(),
      ...wanted,
      ...(leadMs !== undefined && { leadMs }),
      deadlineAt: this.clock.now() + timeoutMs,
    };
    const { answer, keys } = await this.#session.ask('lease', body, timeoutMs + GRACE_MS);
    const reply = leaseReply.schema.parse(answer);
    if (reply.kind === 'denied') return { kind: 'denied', reason: reply.reason, retryAt: reply.retryAt };
    const { lease } = reply;
    this.#lateness.note(this.clock.now() - lease.grantedAt);
    const slots: WorkerLease['slots'][number][] = [];
    const held: WorkerLease = {
      leaseId: lease.leaseId,
      fence: lease.fence,
      keyId: lease.keyId,
      keyVersion: lease.keyVersion,
      token: new Secret(openToken(keys.seal, lease.token, tokenAad(lease))),
      workspaceId: request.workspaceId,
      network: request.network,
      importId: request.importId,
      methods: lease.methods,
      slots,
      grantedAt: lease.grantedAt,
      expiresAt: lease.expiresAt,
      why: lease.why,
      generation: this.clock.generation,
      wallAhead: this.#wallAhead(),
    };
    lease.calls.forEach((call, index) => slots.push({ index, ...call, lease: held }));
    return { kind: 'granted', lease: held };
  }

  /**
   * A slot was over before it could be sent: the next ones are asked for farther ahead, where this one was near enough
   * to its grant for that to help.
   */
  cameTooLate({ notBefore, lease }: Pick<SendSlot, 'notBefore' | 'lease'>): void {
    if (notBefore - lease.grantedAt <= LONGEST_LEAD_MS)
      this.#lateness.note(this.clock.now() - lease.grantedAt);
  }

  /**
   * Tells the pool what became of the slots. Settles that come together travel together; those from which the pool
   * learns something at once (an error, an unsent slot) do not wait for others. Repeated for 30 s when the pool is away.
   */
  settle(
    lease: WorkerLease,
    reports: CallReport[],
    unusedMethods?: Record<string, number>,
  ): Promise<SettleResult> {
    const { leaseId, fence, workspaceId, network, importId, keyId, methods, grantedAt } = lease;
    const about = { leaseId, fence, workspaceId, network, importId, keyId, methods, grantedAt };
    return this.#settles.add(
      { ...about, reports, ...(unusedMethods && { unusedMethods }) },
      reports.some(isUrgent),
    );
  }

  async capacity(of: {
    workspaceId: string;
    network: string;
  }): Promise<{ keys: number; callsPerSecond: number }> {
    const { keys, callsPerSecond } = await this.#capacity(of);
    return { keys, callsPerSecond };
  }

  /** Tells the pool what was measured of a path; the margin in force after that (ms). */
  async reportPath(measured: PathMeasured): Promise<number> {
    await this.#session.open();
    const { network, probes, lateness } = measured;
    const body = {
      ...this.#egress(),
      network,
      probes,
      ...(lateness && { lateness }),
      clockErrorMs: this.clock.errorMs,
    };
    return pathReply.schema.parse((await this.#session.ask('path', body, GRACE_MS)).answer).marginMs;
  }

  /**
   * A message of the fanout: slots of that key which were granted before it are void when the key is not active, or
   * until the end of its rest. Returns what it said, undefined when another egress is meant.
   */
  keyStateChanged(message: unknown): KeyChange | undefined {
    const change = keyStateChanged.schema.parse(message);
    if (change.egress !== undefined && change.egress !== (this.#options.egress ?? 'default'))
      return undefined;
    this.#news.note(change, this.clock.now());
    return change;
  }

  /** What decides about a slot of this key, read now. */
  view(keyId: string): SlotView {
    return {
      now: this.clock.now(),
      generation: this.clock.generation,
      wallAhead: this.#wallAhead(),
      news: this.#news.of(keyId),
    };
  }

  /** Why a lease, or its slot at `notBefore`, may not be used any more. */
  voidCause(lease: WorkerLease, notBefore?: number): VoidCause | undefined {
    return voidCauseOf(lease, this.view(lease.keyId), notBefore);
  }

  /** Pool time of an observation (ms): the grant plus the monotonic time elapsed. */
  poolNow(): number {
    return this.clock.now();
  }

  #egress(): { egress?: string } {
    return this.#options.egress === undefined ? {} : { egress: this.#options.egress };
  }

  #wallAhead(): number {
    return this.#options.clock.nowMs() - this.#options.clock.monotonicMs();
  }

  async #readClock(everyMs: number): Promise<void> {
    // Reports of the path and settles are readings too.
    if (this.#options.clock.monotonicMs() - this.#session.promptAt < everyMs) return;
    // The next reading comes in a second; what makes this one fail shows where a lease is asked for.
    await this.#capacity({}).catch(() => undefined);
  }

  async #capacity(of: { workspaceId?: string; network?: string }): Promise<CapacityReply> {
    return capacityReply.schema.parse((await this.#session.ask('capacity', of, GRACE_MS)).answer);
  }

  async #settle(settles: object[]): Promise<SettleResult[]> {
    return settleReply.schema.parse((await this.#session.ask('settle', { settles }, GRACE_MS)).answer)
      .results;
  }
}

function isUrgent(report: CallReport): boolean {
  if (report.outcome !== 'answered') return true;
  return report.status !== 200 || report.error !== undefined || report.methodErrors !== undefined;
}
