import { aqlCatalogue, runNamed } from '@sociograph/arango';
import { vertexKey } from '@sociograph/contracts';
import type { Database } from 'arangojs';
import {
  ExportSource,
  isSeenBy,
  type ExportedFriendship,
  type ExportedPerson,
  type ExportScope,
} from '../domain/export-ports';

/**
 * Documents that one query looks at. It bounds how long the store is busy with an export at a time (about 20 ms)
 * and what a page takes of our memory.
 */
const PAGE = 2_000;
/** People whose friendships one query looks at; each may have some thousands. */
const PEOPLE_AT_ONCE = 50;

const FRIENDSHIP = `[
  e._key, e.since, e.deniedAt != null, e.low.observedAt, e.high.observedAt, e.low.importId, e.high.importId
]`;
const PERSON = `{
  id: u.id, state: u.document.content.state, profile: u.document.content.profile, observedAt: u.document.observedAt
}`;

/** Keys in their order through the primary index: a page goes on where the last one ended, whatever was written meanwhile. */
const QUERIES = aqlCatalogue({
  friendshipsInOrder: {
    text: `
      FOR e IN friendships
        FILTER e._key > @after AND e._key < @end
        SORT e._key LIMIT @limit
        RETURN ${FRIENDSHIP}`,
    batchSize: PAGE,
  },
  friendshipsFrom: {
    text: `FOR e IN friendships FILTER e._from IN @people RETURN ${FRIENDSHIP}`,
    batchSize: 20_000,
  },
  friends: {
    text: `
      LET asLow = (FOR e IN friendships FILTER e._from IN @people RETURN e._to)
      LET asHigh = (FOR e IN friendships FILTER e._to IN @people RETURN e._from)
      FOR friend IN UNION_DISTINCT(asLow, asHigh) RETURN friend`,
    batchSize: 20_000,
  },
  peopleInOrder: {
    text: `
      FOR u IN users
        FILTER u._key > @after AND u._key < @end
        SORT u._key LIMIT @limit
        LET member = @importId == null OR u.document.importId == @importId OR u.list.base.importId == @importId
        RETURN { key: u._key, member: member, person: ${PERSON} }`,
    batchSize: PAGE,
  },
  peopleByKey: {
    text: `FOR u IN users FILTER u._key IN @keys RETURN ${PERSON}`,
    batchSize: PAGE,
  },
});

type FriendshipRow = [
  key: string,
  since: number,
  disputed: boolean,
  lowSeenAt: number | null,
  highSeenAt: number | null,
  lowImport: string | null,
  highImport: string | null,
];

interface PersonRow {
  id: string;
  state: string | null;
  profile: Record<string, unknown> | null;
  observedAt: number | null;
}

export class ArangoExportSource extends ExportSource {
  constructor(private readonly db: Database) {
    super();
  }

  friendships(scope: ExportScope): AsyncIterable<ExportedFriendship[]> {
    return scope.people ? this.#among(scope, [...scope.people]) : this.#allFriendships(scope);
  }

  people(scope: ExportScope): AsyncIterable<ExportedPerson[]> {
    return scope.people ? this.#these(scope, [...scope.people]) : this.#allPeople(scope);
  }

  async *friendsOf(
    { workspaceId, network }: Pick<ExportScope, 'workspaceId' | 'network'>,
    people: readonly string[],
  ): AsyncIterable<string[]> {
    const prefix = `users/${vertexKey(workspaceId, network, '')}`;
    for (const part of parts(people, PEOPLE_AT_ONCE)) {
      const bindVars = { people: part.map((id) => `${prefix}${id}`) };
      const friends = await runNamed<string>(this.db, QUERIES.friends, bindVars);
      yield friends.map((friend) => friend.slice(prefix.length));
    }
  }

  async *#allFriendships(scope: ExportScope): AsyncIterable<ExportedFriendship[]> {
    const pages = this.#inOrder(scope, (range) =>
      runNamed<FriendshipRow>(this.db, QUERIES.friendshipsInOrder, range),
    );
    for await (const rows of pages) {
      const found = rows.map(toFriendship);
      const seen = scope.import;
      yield seen ? found.filter((friendship) => isSeenBy(seen, friendship)) : found;
    }
  }

  async *#among(
    { workspaceId, network, people }: ExportScope,
    ids: string[],
  ): AsyncIterable<ExportedFriendship[]> {
    for (const part of parts(ids, PEOPLE_AT_ONCE)) {
      const rows = await runNamed<FriendshipRow>(this.db, QUERIES.friendshipsFrom, {
        people: part.map((id) => `users/${vertexKey(workspaceId, network, id)}`),
      });
      yield rows.map(toFriendship).filter(({ highId }) => people?.has(highId));
    }
  }

  async *#allPeople(scope: ExportScope): AsyncIterable<ExportedPerson[]> {
    const { import: seen } = scope;
    const isMember = ({ id }: PersonRow): boolean =>
      seen !== undefined && (seen.people.has(id) || seen.lists.has(id));
    const pages = this.#inOrder(scope, async (range) =>
      (
        await runNamed<{ key: string; member: boolean; person: PersonRow }>(this.db, QUERIES.peopleInOrder, {
          ...range,
          importId: seen?.importId ?? null,
        })
      ).map(({ key, member, person }) => [key, toPerson(person, member || isMember(person))] as const),
    );
    for await (const rows of pages) yield rows.map(([, person]) => person);
  }

  /** Those of them that are not stored stand in lists of others only; they are people all the same. */
  async *#these({ workspaceId, network }: ExportScope, ids: string[]): AsyncIterable<ExportedPerson[]> {
    for (const part of parts(ids, PAGE)) {
      const keys = part.map((id) => vertexKey(workspaceId, network, id));
      const stored = await runNamed<PersonRow>(this.db, QUERIES.peopleByKey, { keys });
      const known = new Map(stored.map((row) => [row.id, row]));
      yield part.map((id) =>
        toPerson(known.get(id) ?? { id, state: null, profile: null, observedAt: null }, true),
      );
    }
  }

  /** Pages of keys between `workspace.network.` and the first that no key of it can reach: '/' follows '.'. */
  async *#inOrder<Row extends readonly [key: string, ...rest: unknown[]]>(
    { workspaceId, network }: ExportScope,
    page: (range: Record<string, unknown>) => Promise<Row[]>,
  ): AsyncIterable<Row[]> {
    const graph = `${workspaceId}.${network}`;
    let after = `${graph}.`;
    for (;;) {
      const rows = await page({ after, end: `${graph}/`, limit: PAGE });
      if (rows.length > 0) yield rows;
      const last = rows.at(-1)?.[0];
      if (rows.length < PAGE || last === undefined) return;
      after = last;
    }
  }
}

function toFriendship(row: FriendshipRow): ExportedFriendship {
  const [key, since, disputed, lowSeenAt, highSeenAt, lowImport, highImport] = row;
  const [, , lowId = '', highId = ''] = key.split('.');
  return { lowId, highId, since, disputed, lowSeenAt, highSeenAt, lowImport, highImport };
}

function toPerson({ id, state, profile, observedAt }: PersonRow, member: boolean): ExportedPerson {
  return { id, member, state, profile: profile ?? {}, observedAt };
}

function* parts<T>(items: readonly T[], size: number): Iterable<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
