import { PoolFigures } from '../domain/pool-report';
import type { KeyServiceMetrics } from '../metrics';

/** What workers say when a slot was not used; a cause that is not listed counts as `other`. */
const CAUSES = new Set([
  ...['too-early', 'too-late', 'no-connection', 'key-state-changed', 'lease-expired', 'suspended'],
  ...['clock-contradicted', 'key-resting', 'paused', 'cancelled', 'stopping', 'unknown'],
]);

/** Series of the first `most` keys by their id, the others together as `other`: metrics stay bounded. */
export class BoundedKeyLabel {
  readonly #known = new Set<string>();

  constructor(private readonly most: number) {}

  of(keyId: string): string {
    if (this.#known.has(keyId)) return keyId;
    if (this.#known.size >= this.most) return 'other';
    this.#known.add(keyId);
    return keyId;
  }
}

/** Counters of what is granted and called. */
export class PrometheusPoolFigures extends PoolFigures {
  constructor(
    private readonly metrics: KeyServiceMetrics,
    private readonly label: BoundedKeyLabel,
  ) {
    super();
  }

  keyUsed(keyId: string, calls: number): void {
    this.metrics.keyUsage.inc({ keyId: this.label.of(keyId) }, calls);
  }

  keyErred(keyId: string, code: string): void {
    this.metrics.keyErrors.inc({ keyId: this.label.of(keyId), code });
  }

  called(network: string, method: string, result: string, calls: number): void {
    this.metrics.calls.inc({ network, method, result }, calls);
  }

  slotLost(network: string, cause: string): void {
    this.metrics.slotsLost.inc({ network, cause: CAUSES.has(cause) ? cause : 'other' });
  }

  waited(seconds: number): void {
    this.metrics.leaseWait.observe(seconds);
  }

  held(seconds: number): void {
    this.metrics.leaseHold.observe(seconds);
  }
}
