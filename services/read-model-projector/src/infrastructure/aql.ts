import { aqlCatalogue } from '@sociograph/arango';

/** Every AQL text of this service. */
export const VIEW_QUERIES = aqlCatalogue({
  /** Chunks of other checkpoints than the one that counts, a page at a time. */
  chunksBeside: {
    text: 'FOR chunk IN @@collection FILTER chunk.checkpoint != @id LIMIT @limit RETURN chunk._key',
  },
  /** Recounts and rebuilds that wait or run, oldest first. */
  openJobs: {
    text: 'FOR job IN @@collection FILTER job.open == true SORT job.requestedAt, job._key LIMIT @limit RETURN job.job',
  },
  /** Analyses that wait or run, oldest first. */
  openAnalyses: {
    text: 'FOR row IN @@collection FILTER row.open == true SORT row.requestedAt, row._key LIMIT @limit RETURN row.analysis',
  },
  /** Keys of analyses that ended, of one graph (null: of any), asked for before that moment, a page at a time. */
  endedAnalyses: {
    text: `FOR row IN @@collection FILTER row.open == false
      FILTER (@graph == null OR row.graph == @graph) AND row.requestedAt < @before
      LIMIT @limit RETURN row._key`,
  },
  /** Keys of an analysis' results, a page at a time. */
  resultsOf: {
    text: 'FOR chunk IN @@collection FILTER chunk.analysis == @analysis LIMIT @limit RETURN chunk._key',
  },
  /** Keys of old jobs, a page at a time. */
  jobsBefore: {
    text: 'FOR job IN @@collection FILTER job.requestedAt < @before LIMIT @limit RETURN job._key',
  },
  /** What is found by a word's beginning, newest first, then by key. The cursor stands behind the LET, so that the index
   *  over the elements of `tokens` answers the first condition alone. */
  found: {
    text: `FOR row IN @@collection
      FILTER @token IN row.tokens[*]
      FILTER row.graph == @graph AND row.kind == @kind
      LET lacking = (FOR part IN @parts FILTER NOT CONTAINS(row.text, part) LIMIT 1 RETURN part)
      FILTER LENGTH(lacking) == 0
      FILTER row.at < @at OR (row.at == @at AND row._key > @after)
      SORT row.at DESC, row._key
      LIMIT @limit
      RETURN { id: row.id, at: row.at, key: row._key }`,
  },
  /** How many people each graph has. */
  usersOfGraphs: {
    text: 'FOR row IN @@collection RETURN { workspaceId: row.workspaceId, users: row.users }',
  },
  /** Keys of rows that a former writer left, a page at a time; the document API removes them. */
  olderThan: { text: 'FOR row IN @@collection FILTER row.writer < @fence LIMIT @limit RETURN row._key' },
});
