/**
 * Headers of a Kafka record: CloudEvents 1.0 binary mode, W3C trace context, and ours. Header names are lower
 * case; values are UTF-8 strings.
 */
export const EVENT_HEADERS = {
  specVersion: 'ce_specversion',
  id: 'ce_id',
  source: 'ce_source',
  type: 'ce_type',
  time: 'ce_time',
  subject: 'ce_subject',
  correlationId: 'ce_correlationid',
  contentType: 'content-type',
  traceparent: 'traceparent',
  /** On graph.changes: JSON of Positions of the input that is done once this record is applied. */
  inputPositions: 'source',
} as const;

/** Headers that a dead-lettered record gains; its own headers, key and value stay as received. */
export const DEAD_LETTER_HEADERS = {
  reason: 'dlt-reason',
  code: 'dlt-code',
  topic: 'dlt-topic',
  partition: 'dlt-partition',
  offset: 'dlt-offset',
  group: 'dlt-group',
  at: 'dlt-at',
} as const;

/** Headers of RabbitMQ task messages beside `traceparent`. */
export const TASK_HEADERS = {
  attempt: 'x-attempt',
  reason: 'x-reason',
  code: 'x-code',
  correlationId: 'x-correlation-id',
  traceparent: 'traceparent',
} as const;
