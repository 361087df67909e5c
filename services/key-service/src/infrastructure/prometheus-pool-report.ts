import { type KeyEvent, PoolReport } from '../domain/ports';
import type { KeyServiceMetrics } from '../metrics';
import type { LedgerLogger } from './redis-quota-ledger';

/** Counters and log lines of the pool. */
export class PrometheusPoolReport extends PoolReport {
  constructor(
    private readonly metrics: KeyServiceMetrics,
    private readonly logger: LedgerLogger,
  ) {
    super();
  }

  keyChanged(event: KeyEvent): void {
    this.metrics.keyEvents.inc({ kind: event.kind, code: String(event.code) });
    this.logger.info({ ...event }, 'an answer changed what the pool knows of a key');
  }

  keysByState(counts: ReadonlyMap<string, number>): void {
    this.metrics.keys.reset();
    for (const [state, count] of counts) this.metrics.keys.set({ state }, count);
  }

  failed(sentence: string, error: unknown): void {
    this.logger.warn({ err: error }, sentence);
  }
}
