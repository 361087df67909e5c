import { PoolReport } from '../domain/pool-report';
import type { KeyEvent } from '../domain/key-events';
import type { KeyServiceMetrics } from '../metrics';
import type { BoundedKeyLabel } from './prometheus-pool-figures';
import type { PoolLogger } from './scripted-pool';

/** Counters and log lines of the pool. */
export class PrometheusPoolReport extends PoolReport {
  constructor(
    private readonly metrics: KeyServiceMetrics,
    private readonly logger: PoolLogger,
    private readonly label: BoundedKeyLabel,
  ) {
    super();
  }

  keyChanged(event: KeyEvent): void {
    const { keyEvents, keyBackoff, circuits } = this.metrics;
    const { kind, code, keyId } = event;
    keyEvents.inc({ kind, code: String(code) });
    if (kind === 'resting' || kind === 'method-resting' || kind === 'circuit-open')
      keyBackoff.inc({ keyId: this.label.of(keyId) });
    const circuit = /^(network-)?circuit-(open|closed)$/.exec(kind);
    if (circuit !== null)
      circuits.inc({
        scope: circuit[1] === undefined ? 'key' : 'network',
        change: circuit[2] === 'open' ? 'opened' : 'closed',
      });
    this.logger.info({ ...event }, 'an answer changed what the pool knows of a key');
  }

  keysByState(counts: ReadonlyMap<string, number>): void {
    this.metrics.keys.reset();
    for (const [state, count] of counts) this.metrics.keys.set({ state }, count);
  }

  utilisation(shares: ReadonlyMap<string, number>): void {
    for (const [network, share] of shares) this.metrics.utilisation.set({ network }, share);
  }

  margin(network: string, marginMs: number): void {
    this.metrics.margin.set({ network }, marginMs / 1000);
  }

  budgets(limits: ReadonlyMap<string, { booked: number; spent: number }>): void {
    this.metrics.budgetBooked.reset();
    this.metrics.budgetSpent.reset();
    for (const [limit, { booked, spent }] of limits) {
      this.metrics.budgetBooked.set({ limit }, booked);
      this.metrics.budgetSpent.set({ limit }, spent);
    }
  }

  usesWritten(outcome: 'written' | 'dropped', leases: number): void {
    this.metrics.keyUses.inc({ outcome }, leases);
  }

  failed(sentence: string, error: unknown): void {
    this.metrics.workerErrors.inc({ work: 'background' });
    this.logger.warn({ err: error }, sentence);
  }
}
