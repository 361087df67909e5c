import { Buffer } from 'node:buffer';
import { leaseFrameReply, type LeaseFrameReply, leaseWelcome } from '@sociograph/contracts';
import { type Clock, DomainError, type Ids } from '@sociograph/kernel';
import { PoolClock } from './pool-clock';
import { deriveKeys, frameMac, macIsRight, newKeyShare, type SessionKeys, signHello } from './session-crypto';

/** What is used of messaging's RpcClient: a request and its one reply, or an error when none came in time. */
export interface LeaseTransport {
  request(body: Buffer, timeoutMs: number): Promise<Buffer>;
}

export interface LeaseSessionOptions {
  rpc: LeaseTransport;
  /** Ed25519 private key of the worker service, PEM. */
  identityKeyPem: string;
  service: string;
  instanceId: string;
  clock: Clock;
  ids: Ids;
}

interface Session {
  id: string;
  keys: SessionKeys;
  sequence: number;
}

export type AskKind = 'lease' | 'settle' | 'capacity' | 'path';

/** Time that a reply may take beyond what the request allows the pool to wait. */
export const GRACE_MS = 2_000;
const BYE_MS = 500;
/** A reply that was lost, or a refusal that a second try may cure. */
const TRIES = 2;
/** A new session is no try: after a cut the first answer is always that the old one is not known. */
const RENEWALS = 1;

/**
 * Authenticated requests to the key pool. Opens a session by itself and again when the pool forgot it; every reply is a
 * reading of the pool's clock.
 */
export class LeaseSession {
  readonly clock: PoolClock;
  readonly #options: LeaseSessionOptions;
  #session: Session | undefined;
  #opening: Promise<Session> | undefined;
  #promptAt = -Infinity;

  constructor(options: LeaseSessionOptions) {
    this.#options = options;
    this.clock = new PoolClock({ clock: options.clock });
  }

  /** The session that stands, or a new one. */
  async open(): Promise<void> {
    await this.#current();
  }

  /** Monotonic time of the last reply that the pool did not hold back: a good reading of its clock. */
  get promptAt(): number {
    return this.#promptAt;
  }

  /** Tells the pool that the session is over, without insisting. */
  async bye(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    const body = JSON.stringify(this.#head(session));
    await this.#options.rpc.request(frameOf('bye', session, body), BYE_MS).catch(() => undefined);
  }

  /** Asks once, and once more when the session was forgotten or the reply was lost: same request id, new sequence. */
  async ask(kind: AskKind, body: object, timeoutMs: number): Promise<{ answer: unknown; keys: SessionKeys }> {
    const requestId = this.#options.ids.next();
    let tries = 0;
    let renewals = 0;
    for (;;) {
      const session = await this.#current();
      const text = JSON.stringify({ ...this.#head(session), requestId, ...body });
      const answer = await this.#exchange(frameOf(kind, session, text), timeoutMs).catch((cause: unknown) => {
        if ((tries += 1) < TRIES) return undefined;
        throw unreachable(cause);
      });
      if (answer === undefined) continue;
      const { reply, sentAt, receivedAt } = answer;
      if (reply.kind === 'refused') {
        if (reply.reason === 'session-unknown') {
          if (this.#session === session) this.#session = undefined;
          if ((renewals += 1) <= RENEWALS) continue;
        }
        if ((tries += 1) < TRIES && reply.reason !== 'malformed') continue;
        throw refused(reply.reason);
      }
      if (!macIsRight(session.keys.reply, reply.kind, session.id, reply.body, reply.mac)) {
        throw refused('forged');
      }
      const parsed = JSON.parse(reply.body) as { poolNow: number; requestId: string };
      if (parsed.requestId !== requestId) throw refused('forged');
      this.clock.observe(sentAt, receivedAt, parsed.poolNow);
      if (kind !== 'lease') this.#promptAt = receivedAt;
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

function frameOf(kind: AskKind | 'bye', session: Session, body: string): Buffer {
  const mac = frameMac(session.keys.request, kind, session.id, body);
  return Buffer.from(JSON.stringify({ kind, session: session.id, body, mac }));
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
