import { aqlCatalogue, arangoErrorNum, runNamed } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import { isDomainError } from '@sociograph/kernel';
import type { Database } from 'arangojs';
import { tooCostly } from '../domain/errors';
import { Neighbours, type Neighbourhood, type Patience, type Scope } from '../domain/query-ports';

/** More than `maxRuntime` was needed. */
const QUERY_KILLED = 1500;

/** Values by bind parameters only, constructs that 3.11, 3.12 and the stand-in know. */
const NEIGHBOURS = aqlCatalogue({
  /**
   * A friendship exists while a side asserts it: who stands on a person's own list, and who alone has the person on
   * theirs. Two look-ups a person instead of one for each edge.
   */
  present: {
    text: `
      LET own = (
        FOR u IN users
          FILTER u._key IN @people
          RETURN {
            id: u.id,
            first: u.document.content.profile.firstName,
            last: u.document.content.profile.lastName,
            ids: u.list.base.ids,
            added: ATTRIBUTES(u.list.added || {})
          }
      )
      LET edges = (FOR e IN friendships FILTER e.openSide IN @people RETURN e._key)
      RETURN { own, edges }`,
  },
  /** History knows edges only. */
  asOf: {
    text: `
      LET own = (
        FOR u IN users
          FILTER u._key IN @people
          RETURN {
            id: u.id,
            first: u.document.content.profile.firstName,
            last: u.document.content.profile.lastName
          }
      )
      LET nowLow = (FOR e IN friendships FILTER e._from IN @vertices FILTER e.since <= @at RETURN e._key)
      LET nowHigh = (FOR e IN friendships FILTER e._to IN @vertices FILTER e.since <= @at RETURN e._key)
      LET pastLow = (
        FOR p IN past_friendships
          FILTER p._from IN @vertices FILTER p.since <= @at AND p.until > @at RETURN p.friendship
      )
      LET pastHigh = (
        FOR p IN past_friendships
          FILTER p._to IN @vertices FILTER p.since <= @at AND p.until > @at RETURN p.friendship
      )
      RETURN { own, edges: UNION(nowLow, nowHigh, pastLow, pastHigh) }`,
  },
});

interface Row {
  own: {
    id: string;
    first: string | null;
    last: string | null;
    ids?: readonly string[] | null;
    added?: readonly string[] | null;
  }[];
  edges: string[];
}

export class ArangoNeighbours extends Neighbours {
  constructor(private readonly db: Database) {
    super();
  }

  async of(
    scope: Scope,
    ids: readonly string[],
    { limitMs, at }: Patience & { at?: number | undefined },
  ): Promise<Map<string, Neighbourhood>> {
    const people = ids.map((id) => vertexKey(scope.workspaceId, scope.network, id));
    const [row] = await withinTime(limitMs, (seconds) =>
      at === undefined
        ? runNamed<Row>(this.db, NEIGHBOURS.present, { people }, seconds)
        : runNamed<Row>(
            this.db,
            NEIGHBOURS.asOf,
            { people, vertices: people.map((key) => `users/${key}`), at },
            seconds,
          ),
    );
    return row ? neighbourhoods(ids, row) : new Map();
  }
}

/** The store ends a query that takes longer; what it says then is told as a cost. */
export async function withinTime<R>(limitMs: number, ask: (seconds: number) => Promise<R>): Promise<R> {
  try {
    return await ask(limitMs / 1000);
  } catch (error) {
    if (isDomainError(error) && arangoErrorNum(error.cause) === QUERY_KILLED)
      throw tooCostly('time', 'needed is more than a question may take');
    throw error;
  }
}

function neighbourhoods(asked: readonly string[], { own, edges }: Row): Map<string, Neighbourhood> {
  const wanted = new Set(asked);
  const found = new Map<string, { name?: string | undefined; friends: Set<string> }>();
  for (const { id, first, last, ids, added } of own) {
    const name = [first, last].filter((part) => part !== null && part !== '').join(' ');
    found.set(id, { name: name || undefined, friends: new Set([...(ids ?? []), ...(added ?? [])]) });
  }
  const add = (id: string, friend: string): void => {
    const known = found.get(id) ?? { friends: new Set() };
    known.friends.add(friend);
    found.set(id, known);
  };
  for (const key of edges) {
    const [, , low = '', high = ''] = key.split('.');
    if (wanted.has(low)) add(low, high);
    if (wanted.has(high)) add(high, low);
  }
  return new Map([...found].map(([id, { name, friends }]) => [id, { name, friends: [...friends] }]));
}
