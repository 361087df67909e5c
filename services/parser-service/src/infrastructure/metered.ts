import type { Secret } from '@sociograph/kernel';
import type { LogPositions, Observation, Sighting } from '../domain/observation';
import {
  type CallFindings,
  type CallResult,
  KeyPool,
  type Lane,
  type Lease,
  type LeaseRequest,
  type LeaseVerdict,
  type NetworkRequest,
  type SendOutcome,
} from '../domain/ports';
import type { ParserMetrics } from '../metrics';
import { FilteringLedger, FilteringObservations } from './erased-people';

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

/** A ledger that measures how long the end of a call takes, its wait for those before it included. */
export class MeteredLedger extends FilteringLedger {
  constructor(
    private readonly metrics: ParserMetrics,
    ...parts: ConstructorParameters<typeof FilteringLedger>
  ) {
    super(...parts);
  }

  override finish(callId: string, result: CallResult, importId?: string): Promise<boolean> {
    const stop = this.metrics.store.startTimer({ step: 'commit' });
    return super.finish(callId, result, importId).finally(() => stop());
  }
}

export class MeteredObservations extends FilteringObservations {
  constructor(
    private readonly metrics: ParserMetrics,
    ...parts: ConstructorParameters<typeof FilteringObservations>
  ) {
    super(...parts);
  }

  override publish(sighting: Sighting, observations: readonly Observation[]): Promise<LogPositions> {
    const stop = this.metrics.store.startTimer({ step: 'publish' });
    return super.publish(sighting, observations).finally(() => stop());
  }
}
