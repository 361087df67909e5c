import { actionAudited, callQueue, callRequested, importChanged } from '@sociograph/contracts';
import { Outbox } from '@sociograph/messaging';
import { currentPeer } from '@sociograph/observability';
import type { Queryable } from '@sociograph/postgres';
import type { Act } from '../domain/audit';
import type { ImportSnapshot } from '../domain/import-job';
import type { LogPositions } from '../domain/observation';
import type { Call } from '../domain/ports';

/**
 * One task per call, in the transaction that stores the calls. The message names the call, the row describes it. `traces`
 * (by call id) are those of the calls where they do not come from the work at hand.
 */
export async function requestCalls(
  q: Queryable,
  calls: readonly Pick<Call, 'callId' | 'importId' | 'workspaceId' | 'network'>[],
  traces: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  await Outbox.add(
    q,
    calls.map(({ callId, importId, workspaceId, network }) => {
      const value = { callId, importId, workspaceId, network };
      return Outbox.task(callQueue(network), callRequested, value, traces.get(callId));
    }),
  );
}

/** Who took this step of the life of an import or an upload, in the transaction of the step. */
export async function auditAct(
  q: Queryable,
  { id, workspaceId }: Pick<ImportSnapshot, 'id' | 'workspaceId'>,
  act: Act,
): Promise<void> {
  const { auditId, actor, action, at, correlationId, reason } = act;
  const peer = currentPeer();
  const target = `${action.split('.', 1)[0]}/${id}`;
  const row = { auditId, workspaceId, actor, action, target, at, result: 'done' as const };
  await Outbox.add(q, [
    Outbox.event(actionAudited, workspaceId, {
      ...row,
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(peer === undefined ? {} : { peer }),
      ...(reason === undefined ? {} : { reason }),
    }),
  ]);
}

/** An event about the import's state, in the transaction that changes it; of one that is deleted only the audit tells. */
export async function announceImport(
  q: Queryable,
  job: ImportSnapshot,
  positions: LogPositions,
): Promise<void> {
  const { id, workspaceId, network, state, changedAt, counters } = job;
  if (state === 'deleted') return;
  const { peopleKnown, peopleDone, listsKnown, listsDone, callsMade } = counters;
  const gaps = counters.peopleGaps + counters.peopleBeyond + counters.listsGaps;
  await Outbox.add(q, [
    Outbox.event(importChanged, id, {
      importId: id,
      workspaceId,
      network,
      state,
      at: changedAt,
      counters: { peopleKnown, peopleDone, listsKnown, listsDone, callsMade, gaps },
      ...(Object.keys(positions).length === 0 ? {} : { positions }),
    }),
  ]);
}
