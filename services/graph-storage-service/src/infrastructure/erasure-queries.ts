import { aqlCatalogue } from '@sociograph/arango';

const edgesOf = (collection: string): { text: string } => ({
  text: `
    LET outgoing = (FOR e IN ${collection} FILTER e._from == @person LIMIT @limit RETURN { _key: e._key, _rev: e._rev })
    LET incoming = (FOR e IN ${collection} FILTER e._to == @person LIMIT @limit RETURN { _key: e._key, _rev: e._rev })
    FOR e IN UNION(outgoing, incoming) RETURN e`,
});

/** Values by bind parameters only, constructs that 3.11, 3.12 and the stand-in know. */
export const QUERIES = aqlCatalogue({
  erasing: {
    text: `
      FOR e IN erasures FILTER e.open == true AND e.state == "erasing"
        SORT e.requestedAt, e._key LIMIT @limit RETURN e`,
  },
  waiting: {
    text: `
      FOR e IN erasures FILTER e.open == true AND e.state == "waiting" AND e.personId != null
        SORT e.checkedAt, e._key LIMIT @limit RETURN e`,
  },
  nameless: {
    text: `
      FOR e IN erasures FILTER e.open == true AND e.state == "waiting" AND e.personId == null
        SORT e.requestedAt, e._key LIMIT @limit RETURN e`,
  },
  open: { text: `RETURN LENGTH(FOR e IN erasures FILTER e.open == true RETURN 1)` },
  page: {
    text: `
      FOR e IN erasures FILTER e.workspaceId == @workspaceId AND e._key > @after
        SORT e._key LIMIT @limit RETURN e`,
  },
  /** Everybody behind a key, and whether a list of theirs holds the person; edges might have been lost by a crash. */
  holders: {
    text: `
      LET looked = (FOR u IN users FILTER u._key > @after AND u._key < @end SORT u._key LIMIT @limit RETURN u)
      FOR u IN looked
        LET lists = [u.list, u.subscriptions.people]
        LET holding = (
          FOR l IN lists
            FILTER l != null
            FILTER @id IN (l.base.ids == null ? [] : l.base.ids) OR HAS(l.added == null ? {} : l.added, @id)
            RETURN 1
        )
        SORT u._key
        RETURN { key: u._key, user: LENGTH(holding) > 0 ? u : null }`,
  },
  friendships: edgesOf('friendships'),
  past_friendships: edgesOf('past_friendships'),
  subscriptions: edgesOf('subscriptions'),
  user_posts: edgesOf('user_posts'),
  /** Every walk behind a key, and whether a page of it holds the id: edges may be gone before a walk is written. */
  walks: {
    text: `
      LET looked = (
        FOR m IN member_lists FILTER m._key > @after AND m._key < @end SORT m._key LIMIT @limit RETURN m
      )
      FOR m IN looked
        LET holding = (FOR page IN m.pages FILTER @id IN page.ids RETURN 1)
        SORT m._key
        RETURN { key: m._key, holds: LENGTH(holding) > 0 }`,
  },
  /** Every post behind a key: by the person's hand or on their wall, or repeating a post that begins with their id. */
  posts: {
    text: `
      LET looked = (FOR p IN posts FILTER p._key > @after AND p._key < @end SORT p._key LIMIT @limit RETURN p)
      FOR p IN looked
        LET content = p.document.content
        LET own = content.authorId == @id OR (content.ownerKind == "user" AND content.ownerId == @id)
        LET repeats = SUBSTRING(content.repostOf, 0, LENGTH(@prefix)) == @prefix
        SORT p._key
        RETURN { key: p._key, id: p.id, own: own, repeating: repeats AND NOT own ? p : null }`,
  },
});
