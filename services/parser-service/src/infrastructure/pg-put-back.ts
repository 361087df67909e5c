import type { Queryable } from '@sociograph/postgres';
import { ITEMS_OF } from '../domain/packing';
import type { PutBackOptions } from '../domain/ports';
import { lockOpenCalls } from './pg-finish-calls';
import { NOTHING_KEPT } from './pg-kept-answers';
import { absorb } from './pg-progress';
import { closePending, lockForProgress, wakeDispatcher } from './pg-rows';

/** A call that goes back to its items. */
export interface PutBack extends PutBackOptions {
  readonly callId: string;
}

/**
 * Puts calls of ONE import back together: when a pool has no slots for seconds, all that wait for one come at once. Of two
 * that name one call the first one counts; a call that has ended stays as it is.
 */
export async function putBackCalls(q: Queryable, given: readonly PutBack[]): Promise<void> {
  const options = new Map<string, PutBack>();
  for (const one of given) if (!options.has(one.callId)) options.set(one.callId, one);
  const calls = await lockOpenCalls(q, [...options.keys()]);
  const [first] = calls;
  const job = first === undefined ? undefined : await lockForProgress(q, first.importId);
  if (first === undefined || job === undefined) return;
  const { importId } = first;
  const items = calls.flatMap(({ callId, kind, people, begins }) => {
    const tried = begins - (options.get(callId)?.refund === true ? 1 : 0);
    return people.map((person) => ({ kind: ITEMS_OF[kind].item, person, callId, tried }));
  });
  await q.query(
    `WITH taken AS MATERIALIZED (
       SELECT $1::uuid AS import_id, given.*
       FROM unnest($2::text[], $3::text[], $4::uuid[], $5::smallint[]) AS given (kind, person, call_id, tried)
     ), back AS (
       UPDATE items SET state = 'pending', call_id = NULL, attempts = attempts + taken.tried
       FROM taken
       WHERE items.import_id = taken.import_id AND items.kind = taken.kind AND items.person = taken.person
         AND items.call_id = taken.call_id
     )
     UPDATE calls SET state = 'put-back', ended_at = clock_timestamp(), ${NOTHING_KEPT} WHERE id = ANY ($6)`,
    [
      ...[importId, items.map(({ kind }) => kind), items.map(({ person }) => person)],
      ...[items.map(({ callId }) => callId), items.map(({ tried }) => tried)],
      calls.map(({ callId }) => callId),
    ],
  );
  const holds = calls.map(({ callId }) => options.get(callId)?.holdMs ?? 0);
  const longest = Math.max(...holds);
  if (longest > 0) {
    await q.query(
      `UPDATE imports SET hold_until =
         greatest(hold_until, clock_timestamp() + $2 * interval '1 millisecond') WHERE id = $1`,
      [importId, Math.ceil(longest)],
    );
  }
  if (!job.grows) await absorb(q, job, await closePending(q, importId, 'withdrawn'));
  else if (longest <= 0) await wakeDispatcher(q);
}
