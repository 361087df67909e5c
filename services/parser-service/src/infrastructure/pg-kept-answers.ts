import type { Queryable } from '@sociograph/postgres';
import type { KeptAnswer } from '../domain/ports';

/** An answer on its way into the row of its call. */
export interface Keeping {
  readonly callId: string;
  readonly answer: KeptAnswer;
}

/** Columns of a call that has ended: nobody needs its answer any more. */
export const NOTHING_KEPT = 'answer = NULL, answer_facts = NULL';

/** Longer answers are few (members, profiles with many fields), and would be written twice. In characters. */
const LONGEST_KEPT = 500_000;

/** Whether the database can have it, and should. PostgreSQL's texts hold no NUL, which no right answer has. */
export function mayBeKept({ body }: KeptAnswer): boolean {
  return body.length <= LONGEST_KEPT && !body.includes('\0');
}

/** Says of each, in their order, whether its call had not ended. */
export async function keepAnswers(q: Queryable, given: readonly Keeping[]): Promise<boolean[]> {
  const { rows } = await q.query<{ id: string }>(
    `WITH open AS (
       SELECT id FROM calls WHERE id = ANY ($1) AND state IN ('queued', 'running') ORDER BY id FOR UPDATE
     )
     UPDATE calls SET answer = given.answer, answer_facts = given.facts
     FROM unnest($1::uuid[], $2::text[], $3::text[]::jsonb[]) AS given (id, answer, facts) JOIN open USING (id)
     WHERE calls.id = given.id
     RETURNING calls.id`,
    [
      given.map(({ callId }) => callId),
      given.map(({ answer }) => answer.body),
      given.map(({ answer }) => JSON.stringify(factsOf(answer))),
    ],
  );
  const kept = new Set(rows.map(({ id }) => id));
  return given.map(({ callId }) => kept.has(callId));
}

type KeptFacts = Omit<KeptAnswer, 'body'>;

function factsOf({ people, tries, status, observedAt, keyId, fence }: KeptAnswer): KeptFacts {
  return { people, tries, status, observedAt, keyId, fence };
}

/** As `find` reads it. */
export interface KeptRow {
  answer: string | null;
  answer_facts: KeptFacts | null;
}

export function keptOf({ answer, answer_facts: facts }: KeptRow): KeptAnswer | undefined {
  return answer === null || facts === null ? undefined : { ...facts, body: answer };
}
