import { Buffer } from 'node:buffer';
import {
  type CapacityReply,
  capacityRequest,
  type LeaseDenialReason,
  leaseFrame,
  type LeaseFrame,
  type LeaseFrameReply,
  leaseHello,
  type LeaseReply,
  leaseRequest,
  type LeaseWelcome,
  pathReport,
  type PathReply,
  type SettleReply,
  settleRequest,
} from '@sociograph/contracts';
import type { Clock, Ids } from '@sociograph/kernel';
import {
  deriveKeys,
  frameMac,
  helloIsGenuine,
  macIsRight,
  newKeyShare,
  sealToken,
  tokenAad,
} from '@sociograph/lease-client';
import type { AcquireLease, AcquireVerdict, LeaseDesk } from '../application/acquire-lease';
import type { KeyRing } from '../application/key-ring';
import type { SettleDesk } from '../application/settle-leases';
import type { LeaseWatch } from '../application/watch-leases';
import { KEY_KINDS, type NetworkRules } from '../domain/networks';
import type { AuditTrail } from '../domain/audit';
import type { LeaseSession, LeaseSessions } from '../domain/lease-sessions';
import type { KeyEvent } from '../domain/key-events';
import type { QuotaLedger } from '../domain/quota-ledger';

export interface LeaseRpcParts {
  sessions: LeaseSessions;
  desk: LeaseDesk;
  settles: SettleDesk;
  ring: KeyRing;
  ledger: QuotaLedger;
  audit: AuditTrail;
  clock: Clock;
  ids: Ids;
  /** Identity keys of worker services (Ed25519, PEM) by service. */
  trusted: ReadonlyMap<string, string>;
  /** The broker account that a service's requests come from. */
  accountOf: (service: string) => string;
  rulesOf: (network: string) => NetworkRules | undefined;
  onGranted: LeaseWatch['granted'];
  onMargin: (network: string, marginMs: number) => void;
  onKeyEvents: (events: KeyEvent[], service: string) => void;
  onRefused: (reason: string) => void;
}

/** What the broker vouches for. */
export interface Caller {
  userId: string | undefined;
  replyTo: string;
}

type Refusal = Extract<LeaseFrameReply, { kind: 'refused' }>['reason'];
type Authenticated = Exclude<LeaseFrame, { kind: 'hello' }>;

const STALE_MS = 30_000;
/** Workers' clocks may be five minutes off; the rest is the way of the hello. */
const HELLO_STALE_MS = 310_000;
const SESSION_MS = 3_600_000;
const MAX_FRAME_BYTES = 262_144;
const DEFAULT_EGRESS = 'default';
const TOKENS_RETRY_MS = 1_000;

/**
 * The lease protocol's server: who is it, is it theirs, is it new, then the desk. Refusals carry no detail; the audit
 * trail has it. Anything unexpected is `unavailable` to the caller and thrown on to the transport's log.
 */
export class LeaseRpc {
  constructor(private readonly parts: LeaseRpcParts) {}

  async handle(request: Buffer, caller: Caller): Promise<Buffer> {
    return Buffer.from(JSON.stringify(await this.#answer(request, caller)));
  }

  async #answer(request: Buffer, caller: Caller): Promise<LeaseFrameReply> {
    const frame = request.length > MAX_FRAME_BYTES ? undefined : parse(request.toString('utf8'), leaseFrame);
    if (frame === undefined) return this.#refuse('malformed', caller, 'lease.frame');
    if (frame.kind === 'hello') return this.#welcome(frame.body, caller);
    const { sessions } = this.parts;
    const session = sessions.held(frame.session) ?? (await sessions.find(frame.session));
    const now = this.parts.clock.nowMs();
    // Another reply address is another connection, perhaps somebody else's: it has to introduce itself.
    if (session === undefined || session.expiresAt < now || session.replyTo !== caller.replyTo) {
      return { kind: 'refused', reason: 'session-unknown' };
    }
    const genuine =
      session.account === caller.userId &&
      macIsRight(session.keys.request, frame.kind, session.id, frame.body, frame.mac);
    if (!genuine) return this.#refuse('forged', caller, `lease.${frame.kind}`);
    return this.#dispatch(frame, session, caller);
  }

  #dispatch(
    frame: Authenticated,
    session: LeaseSession,
    caller: Caller,
  ): Promise<LeaseFrameReply> | LeaseFrameReply {
    switch (frame.kind) {
      case 'lease':
        return this.#lease(frame, session, caller);
      case 'settle':
        return this.#settle(frame, session, caller);
      case 'capacity':
        return this.#capacity(frame, session, caller);
      case 'path':
        return this.#path(frame, session, caller);
      case 'bye':
        return this.#bye(session);
    }
  }

  async #welcome(text: string, caller: Caller): Promise<LeaseFrameReply> {
    const { trusted, accountOf, clock, ids, sessions, ledger } = this.parts;
    const hello = parse(text, leaseHello.schema);
    if (hello === undefined) return this.#refuse('malformed', caller, 'lease.hello');
    const pem = trusted.get(hello.service);
    const account = accountOf(hello.service);
    if (pem === undefined || caller.userId !== account || !helloIsGenuine(hello, pem)) {
      return this.#refuse('forged', caller, 'lease.hello');
    }
    if (Math.abs(clock.nowMs() - hello.issuedAt) > HELLO_STALE_MS) {
      return this.#refuse('stale', caller, 'lease.hello');
    }
    const poolNow = await ledger.readClock().catch(() => undefined);
    if (poolNow === undefined) return { kind: 'refused', reason: 'unavailable' };
    const share = newKeyShare();
    const pool = { publicKey: share.publicKey, nonce: share.nonce };
    const worker = { publicKey: hello.publicKey, nonce: hello.nonce };
    const { service, instance } = hello;
    const session: LeaseSession = {
      id: ids.next(),
      service,
      instance,
      account,
      replyTo: caller.replyTo,
      expiresAt: clock.nowMs() + SESSION_MS,
      keys: deriveKeys(share.privateKey, hello.publicKey, { service, instance, worker, pool }),
    };
    await sessions.keep(session);
    const { id, expiresAt, keys } = session;
    const welcome: LeaseWelcome = { session: id, ...pool, poolNow, expiresAt };
    const body = JSON.stringify(welcome);
    return { kind: 'welcome', body, mac: frameMac(keys.reply, 'welcome', id, body) };
  }

  async #lease(frame: Authenticated, session: LeaseSession, caller: Caller): Promise<LeaseFrameReply> {
    const request = parse(frame.body, leaseRequest.schema);
    const rules = request && this.parts.rulesOf(request.network);
    if (request === undefined || rules === undefined)
      return this.#refuse('malformed', caller, 'lease.request');
    const { requestId, sequence, workspaceId, importId, methods, deadlineAt } = request;
    if (this.#isStale(request.issuedAt)) {
      this.#note('stale', caller, 'lease.request', workspaceId);
      return this.#reply(session, this.#denied(requestId, 'stale'));
    }
    const begun = this.parts.clock.monotonicMs();
    const command: AcquireLease = {
      requestId,
      service: session.service,
      session: session.id,
      sequence,
      workspaceId,
      importId,
      rules,
      methods,
      calls: request.calls ?? 1,
      deadlineAt,
      egress: request.egress ?? DEFAULT_EGRESS,
      leadMs: request.leadMs,
    };
    const verdict = await this.parts.desk.acquire(command);
    if (verdict.kind === 'granted') {
      const waitedMs = this.parts.clock.monotonicMs() - begun;
      this.parts.onGranted(command, verdict.grant, verdict.poolNow, waitedMs);
      return this.#granted(request, rules, verdict, session);
    }
    const { poolNow, reason, retryAt } = verdict;
    if (reason === 'replay') this.#note('replay', caller, 'lease.request', workspaceId);
    const at = { poolNow: time(poolNow), retryAt: time(retryAt) };
    return this.#reply(session, { kind: 'denied', requestId, reason, ...at });
  }

  async #granted(
    request: { requestId: string; workspaceId: string; methods: Record<string, number> },
    rules: NetworkRules,
    verdict: Extract<AcquireVerdict, { kind: 'granted' }>,
    session: LeaseSession,
  ): Promise<LeaseFrameReply> {
    const { requestId, methods, workspaceId } = request;
    const { grant, poolNow } = verdict;
    const token = await this.#token(grant.keyId, grant.tokenVersion);
    if (token === undefined) {
      const reports = grant.slots.map((_, slot) => ({ slot, outcome: 'unsent' as const }));
      const settles = [{ leaseId: requestId, fence: grant.fence, workspaceId, reports }];
      const by = session.service;
      await this.parts.ledger.settle({ by, session: session.id, sequence: 0, rules, settles });
      return this.#reply(session, this.#denied(requestId, 'tokens-unavailable', TOKENS_RETRY_MS));
    }
    const { fence, keyId } = grant;
    const sealed = sealToken(session.keys.seal, token, tokenAad({ leaseId: requestId, fence, keyId }));
    const reply: LeaseReply = {
      kind: 'granted',
      requestId,
      poolNow,
      lease: {
        leaseId: requestId,
        fence,
        keyId,
        keyVersion: grant.tokenVersion,
        token: sealed,
        methods,
        calls: grant.slots.map((notBefore) => ({ notBefore, notAfter: notBefore + rules.slackMs })),
        grantedAt: grant.grantedAt,
        expiresAt: grant.expiresAt,
        why: grant.why,
      },
    };
    return this.#reply(session, reply);
  }

  /** A key registered by another instance a moment ago is known to the ledger before it is known here. */
  async #token(keyId: string, version: number): Promise<string | undefined> {
    const { ring } = this.parts;
    try {
      let token = await ring.token(keyId, version);
      if (token === undefined) {
        await ring.refresh();
        token = await ring.token(keyId, version);
      }
      return token?.reveal();
    } catch {
      // KMS or PostgreSQL away, or a seal that does not open: the caller waits, the vault's error is in its metric.
      this.parts.onRefused('tokens-unavailable');
      return undefined;
    }
  }

  async #settle(frame: Authenticated, session: LeaseSession, caller: Caller): Promise<LeaseFrameReply> {
    const request = parse(frame.body, settleRequest.schema);
    if (request === undefined) return this.#refuse('malformed', caller, 'lease.settle');
    if (this.#isStale(request.issuedAt)) return this.#refuse('stale', caller, 'lease.settle');
    const settles = [];
    for (const settle of request.settles) {
      const rules = this.parts.rulesOf(settle.network);
      if (rules === undefined) return this.#refuse('malformed', caller, 'lease.settle');
      settles.push({ ...settle, rules });
    }
    const { service, id } = session;
    const verdict = await this.parts.settles.settle({
      service,
      session: id,
      sequence: request.sequence,
      settles,
    });
    if (verdict.kind === 'denied') {
      if (verdict.reason === 'recovering') return { kind: 'refused', reason: 'unavailable' };
      return this.#refuse('replay', caller, 'lease.settle');
    }
    if (verdict.events.length > 0) this.parts.onKeyEvents(verdict.events, service);
    if (verdict.freed) void this.parts.desk.slotsFreed();
    const { requestId } = request;
    const reply: SettleReply = { requestId, poolNow: time(verdict.poolNow), results: verdict.results };
    return this.#reply(session, reply);
  }

  async #capacity(frame: Authenticated, session: LeaseSession, caller: Caller): Promise<LeaseFrameReply> {
    const request = parse(frame.body, capacityRequest.schema);
    if (request === undefined) return this.#refuse('malformed', caller, 'lease.capacity');
    if (this.#isStale(request.issuedAt)) return this.#refuse('stale', caller, 'lease.capacity');
    const { ledger, rulesOf } = this.parts;
    const { requestId, workspaceId, network } = request;
    const rules = network === undefined ? undefined : rulesOf(network);
    if (workspaceId === undefined || rules === undefined) {
      const poolNow = await ledger.readClock().catch(() => undefined);
      if (poolNow === undefined) return { kind: 'refused', reason: 'unavailable' };
      return this.#reply(session, { requestId, poolNow, keys: 0, callsPerSecond: 0 } satisfies CapacityReply);
    }
    const capacity = await ledger.capacity({ workspaceId, rules, kinds: KEY_KINDS });
    if (Number.isNaN(capacity.poolNow)) return { kind: 'refused', reason: 'unavailable' };
    return this.#reply(session, { requestId, ...capacity } satisfies CapacityReply);
  }

  async #path(frame: Authenticated, session: LeaseSession, caller: Caller): Promise<LeaseFrameReply> {
    const request = parse(frame.body, pathReport.schema);
    if (request === undefined) return this.#refuse('malformed', caller, 'lease.path');
    if (this.#isStale(request.issuedAt)) return this.#refuse('stale', caller, 'lease.path');
    const rules = this.parts.rulesOf(request.network);
    if (rules === undefined) return this.#refuse('malformed', caller, 'lease.path');
    const { requestId, probes, lateness, clockErrorMs, sequence, issuedAt } = request;
    const verdict = await this.parts.ledger.learn({
      session: session.id,
      sequence,
      rules,
      probes,
      lateness,
      clockErrorMs,
      issuedAt,
    });
    if (verdict.kind === 'denied') {
      if (verdict.reason === 'recovering') return { kind: 'refused', reason: 'unavailable' };
      return this.#refuse('replay', caller, 'lease.path');
    }
    const { poolNow, marginMs } = verdict;
    this.parts.onMargin(rules.network, marginMs);
    return this.#reply(session, { requestId, poolNow: time(poolNow), marginMs } satisfies PathReply);
  }

  async #bye(session: LeaseSession): Promise<LeaseFrameReply> {
    await this.parts.sessions.end(session.id);
    return this.#reply(session, { ended: true });
  }

  #reply(session: LeaseSession, message: object): LeaseFrameReply {
    const body = JSON.stringify(message);
    return { kind: 'reply', body, mac: frameMac(session.keys.reply, 'reply', session.id, body) };
  }

  #denied(requestId: string, reason: LeaseDenialReason, inMs = 0): LeaseReply {
    const poolNow = time(this.parts.ledger.poolNow());
    return { kind: 'denied', requestId, poolNow, reason, retryAt: poolNow + inMs };
  }

  /** While the pool has no clock nothing is stale: nothing is granted either. */
  #isStale(issuedAt: number): boolean {
    return Math.abs(this.parts.ledger.poolNow() - issuedAt) > STALE_MS;
  }

  #refuse(reason: Refusal, caller: Caller, action: string): LeaseFrameReply {
    this.#note(reason, caller, action, undefined);
    return { kind: 'refused', reason };
  }

  #note(reason: string, caller: Caller, action: string, workspaceId: string | undefined): void {
    this.parts.onRefused(reason);
    this.parts.audit.refused({ workspaceId, service: caller.userId ?? 'unknown', action, reason });
  }
}

function parse<T>(
  text: string,
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
): T | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** JSON has no NaN: a pool without a clock says 0. */
function time(ms: number): number {
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
