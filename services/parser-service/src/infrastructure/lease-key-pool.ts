import type { CallReport } from '@sociograph/contracts';
import { type Secret, isDomainError } from '@sociograph/kernel';
import type {
  LeaseClient,
  SendOutcome as SlotOutcome,
  SlotSender,
  WorkerLease,
} from '@sociograph/lease-client';
import type { Logger } from '@sociograph/observability';
import {
  type CallFindings,
  KeyPool,
  type Lane,
  type Lease,
  type LeaseRequest,
  type LeaseVerdict,
  type NetworkError,
  type NetworkRequest,
  type SendOutcome,
} from '../domain/ports';

/** Shorter waits would ask in a circle, longer ones would miss a key that was just registered. */
const SHORTEST_HOLD_MS = 200;
const LONGEST_HOLD_MS = 5_000;
const UNREACHABLE_HOLD_MS = 1_000;
const CAPACITY_AGE_MS = 500;
const LONGEST_TEXT = 200;

interface HeldLease extends Lease {
  readonly held: WorkerLease;
}

type PoolClient = Pick<LeaseClient, 'acquire' | 'settle' | 'capacity' | 'poolNow'>;

/** The key pool of key-service: leases over RPC, calls through the slot sender of each network. */
export class LeaseKeyPool extends KeyPool {
  private readonly capacities = new Map<string, { at: number; callsPerSecond: number }>();
  /** What the sender really did, for the report of the settle. */
  private readonly sent = new WeakMap<SendOutcome, SlotOutcome>();

  constructor(
    private readonly client: PoolClient,
    private readonly senders: ReadonlyMap<string, Pick<SlotSender, 'send'>>,
    private readonly monotonicMs: () => number,
    private readonly logger: Pick<Logger, 'warn' | 'error'>,
  ) {
    super();
  }

  async acquire(request: LeaseRequest): Promise<LeaseVerdict> {
    try {
      const verdict = await this.client.acquire(request);
      if (verdict.kind === 'denied') {
        const wait = verdict.retryAt - this.client.poolNow();
        const retryInMs = Math.min(LONGEST_HOLD_MS, Math.max(SHORTEST_HOLD_MS, Math.ceil(wait) || 0));
        return { kind: 'denied', reason: verdict.reason, retryInMs };
      }
      const { lease: held } = verdict;
      const lease: HeldLease = { leaseId: held.leaseId, keyId: held.keyId, fence: held.fence, held };
      return { kind: 'granted', lease };
    } catch (error) {
      if (!isDomainError(error)) throw error;
      if (error.kind !== 'unavailable') this.logger.error({ err: error }, 'the key pool refuses this worker');
      const retryInMs = error.kind === 'unavailable' ? UNREACHABLE_HOLD_MS : LONGEST_HOLD_MS;
      return { kind: 'denied', reason: error.code, retryInMs };
    }
  }

  async send(lease: Lease, authorize: (token: Secret) => NetworkRequest): Promise<SendOutcome> {
    const { held } = lease as HeldLease;
    const [slot] = held.slots;
    const sender = this.senders.get(held.network);
    if (slot === undefined || sender === undefined) return { kind: 'missed', cause: 'no-sender' };
    const { headers, ...request } = authorize(held.token);
    const outcome = await sender.send(slot, { ...request, headers: { ...headers } });
    const told = outcomeOf(outcome);
    this.sent.set(told, outcome);
    return told;
  }

  async settle(lease: Lease, outcome: SendOutcome, findings: CallFindings): Promise<void> {
    const { held } = lease as HeldLease;
    const report = reportOf(this.sent.get(outcome), findings);
    const unused = report.outcome === 'answered' ? unusedOf(held.methods, findings.made) : {};
    try {
      await this.client.settle(held, [report], ...(Object.keys(unused).length > 0 ? [unused] : []));
    } catch (error) {
      // The lease ends by itself and counts as used: nothing is lost but a little of the key's quota.
      this.logger.warn({ err: error, leaseId: held.leaseId }, 'a lease could not be settled');
    }
  }

  async callsPerSecond(lane: Lane): Promise<number> {
    const name = `${lane.workspaceId} ${lane.network}`;
    const known = this.capacities.get(name);
    const now = this.monotonicMs();
    if (known !== undefined && now - known.at < CAPACITY_AGE_MS) return known.callsPerSecond;
    try {
      const { callsPerSecond } = await this.client.capacity(lane);
      this.capacities.set(name, { at: now, callsPerSecond });
      return callsPerSecond;
    } catch (error) {
      this.logger.warn({ err: error }, 'the capacity of the key pool is not known right now');
      return known?.callsPerSecond ?? 0;
    }
  }
}

function outcomeOf(outcome: SlotOutcome): SendOutcome {
  switch (outcome.kind) {
    case 'answered':
      return { kind: 'answered', observedAt: outcome.sentAt, status: outcome.status, body: outcome.body };
    case 'missed':
      return { kind: 'missed', cause: outcome.cause };
    case 'broken':
      return { kind: 'broken', cause: outcome.cause };
  }
}

function reportOf(outcome: SlotOutcome | undefined, findings: CallFindings): CallReport {
  const slot = 0;
  if (outcome === undefined) return { outcome: 'unsent', slot, cause: 'not-wanted' };
  switch (outcome.kind) {
    case 'missed':
      return { outcome: 'unsent', slot, cause: outcome.cause };
    case 'broken':
      return { outcome: 'broken', slot, sentAt: outcome.sentAt, cause: outcome.cause.slice(0, 64) };
    case 'answered': {
      const { sentAt, answeredAt, status } = outcome;
      const seconds = Number(outcome.headers['retry-after']);
      return {
        outcome: 'answered',
        slot,
        sentAt,
        answeredAt,
        status,
        ...(findings.failure === undefined ? {} : { error: codeAndText(findings.failure) }),
        ...(findings.errors.length === 0
          ? {}
          : {
              methodErrors: findings.errors.map((error) => ({ method: error.method, ...codeAndText(error) })),
            }),
        ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {}),
      };
    }
  }
}

function codeAndText({ code, message }: NetworkError): { code: number; text: string } {
  return { code, text: message.slice(0, LONGEST_TEXT) };
}

function unusedOf(
  methods: Readonly<Record<string, number>>,
  made: Record<string, number>,
): Record<string, number> {
  const left = Object.entries(methods).map(
    ([method, count]) => [method, count - (made[method] ?? 0)] as const,
  );
  return Object.fromEntries(left.filter(([, count]) => count > 0));
}
