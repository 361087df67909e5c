import { actionAudited } from '@sociograph/contracts';
import { type Clock, type Deed, type Ids, WriteAudit } from '@sociograph/kernel';
import { currentCorrelationId, currentPeer } from '@sociograph/observability';
import type { EventPublisher } from './event-publisher';

/** Publishes to `sociograph.audit.v1` with acks=all; whose request it is comes from the context of the call. */
export class KafkaWriteAudit extends WriteAudit {
  constructor(
    private readonly publisher: Pick<EventPublisher, 'publish'>,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {
    super();
  }

  async record(
    { workspaceId, by, action, target }: Deed,
    { result, reason }: { result: 'done' | 'failed'; reason?: string } = { result: 'done' },
  ): Promise<void> {
    const peer = currentPeer();
    const correlationId = currentCorrelationId();
    const value = {
      auditId: this.ids.next(),
      workspaceId,
      actor: { kind: 'person' as const, id: by },
      action,
      target,
      at: Math.floor(this.clock.nowMs()),
      result,
      ...(peer !== undefined && { peer }),
      ...(correlationId !== undefined && { correlationId }),
      ...(reason !== undefined && { reason }),
    };
    await this.publisher.publish([{ message: actionAudited, key: workspaceId, value }]);
  }
}
