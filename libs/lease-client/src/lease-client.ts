import { Buffer } from 'node:buffer';
import {
  type CallReport,
  capacityReply,
  type CapacityReply,
  type KeyStateChanged,
  keyStateChanged,
  leaseFrameReply,
  type LeaseFrameReply,
  leaseReply,
  leaseWelcome,
  settleReply,
} from '@sociograph/contracts';
import { type Clock, DomainError, type Ids, Secret } from '@sociograph/kernel';
import { PoolClock } from './pool-clock';
import {
  deriveKeys,
  frameMac,
  macIsRight,
  newKeyShare,
  openToken,
  type SessionKeys,
  signHello,
  tokenAad,
} from './session-crypto';
import type { AcquireVerdict, VoidCause, WorkerLease } from './worker-lease';

/** What is used of messaging's RpcClient: a request and its one reply, or an error when none came in time. */
export interface LeaseTransport {
  request(body: Buffer, timeoutMs: number): Promise<Buffer>;
}

export interface LeaseClientOptions {
  rpc: LeaseTransport;
  /** Ed25519 private key of the worker service, PEM. */
  identityKeyPem: string;
  service: string;
  instanceId: string;
  clock: Clock;
  ids: Ids;
  /** How often the pool's clock is read when nothing else is asked (ms, 1,000). */
  clockEveryMs?: number;
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

interface Session {
  id: string;
  keys: SessionKeys;
  sequence: number;
}

interface PendingSettle {
  entry: object;
  done: (result: SettleResult) => void;
  failed: (error: unknown) => void;
}

export type SettleResult = 'settled' | 'already-settled' | 'late' | 'unknown';

/** Time that a reply may take beyond what the request allows the pool to wait. */
const GRACE_MS = 2_000;
const SUSPENDED_MS = 50;
const SETTLES_PER_REQUEST = 100;

/**
 * The worker's side of the key pool. Opens a session by itself and again when the pool forgot it; a request whose
 * reply was lost is sent once more with the same id, which charges nothing. Failures to reach the pool are
 * DomainError `LEASE.POOL_UNREACHABLE` (kind `unavailable`); a denial is a value.
 */
export class LeaseClient {
  readonly clock: PoolClock;
  readonly #options: LeaseClientOptions;
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #voidBefore = new Map<string, number>();
  #settles: PendingSettle[] = [];
  #settling = false;

  constructor(options: LeaseClientOptions) {
    this.#options = options;
    this.clock = new PoolClock({ clock: options.clock });
  }

  /** Opens the session and keeps the clock mapping fresh from then on. */
  async open(): Promise<void> {
    await this.#open();
    this.#timer = setInterval(() => void this.#readClock(), this.#options.clockEveryMs ?? 1_000);
    this.#timer.unref();
  }

  /** Ends the session; leases still held lapse by themselves. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    const body = JSON.stringify(this.#head(session));
    const frame = {
      kind: 'bye',
      session: session.id,
      body,
      mac: frameMac(session.keys.request, 'bye', session.id, body),
    };
    await this.#options.rpc.request(Buffer.from(JSON.stringify(frame)), 500).catch(() => undefined);
  }

  async acquire(request: AcquireRequest): Promise<AcquireVerdict> {
    const { timeoutMs, ...wanted } = request;
    await this.#current();
    const body = { ...wanted, deadlineAt: this.clock.now() + timeoutMs };
    const { answer, keys } = await this.#ask('lease', body, timeoutMs + GRACE_MS);
    const reply = leaseReply.schema.parse(answer);
    if (reply.kind === 'denied') return { kind: 'denied', reason: reply.reason, retryAt: reply.retryAt };
    const { lease } = reply;
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

  /** Tells the pool what became of the slots. Settles that come while one is under way travel together. */
  settle(
    lease: WorkerLease,
    reports: CallReport[],
    unusedMethods?: Record<string, number>,
  ): Promise<SettleResult> {
    const { leaseId, fence, workspaceId, network, importId } = lease;
    const entry = {
      leaseId,
      fence,
      workspaceId,
      network,
      importId,
      reports,
      ...(unusedMethods && { unusedMethods }),
    };
    return new Promise((done, failed) => {
      this.#settles.push({ entry, done, failed });
      if (!this.#settling) {
        this.#settling = true;
        setImmediate(() => void this.#flushSettles());
      }
    });
  }

  async capacity(of: {
    workspaceId: string;
    network: string;
  }): Promise<{ keys: number; callsPerSecond: number }> {
    const { keys, callsPerSecond } = await this.#capacity(of);
    return { keys, callsPerSecond };
  }

  /** A message of the fanout: leases of that key that came in before it are void unless it is active. */
  keyStateChanged(message: unknown): void {
    const change: KeyStateChanged = keyStateChanged.schema.parse(message);
    if (change.state !== 'active') this.#voidBefore.set(change.keyId, this.clock.now());
  }

  /** Why the slots of this lease may not be used any more, asked in the tick of the send. */
  voidCause(lease: WorkerLease): VoidCause | undefined {
    if (lease.generation !== this.clock.generation) return 'clock-contradicted';
    if (this.#wallAhead() - lease.wallAhead > SUSPENDED_MS) return 'suspended';
    if (lease.grantedAt <= (this.#voidBefore.get(lease.keyId) ?? -1)) return 'key-state-changed';
    if (this.clock.now() > lease.expiresAt) return 'lease-expired';
    return undefined;
  }

  /** Pool time of an observation (ms): the grant plus the monotonic time elapsed. */
  poolNow(): number {
    return this.clock.now();
  }

  #wallAhead(): number {
    return this.#options.clock.nowMs() - this.#options.clock.monotonicMs();
  }

  async #readClock(): Promise<void> {
    // The next reading comes in a second; what makes this one fail shows where a lease is asked for.
    await this.#capacity({}).catch(() => undefined);
  }

  async #capacity(of: { workspaceId?: string; network?: string }): Promise<CapacityReply> {
    await this.#current();
    return capacityReply.schema.parse((await this.#ask('capacity', of, GRACE_MS)).answer);
  }

  async #flushSettles(): Promise<void> {
    while (this.#settles.length > 0) {
      const batch = this.#settles.splice(0, SETTLES_PER_REQUEST);
      try {
        await this.#current();
        const settles = batch.map((pending) => pending.entry);
        const reply = settleReply.schema.parse((await this.#ask('settle', { settles }, GRACE_MS)).answer);
        batch.forEach((pending, index) => pending.done(reply.results[index] ?? 'unknown'));
      } catch (error) {
        for (const pending of batch) pending.failed(error);
      }
    }
    this.#settling = false;
  }

  /** Asks once, and once more when the session was forgotten or the reply was lost: same request id, new sequence. */
  async #ask(
    kind: 'lease' | 'settle' | 'capacity',
    body: object,
    timeoutMs: number,
  ): Promise<{ answer: unknown; keys: SessionKeys }> {
    const requestId = this.#options.ids.next();
    for (let attempt = 1; ; attempt += 1) {
      const session = await this.#current();
      const text = JSON.stringify({ ...this.#head(session), requestId, ...body });
      const mac = frameMac(session.keys.request, kind, session.id, text);
      const frame = Buffer.from(JSON.stringify({ kind, session: session.id, body: text, mac }));
      const answer = await this.#exchange(frame, timeoutMs).catch((cause: unknown) => {
        if (attempt < 2) return undefined;
        throw unreachable(cause);
      });
      if (answer === undefined) continue;
      const { reply, sentAt, receivedAt } = answer;
      if (reply.kind === 'refused') {
        if (reply.reason === 'session-unknown' && this.#session === session) this.#session = undefined;
        if (attempt < 2 && reply.reason !== 'malformed') continue;
        throw refused(reply.reason);
      }
      if (!macIsRight(session.keys.reply, reply.kind, session.id, reply.body, reply.mac))
        throw refused('forged');
      const parsed = JSON.parse(reply.body) as { poolNow: number; requestId: string };
      if (parsed.requestId !== requestId) throw refused('forged');
      this.clock.observe(sentAt, receivedAt, parsed.poolNow);
      return { answer: parsed, keys: session.keys };
    }
  }

  #head(session: Session): { requestId: string; issuedAt: number; sequence: number } {
    session.sequence += 1;
    return {
      requestId: this.#options.ids.next(),
      issuedAt: Math.max(0, this.clock.now()),
      sequence: session.sequence,
    };
  }

  async #exchange(
    frame: Buffer,
    timeoutMs: number,
  ): Promise<{ reply: LeaseFrameReply; sentAt: number; receivedAt: number }> {
    const sentAt = this.#options.clock.monotonicMs();
    const bytes = await this.#options.rpc.request(frame, timeoutMs);
    const receivedAt = this.#options.clock.monotonicMs();
    return { reply: leaseFrameReply.parse(JSON.parse(bytes.toString('utf8'))), sentAt, receivedAt };
  }

  #current(): Promise<Session> {
    return this.#session === undefined ? this.#open() : Promise.resolve(this.#session);
  }

  #open(): Promise<Session> {
    this.#opening ??= this.#hello().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #hello(): Promise<Session> {
    const { service, instanceId: instance, identityKeyPem, clock } = this.#options;
    const share = newKeyShare();
    const worker = { publicKey: share.publicKey, nonce: share.nonce };
    const hello = signHello({ service, instance, ...worker, issuedAt: clock.nowMs() }, identityKeyPem);
    const frame = Buffer.from(JSON.stringify({ kind: 'hello', body: JSON.stringify(hello) }));
    const { reply, sentAt, receivedAt } = await this.#exchange(frame, GRACE_MS).catch((cause: unknown) => {
      throw unreachable(cause);
    });
    if (reply.kind !== 'welcome') throw refused(reply.kind === 'refused' ? reply.reason : 'malformed');
    const welcome = leaseWelcome.schema.parse(JSON.parse(reply.body));
    const pool = { publicKey: welcome.publicKey, nonce: welcome.nonce };
    const keys = deriveKeys(share.privateKey, pool.publicKey, { service, instance, worker, pool });
    if (!macIsRight(keys.reply, 'welcome', welcome.session, reply.body, reply.mac)) throw refused('forged');
    this.clock.observe(sentAt, receivedAt, welcome.poolNow);
    this.#session = { id: welcome.session, keys, sequence: 0 };
    return this.#session;
  }
}

function unreachable(cause: unknown): DomainError {
  return new DomainError({
    code: 'LEASE.POOL_UNREACHABLE',
    kind: 'unavailable',
    message: 'The key pool does not answer right now.',
    retryAfterSeconds: 1,
    cause,
  });
}

/** A refusal that a new session did not cure: the identity is not trusted, or the pool cannot reach its own servers. */
function refused(reason: string): DomainError {
  const unavailable = reason === 'unavailable' || reason === 'session-unknown' || reason === 'stale';
  return new DomainError({
    code: 'LEASE.REQUEST_REFUSED',
    kind: unavailable ? 'unavailable' : 'forbidden',
    message: 'The key pool refused a request of this worker.',
    facts: { reason },
    ...(unavailable && { retryAfterSeconds: 1 }),
  });
}
