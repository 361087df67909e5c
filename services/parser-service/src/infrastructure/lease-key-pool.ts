import { type Secret, isDomainError } from '@sociograph/kernel';
import {
  type AnswerFindings,
  type LeaseWorker,
  reportOf,
  type SendSlot,
  type SendOutcome as SlotOutcome,
  type WorkerLease,
} from '@sociograph/lease-client';
import { openKeptSpan, type Logger, type SpanOptions } from '@sociograph/observability';
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
/** What passes by itself and by nothing that an owner does meanwhile may be waited for longer. */
const LONGEST_HOLD_OF_MS: Readonly<Record<string, number>> = {
  'budget-spent': 60_000,
  'network-resting': 30_000,
};
const UNREACHABLE_HOLD_MS = 1_000;
const CAPACITY_AGE_MS = 500;

interface HeldLease extends Lease {
  readonly held: WorkerLease;
}

type Attributes = NonNullable<SpanOptions['attributes']>;
type PoolClient = Pick<LeaseWorker, 'acquire' | 'send' | 'settle' | 'capacity' | 'poolNow'>;

/** The key pool of key-service: leases over RPC, calls in their slots. */
export class LeaseKeyPool extends KeyPool {
  private readonly capacities = new Map<string, { at: number; asked: Promise<number> }>();
  /** What the sender really did, for the report of the settle. */
  private readonly sent = new WeakMap<SendOutcome, SlotOutcome>();

  constructor(
    private readonly client: PoolClient,
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
        const longest = LONGEST_HOLD_OF_MS[verdict.reason] ?? LONGEST_HOLD_MS;
        const retryInMs = Math.min(longest, Math.max(SHORTEST_HOLD_MS, Math.ceil(wait) || 0));
        return { kind: 'denied', reason: verdict.reason, retryInMs };
      }
      const { lease: held } = verdict;
      const { leaseId, keyId, fence } = held;
      const inMs = (held.slots[0]?.notBefore ?? 0) - this.client.poolNow();
      const lease: HeldLease = { leaseId, keyId, fence, slotAt: this.monotonicMs() + inMs, held };
      return { kind: 'granted', lease };
    } catch (error) {
      if (!isDomainError(error)) throw error;
      if (error.kind !== 'unavailable') this.logger.error({ err: error }, 'the key pool refuses this worker');
      const retryInMs = error.kind === 'unavailable' ? UNREACHABLE_HOLD_MS : LONGEST_HOLD_MS;
      return { kind: 'denied', reason: error.code, retryInMs };
    }
  }

  async send(
    lease: Lease,
    authorize: (token: Secret) => NetworkRequest,
    withdrawn?: AbortSignal,
  ): Promise<SendOutcome> {
    const { held } = lease as HeldLease;
    const [slot] = held.slots;
    if (slot === undefined) return { kind: 'missed', cause: 'no-slot' };
    const { headers, ...request } = authorize(held.token);
    const span = openKeptSpan(`call ${held.network}`, { kind: 'client', attributes: callOf(held) });
    const outcome = await this.client.send(slot, { ...request, headers: { ...headers } }, withdrawn);
    if (outcome.kind === 'answered') span?.note(answerOf(outcome, slot));
    span?.end(outcome.kind === 'answered' ? undefined : outcome.cause);
    const told = outcomeOf(outcome);
    this.sent.set(told, outcome);
    return told;
  }

  /** Does not wait for the pool: a settle is repeated for 30 s, and the call has other things to do. */
  async settle(lease: Lease, outcome: SendOutcome, findings: CallFindings): Promise<void> {
    const { held } = lease as HeldLease;
    const sent = this.sent.get(outcome);
    const report =
      sent === undefined
        ? { outcome: 'unsent' as const, slot: 0, cause: 'not-wanted' }
        : reportOf(0, sent, readIn(findings));
    const unused = report.outcome === 'answered' ? unusedOf(held.methods, findings.made) : {};
    const told = Object.keys(unused).length > 0 ? [unused] : [];
    this.client.settle(held, [report], ...told).catch((error: unknown) => {
      // The lease ends by itself and counts as used: nothing is lost but a little of the key's quota.
      this.logger.warn({ err: error, leaseId: held.leaseId }, 'a lease could not be settled');
    });
  }

  async callsPerSecond({ workspaceId, network }: Lane): Promise<number> {
    const name = `${workspaceId} ${network}`;
    const known = this.capacities.get(name);
    const at = this.monotonicMs();
    if (known !== undefined && at - known.at < CAPACITY_AGE_MS) return known.asked;
    const asked = this.client.capacity({ workspaceId, network }).then(
      ({ callsPerSecond }) => callsPerSecond,
      (error: unknown) => {
        this.logger.warn({ err: error }, 'the capacity of the key pool is not known right now');
        return known?.asked ?? 0;
      },
    );
    this.capacities.set(name, { at, asked });
    return asked;
  }
}

/** What a span tells of a call: neither its token nor whom it asks about. */
function callOf({ network, leaseId, keyId, methods }: WorkerLease): Attributes {
  return {
    'sociograph.network': network,
    'sociograph.lease.id': leaseId,
    'sociograph.key.id': keyId,
    'sociograph.methods': Object.entries(methods).map(([name, count]) => `${name} ${count}`),
  };
}

/** The span begins when the slot is waited for; `answer_ms` is what the network took of it. */
function answerOf(outcome: Extract<SlotOutcome, { kind: 'answered' }>, slot: SendSlot): Attributes {
  return {
    'http.response.status_code': outcome.status,
    'sociograph.call.answer_ms': outcome.answeredAt - outcome.sentAt,
    'sociograph.slot.lateness_ms': outcome.sentAt - slot.notBefore,
  };
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

function readIn({ failure, errors }: CallFindings): AnswerFindings {
  return {
    ...(failure && { error: codeAndText(failure) }),
    methodErrors: errors.map((error) => ({ method: error.method, ...codeAndText(error) })),
  };
}

function codeAndText({ code, message }: NetworkError): { code: number; text: string } {
  return { code, text: message };
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
