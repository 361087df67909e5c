import { actionAudited } from '@sociograph/contracts';
import type { Ids } from '@sociograph/kernel';
import { Outbox } from '@sociograph/messaging';
import { currentPeer } from '@sociograph/observability';
import type { Queryable } from '@sociograph/postgres';
import type { Act } from '../domain/ports';

/** The audit record of a change, in the transaction of the change. */
export async function auditAct(
  q: Queryable,
  ids: Ids,
  workspaceId: string,
  target: string,
  nowMs: number,
  { actor, action, correlationId }: Act,
): Promise<void> {
  const peer = currentPeer();
  const record = Outbox.event(actionAudited, workspaceId, {
    auditId: ids.next(),
    workspaceId,
    actor,
    action,
    target,
    at: Math.floor(nowMs),
    ...(correlationId !== undefined && { correlationId: correlationId.slice(0, 64) }),
    ...(peer !== undefined && { peer }),
    result: 'done',
  });
  await Outbox.add(q, [record], ids);
}
