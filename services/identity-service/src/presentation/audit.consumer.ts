import { Controller, Inject } from '@nestjs/common';
import { actionAudited, CONSUMER_GROUPS } from '@sociograph/contracts';
import { BatchHandler, type EventBatch, isEvent } from '@sociograph/messaging';
import { AuditTrail } from '../application/seal-audit';

/** Collects what the services tell; a record that comes twice is kept once. */
@Controller()
export class AuditConsumer {
  static readonly METER = 'audit meter';

  constructor(
    private readonly trail: AuditTrail,
    @Inject(AuditConsumer.METER) private readonly meter: { inc(by: number): void },
  ) {}

  @BatchHandler({ topics: CONSUMER_GROUPS.audit.topics })
  async collect({ records }: EventBatch): Promise<void> {
    const entries = records.flatMap((record) => {
      if (!isEvent(record, actionAudited)) return [];
      const { auditId, workspaceId } = record.value;
      return [{ auditId, workspaceId, entry: record.value }];
    });
    await this.trail.collect(entries);
    this.meter.inc(entries.length);
  }
}
