import type { Queryable } from '@sociograph/postgres';
import type { ImportCounters, ImportJob } from '../domain/import-job';
import { itemsOfGroup, listsOfPerson, subjectKind } from '../domain/import-scope';
import type { CallResult } from '../domain/ports';

/**
 * People and groups not known yet become items; ids come as arrays and known ones are dropped before anything is
 * written. A limit of people does not bound groups: nobody new is found through those that are only met.
 */
export async function addFound(
  q: Queryable,
  job: ImportJob,
  found: CallResult['found'],
): Promise<Partial<ImportCounters>> {
  // A refresh looks again at who is known, and does not spread.
  if (job.snapshot.scope.refresh !== undefined) return {};
  const people = found.filter(({ person }) => subjectKind(person) === 'person');
  const groups = found.filter(({ person }) => subjectKind(person) === 'group');
  const added = await addPeople(q, job, people);
  return { ...added, listsKnown: (added.listsKnown ?? 0) + (await addGroups(q, job, groups)) };
}

async function addPeople(
  q: Queryable,
  job: ImportJob,
  found: CallResult['found'],
): Promise<Partial<ImportCounters>> {
  if (found.length === 0) return {};
  const { id, workspaceId, depth, scope } = job.snapshot;
  const { rows } = await q.query<{ known: number; beyond: number; lists: number }>(
    `WITH seen AS MATERIALIZED (
       SELECT $1::uuid AS import_id, 'profile'::text AS kind, met.*
       FROM unnest($3::text[], $4::smallint[]) WITH ORDINALITY AS met (person, depth, place)
     ), fresh AS (
       SELECT seen.person, seen.depth, row_number() OVER (ORDER BY seen.place) AS place FROM seen
       WHERE NOT EXISTS (
         SELECT FROM items
         WHERE items.import_id = seen.import_id AND items.kind = seen.kind AND items.person = seen.person)
     ), people AS (
       INSERT INTO items (import_id, workspace_id, kind, person, depth, state, cause)
       SELECT $1, $2, 'profile', person, depth,
         CASE WHEN $5::integer IS NULL OR place <= $5 THEN 'pending' ELSE 'beyond' END,
         CASE WHEN place > $5 THEN 'limit-reached' END
       FROM fresh ON CONFLICT DO NOTHING RETURNING person, depth, state
     ), lists AS (
       INSERT INTO items (import_id, workspace_id, kind, person, depth)
       SELECT $1, $2, asked.kind, person, depth FROM people, unnest($7::text[]) AS asked (kind)
       WHERE state = 'pending' AND ($6::smallint IS NULL OR depth < $6)
       ON CONFLICT DO NOTHING RETURNING person
     )
     SELECT count(*) FILTER (WHERE state = 'pending') AS known, count(*) FILTER (WHERE state = 'beyond') AS beyond,
       (SELECT count(*) FROM lists) AS lists
     FROM people`,
    [
      id,
      workspaceId,
      found.map(({ person }) => person),
      found.map((seen) => seen.depth),
      job.roomForPeople,
      depth,
      listsOfPerson(scope),
    ],
  );
  const counts = rows[0] ?? { known: 0, beyond: 0, lists: 0 };
  return { peopleKnown: counts.known, peopleBeyond: counts.beyond, listsKnown: counts.lists };
}

/** How many items that made. */
async function addGroups(q: Queryable, job: ImportJob, found: CallResult['found']): Promise<number> {
  const items = found.flatMap(({ person, depth }) =>
    itemsOfGroup(job.snapshot.scope, depth).map((kind) => ({ kind, person, depth })),
  );
  if (items.length === 0) return 0;
  const { rows } = await q.query<{ added: number }>(
    `WITH added AS (
       INSERT INTO items (import_id, workspace_id, kind, person, depth)
       SELECT $1, $2, kind, person, depth FROM unnest($3::text[], $4::text[], $5::smallint[]) AS met (kind, person, depth)
       ON CONFLICT DO NOTHING RETURNING person
     )
     SELECT count(*) AS added FROM added`,
    [
      job.snapshot.id,
      job.snapshot.workspaceId,
      items.map(({ kind }) => kind),
      items.map(({ person }) => person),
      items.map((item) => item.depth),
    ],
  );
  return rows[0]?.added ?? 0;
}
