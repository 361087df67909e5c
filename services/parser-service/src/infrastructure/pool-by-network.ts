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

/** One pool for some networks, another one for the rest; what a lease allows, the pool that gave it carries out. */
export class PoolByNetwork extends KeyPool {
  private readonly special = new WeakSet<Lease>();

  constructor(
    private readonly usual: KeyPool,
    private readonly other: KeyPool,
    private readonly belongs: (network: string) => boolean,
  ) {
    super();
  }

  async acquire(request: LeaseRequest): Promise<LeaseVerdict> {
    if (!this.belongs(request.network)) return this.usual.acquire(request);
    const verdict = await this.other.acquire(request);
    if (verdict.kind === 'granted') this.special.add(verdict.lease);
    return verdict;
  }

  send(
    lease: Lease,
    authorize: (token: Secret) => NetworkRequest,
    withdrawn?: AbortSignal,
  ): Promise<SendOutcome> {
    return this.of(lease).send(lease, authorize, withdrawn);
  }

  settle(lease: Lease, outcome: SendOutcome, findings: CallFindings): Promise<void> {
    return this.of(lease).settle(lease, outcome, findings);
  }

  callsPerSecond(lane: Lane): Promise<number> {
    return (this.belongs(lane.network) ? this.other : this.usual).callsPerSecond(lane);
  }

  private of(lease: Lease): KeyPool {
    return this.special.has(lease) ? this.other : this.usual;
  }
}
