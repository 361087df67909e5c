import { aqlCatalogue, runNamed } from '@sociograph/arango';
import type { Database } from 'arangojs';
import {
  PeopleSearch,
  type Patience,
  type PeopleFilter,
  type PeoplePlace,
  type PersonBrief,
  type Scope,
} from '../domain/query-ports';
import { lookupText, scopeOf } from './arango-documents';
import { withinTime } from './arango-neighbours';

/** Above every text that begins with what stands before it; what is looked up by holds nothing beyond it. */
const HIGHEST = '\uffff';

/** People whom the newest list of a person has; the list is counted only where somebody asks for it. */
const FRIENDS = `LENGTH(UNION_DISTINCT(
            NOT_NULL(u.list.base.ids, []), ATTRIBUTES(NOT_NULL(u.list.added, {}))))`;

/** Filters that no index serves: they are held against everybody whom the index gives. */
const ALSO = `
          FILTER @city == null ? true : u.city == @city
          FILTER @state == null ? true : u.document.content.state == @state
          FILTER @sex == null ? true : u.document.content.profile.sex == @sex
          FILTER @closed == null ? true : (u.document.content.profile.closed == true) == @closed
          FILTER @minFriends == null ? true : ${FRIENDS} >= @minFriends
          FILTER @maxFriends == null ? true : ${FRIENDS} <= @maxFriends`;

const BRIEF = `{ id: u.id, version: u.version, name: u.name, lastName: u.lastName,
            content: u.document.content, observedAt: u.document.observedAt }`;

/** Keyset over the index of one of the two texts: first who has the very text that the page before ended with. */
const textByPrefix = (field: 'name' | 'lastName'): string => `
      LET same = (
        FOR u IN users
          FILTER u.scope == @scope AND u.${field} == @name AND u.id > @after ${ALSO}
          SORT u.id
          LIMIT @limit
          RETURN ${BRIEF}
      )
      LET further = (
        FOR u IN users
          FILTER u.scope == @scope AND u.${field} > @name AND u.${field} < @end ${ALSO}
          SORT u.${field}, u.id
          LIMIT @limit
          RETURN ${BRIEF}
      )
      FOR p IN APPEND(same, further) SORT p.${field}, p.id LIMIT @limit RETURN p`;

const PEOPLE = aqlCatalogue({
  byId: {
    text: `
      FOR u IN users
          FILTER u._key > @after AND u._key < @end ${ALSO}
          SORT u._key
          LIMIT @limit
          RETURN ${BRIEF}`,
  },
  byCity: {
    text: `
      FOR u IN users
          FILTER u.scope == @scope AND u.city == @city AND u.id > @after ${ALSO}
          SORT u.id
          LIMIT @limit
          RETURN ${BRIEF}`,
  },
  byName: { text: textByPrefix('name') },
  byLastName: { text: textByPrefix('lastName') },
});

interface Row {
  id: string;
  version: number;
  name: string | null;
  lastName: string | null;
  content: unknown;
  observedAt: number | null;
}

export class ArangoPeopleSearch extends PeopleSearch {
  constructor(private readonly db: Database) {
    super();
  }

  async find(
    scope: Scope,
    filter: PeopleFilter,
    { limit, after, limitMs }: Patience & { limit: number; after: PeoplePlace | undefined },
  ): Promise<{ items: PersonBrief[]; next: PeoplePlace | undefined }> {
    const by = filter.name !== undefined ? 'name' : filter.lastName !== undefined ? 'lastName' : undefined;
    const rows = await withinTime(limitMs, (seconds) => this.#rows(scope, filter, limit + 1, after, seconds));
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const next = last && { id: last.id, ...(by && { name: last[by] ?? '' }) };
    return { items: items.map(briefOf), next: rows.length > limit ? next : undefined };
  }

  async #rows(
    scope: Scope,
    { name, lastName, city, state, sex, closed, minFriends, maxFriends }: PeopleFilter,
    limit: number,
    after: PeoplePlace | undefined,
    seconds: number,
  ): Promise<Row[]> {
    const also = {
      city: city === undefined ? null : lookupText(city),
      state: state ?? null,
      sex: sex ?? null,
      closed: closed ?? null,
      minFriends: minFriends ?? null,
      maxFriends: maxFriends ?? null,
      limit,
    };
    const prefix = name ?? lastName;
    if (prefix !== undefined) {
      const begin = lookupText(prefix);
      const query = name === undefined ? PEOPLE.byLastName : PEOPLE.byName;
      const from = { name: after?.name ?? begin, after: after?.id ?? '' };
      const bind = { ...also, ...from, scope: scopeOf(scope), end: begin + HIGHEST };
      return runNamed<Row>(this.db, query, bind, seconds);
    }
    if (city !== undefined) {
      const bind = { ...also, scope: scopeOf(scope), after: after?.id ?? '' };
      return runNamed<Row>(this.db, PEOPLE.byCity, bind, seconds);
    }
    const begin = `${scopeOf(scope)}.`;
    const bind = { ...also, after: `${begin}${after?.id ?? ''}`, end: begin + HIGHEST };
    return runNamed<Row>(this.db, PEOPLE.byId, bind, seconds);
  }
}

function briefOf({ id, version, content, observedAt }: Row): PersonBrief {
  const known = content !== null && content !== undefined && observedAt !== null;
  return { id, version, document: known ? { content, observedAt } : undefined };
}
