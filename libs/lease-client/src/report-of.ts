import type { CallReport } from '@sociograph/contracts';
import { dateOf } from './path-probe';
import type { SendOutcome } from './slot-sender';

type Answered = Extract<CallReport, { outcome: 'answered' }>;

/** What the worker read in an answer; facts only, what they mean for the key is the pool's to say. */
export type AnswerFindings = Pick<Answered, 'error' | 'methodErrors'>;

const LONGEST_CAUSE = 64;
const LONGEST_TEXT = 200;
const MOST_METHOD_ERRORS = 100;

/** The report of one slot: what the sender did, and what was read in the answer. Texts are cut to what is allowed. */
export function reportOf(slot: number, outcome: SendOutcome, findings: AnswerFindings = {}): CallReport {
  switch (outcome.kind) {
    case 'missed':
      return { outcome: 'unsent', slot, cause: outcome.cause };
    case 'broken': {
      const { sentAt, cause } = outcome;
      return { outcome: 'broken', slot, sentAt, ...lateOf(outcome), cause: cause.slice(0, LONGEST_CAUSE) };
    }
    case 'answered': {
      const { sentAt, answeredAt, status, headers } = outcome;
      const serverDate = dateOf(headers.date);
      const seconds = Number(headers['retry-after']);
      const { error, methodErrors = [] } = findings;
      return {
        outcome: 'answered',
        slot,
        sentAt,
        ...lateOf(outcome),
        answeredAt,
        status,
        ...(serverDate !== undefined && { serverDate }),
        ...(error && { error: shortened(error) }),
        ...(methodErrors.length > 0 && {
          methodErrors: methodErrors.slice(0, MOST_METHOD_ERRORS).map(shortened),
        }),
        ...(Number.isFinite(seconds) && seconds > 0 && { retryAfterMs: seconds * 1_000 }),
      };
    }
  }
}

function lateOf({ late, checkedAt }: { late: boolean; checkedAt: number }): {
  late?: true;
  checkedAt?: number;
} {
  return late ? { late, checkedAt } : {};
}

function shortened<E extends { text?: string | undefined }>(error: E): E {
  return error.text === undefined ? error : { ...error, text: error.text.slice(0, LONGEST_TEXT) };
}
