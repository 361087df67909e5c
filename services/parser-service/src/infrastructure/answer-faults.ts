import type { Logger } from '@sociograph/observability';
import type { PackKind } from '../domain/packing';
import { AnswerFaults } from '../domain/ports';
import type { ParserMetrics } from '../metrics';

/** One line a minute for each kind of call: a changed API spoils every answer, and says the same each time. */
const SILENT_MS = 60_000;

/** Answers in another shape than documented: every one is counted, the first of each kind and minute is logged. */
export class ToldAnswerFaults extends AnswerFaults {
  private readonly told = new Map<string, number>();

  constructor(
    private readonly logger: Pick<Logger, 'error'>,
    private readonly metrics: Pick<ParserMetrics, 'unreadable'>,
    private readonly monotonicMs: () => number,
  ) {
    super();
  }

  note(network: string, kind: PackKind, path: string): void {
    this.metrics.unreadable.inc({ network, kind });
    const now = this.monotonicMs();
    const before = this.told.get(`${network} ${kind}`);
    if (before !== undefined && now - before < SILENT_MS) return;
    this.told.set(`${network} ${kind}`, now);
    this.logger.error({ network, kind, path }, 'a network answers in another shape than it documents');
  }
}
