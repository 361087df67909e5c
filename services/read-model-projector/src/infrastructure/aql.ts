/**
 * Every AQL text of this service; bind parameters only. Both stores know these constructs (ArangoDB 3.11 and
 * 3.12, arango-embedded).
 */
export const VIEW_QUERIES = {
  /** Keys of rows that a former writer left, a page at a time: removing is the document API's. */
  olderThan: 'FOR row IN @@collection FILTER row.writer < @fence LIMIT @limit RETURN row._key',
} as const;
