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
  /** Keys of old jobs, a page at a time. */
  jobsBefore: {
    text: 'FOR job IN @@collection FILTER job.requestedAt < @before LIMIT @limit RETURN job._key',
  },
  /** Keys of rows that a former writer left, a page at a time; the document API removes them. */
  olderThan: { text: 'FOR row IN @@collection FILTER row.writer < @fence LIMIT @limit RETURN row._key' },
});
