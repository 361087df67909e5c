import type { Secret } from '@sociograph/kernel';
import {
  type CallFindings,
  KeyPool,
  type Lane,
  type Lease,
  type LeaseRequest,
  type LeaseVerdict,
  type NetworkRequest,
  type SendOutcome,
} from '../domain/ports';
import type { ParserMetrics } from '../metrics';

/** A key pool that measures what passes through it. */
export class MeteredKeyPool extends KeyPool {
  private readonly sizes = new WeakMap<Lease, { kind: string; size: number }>();

  constructor(
    private readonly pool: KeyPool,
    private readonly metrics: ParserMetrics,
  ) {
    super();
  }

  async acquire(request: LeaseRequest): Promise<LeaseVerdict> {
    const stop = this.metrics.lease.startTimer();
    const verdict = await this.pool.acquire(request);
    stop();
    if (verdict.kind === 'granted') {
      const [kind = 'none', size = 0] = Object.entries(request.methods)[0] ?? [];
      this.sizes.set(verdict.lease, { kind, size });
    }
    return verdict;
  }

  async send(
    lease: Lease,
    authorize: (token: Secret) => NetworkRequest,
    withdrawn?: AbortSignal,
  ): Promise<SendOutcome> {
    const outcome = await this.pool.send(lease, authorize, withdrawn);
    const { kind, size } = this.sizes.get(lease) ?? { kind: 'none', size: 0 };
    this.metrics.calls.inc({
      kind,
      outcome: outcome.kind === 'missed' ? `missed: ${outcome.cause}` : outcome.kind,
    });
    if (outcome.kind !== 'missed') this.metrics.items.inc({ kind }, size);
    return outcome;
  }

  settle(lease: Lease, outcome: SendOutcome, findings: CallFindings): Promise<void> {
    return this.pool.settle(lease, outcome, findings);
  }

  callsPerSecond(lane: Lane): Promise<number> {
    return this.pool.callsPerSecond(lane);
  }
}
