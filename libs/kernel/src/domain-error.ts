/**
 * What a failure means to whoever caused it. Each transport turns it into its own answer through a table
 * that is `satisfies Record<ErrorKind, ...>`, so a new kind does not compile until every transport decided.
 */
export type ErrorKind =
  | 'invalid-input'
  | 'unprocessable'
  | 'not-found'
  | 'conflict'
  | 'precondition-failed'
  | 'unauthenticated'
  | 'forbidden'
  | 'too-many'
  | 'unavailable'
  | 'bug';

/** One faulty field of an input, named as the caller named it. */
export interface FieldFault {
  field: string;
  message: string;
}

export interface DomainErrorOptions {
  /** Stable, dotted, upper case: `KEY_POOL.KEY_UNKNOWN`. Listed in docs/errors.md. */
  code: string;
  kind: ErrorKind;
  /** A sentence that may be shown to the caller. */
  message: string;
  /** For logs only; must hold no secret and no personal data. */
  facts?: Record<string, string | number | boolean | null>;
  /** Faulty fields, for `invalid-input` and `unprocessable`. */
  fields?: FieldFault[];
  /** Seconds after which a repeat makes sense, for `too-many` and `unavailable`. */
  retryAfterSeconds?: number;
  cause?: unknown;
}

/** A failure with a stable code, a kind, its facts and its cause. Expected outcomes are values, not this. */
export class DomainError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly facts: Record<string, string | number | boolean | null>;
  readonly fields: FieldFault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(options: DomainErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DomainError';
    this.code = options.code;
    this.kind = options.kind;
    this.facts = options.facts ?? {};
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** True for any DomainError, also one made by a second copy of this module in the same process. */
export function isDomainError(error: unknown): error is DomainError {
  return error instanceof Error && error.name === 'DomainError' && 'kind' in error && 'code' in error;
}
