import { aqlCatalogue } from '@sociograph/arango';

/** What deciding needs of a friendship; its lineage stays where it is. */
const BRIEF = `{
  key: e._key, rev: e._rev, since: e.since, deniedAt: e.deniedAt,
  low: e.low == null ? null : [e.low.observedAt, e.low.fence],
  high: e.high == null ? null : [e.high.observedAt, e.high.fence]
}`;

/** Every query of this service. Constructs that 3.11, 3.12 and the stand-in know; values by bind parameters only. */
export const QUERIES = aqlCatalogue({
  /** People by key, and the friendships that only their friends assert. */
  readBatch: {
    text: `
      LET people = (FOR u IN users FILTER u._key IN @people RETURN u)
      LET unanswered = (FOR e IN friendships FILTER e.openSide IN @people RETURN ${BRIEF})
      RETURN { people, unanswered }`,
  },
  /** Read after the writes of a batch: what has to be weighed, and by what. */
  disputeEvidence: {
    text: `
      LET unanswered = (FOR e IN friendships FILTER e.openSide IN @people RETURN ${BRIEF})
      LET disputed = (FOR e IN friendships FILTER e.disputedSide IN @people RETURN ${BRIEF})
      LET complete = (
        FOR u IN users
          FILTER u._key IN @others
          FILTER u.list.base.kind == "complete"
          RETURN { key: u._key, observedAt: u.list.base.observedAt, fence: u.list.base.fence }
      )
      RETURN { unanswered, disputed, complete }`,
  },
  /** Keyset over the edge index of both ends; `_key` is unique, so the order is stable. */
  friendshipsOf: {
    text: `
      LET asLow = (
        FOR e IN friendships FILTER e._from == @person AND e._key > @after
          FILTER @disputed == null ? true : (e.deniedAt != null) == @disputed
          SORT e._key LIMIT @limit RETURN e
      )
      LET asHigh = (
        FOR e IN friendships FILTER e._to == @person AND e._key > @after
          FILTER @disputed == null ? true : (e.deniedAt != null) == @disputed
          SORT e._key LIMIT @limit RETURN e
      )
      FOR e IN UNION(asLow, asHigh) SORT e._key LIMIT @limit RETURN e`,
  },
  /** The same as of a moment: what lasts since before it, and what was over only later. Order as `byLastingLonger`. */
  friendshipsAt: {
    text: `
      LET nowLow = (
        FOR e IN friendships
          FILTER e._from == @person AND e._key > @after AND e.since <= @at SORT e._key LIMIT @limit
          RETURN { key: e._key, stretch: e }
      )
      LET nowHigh = (
        FOR e IN friendships
          FILTER e._to == @person AND e._key > @after AND e.since <= @at SORT e._key LIMIT @limit
          RETURN { key: e._key, stretch: e }
      )
      LET pastLow = (
        FOR p IN past_friendships
          FILTER p._from == @person AND p.friendship > @after AND p.since <= @at AND p.until > @at
          RETURN { key: p.friendship, stretch: p }
      )
      LET pastHigh = (
        FOR p IN past_friendships
          FILTER p._to == @person AND p.friendship > @after AND p.since <= @at AND p.until > @at
          RETURN { key: p.friendship, stretch: p }
      )
      FOR row IN UNION(nowLow, nowHigh, pastLow, pastHigh)
        COLLECT key = row.key INTO stretches = row.stretch
        SORT key
        LIMIT @limit
        RETURN { key: key, stretch: FIRST(
          FOR s IN stretches SORT s.until == null DESC, s.until DESC, s.since RETURN s
        ) }`,
  },
  /** Friendships of a person that were there at one of two moments only. */
  changedFriendships: {
    text: `
      LET nowLow = (
        FOR e IN friendships FILTER e._from == @person AND e._key > @after AND e.since <= @to
          RETURN { key: e._key, since: e.since, until: null }
      )
      LET nowHigh = (
        FOR e IN friendships FILTER e._to == @person AND e._key > @after AND e.since <= @to
          RETURN { key: e._key, since: e.since, until: null }
      )
      LET pastLow = (
        FOR p IN past_friendships
          FILTER p._from == @person AND p.friendship > @after AND p.since <= @to AND p.until > @from
          RETURN { key: p.friendship, since: p.since, until: p.until }
      )
      LET pastHigh = (
        FOR p IN past_friendships
          FILTER p._to == @person AND p.friendship > @after AND p.since <= @to AND p.until > @from
          RETURN { key: p.friendship, since: p.since, until: p.until }
      )
      FOR row IN UNION(nowLow, nowHigh, pastLow, pastHigh)
        LET wasThere = row.since <= @from
        LET isThere = row.until == null OR row.until > @to
        COLLECT key = row.key AGGREGATE before = MAX(wasThere), after = MAX(isThere)
        FILTER before != after
        SORT key
        LIMIT @limit
        RETURN { key: key, added: after }`,
  },
});
