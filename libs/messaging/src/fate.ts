import { isDomainError, type ErrorKind } from '@sociograph/kernel';

/** What becomes of a task whose handler failed. */
export type Fate = 'ack' | 'retry' | 'dead';

/**
 * RabbitMQ: kind of failure to fate. `ack` where the world moved on and the task is out of date; `retry` climbs
 * the ladder; `dead` where a repeat can only fail again.
 */
const TASK_FATE = {
  'invalid-input': 'dead',
  unprocessable: 'dead',
  'not-found': 'dead',
  conflict: 'retry',
  'precondition-failed': 'ack',
  unauthenticated: 'dead',
  forbidden: 'dead',
  'too-many': 'retry',
  unavailable: 'retry',
  bug: 'dead',
} as const satisfies Record<ErrorKind, Fate>;

/** The fate of a task; what is no DomainError is retried, because it may be a passing fault nobody classified. */
export function fateOf(error: unknown): Fate {
  return isDomainError(error) ? TASK_FATE[error.kind] : 'retry';
}

/** What becomes of a batch of records: wait and try the same again, or look for the record that is to blame. */
export type BatchFate = 'retry' | 'poison';

const BATCH_FATE = {
  'invalid-input': 'poison',
  unprocessable: 'poison',
  'not-found': 'poison',
  conflict: 'poison',
  'precondition-failed': 'poison',
  unauthenticated: 'poison',
  forbidden: 'poison',
  'too-many': 'retry',
  unavailable: 'retry',
  bug: 'poison',
} as const satisfies Record<ErrorKind, BatchFate>;

/** Kafka: the fate of a batch. Only an unreachable or overloaded server is waited for: that is no record's fault. */
export function batchFateOf(error: unknown): BatchFate {
  return isDomainError(error) ? BATCH_FATE[error.kind] : 'poison';
}

/** Code and sentence of a failure for headers: no values, at most 256 characters. */
export function describeFailure(error: unknown): { code: string; reason: string } {
  const reason = error instanceof Error ? error.message : String(error);
  return { code: isDomainError(error) ? error.code : 'UNEXPECTED', reason: reason.slice(0, 256) };
}
