import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { DomainError, isDomainError, type ErrorKind, type FieldFault } from '@sociograph/kernel';

/** The body of an answer that reports an error (RFC 9457), as docs/errors.md lists it. */
export interface Problem {
  /** `https://sociograph.dev/problems/<kind of problem>`. */
  type: string;
  title: string;
  status: number;
  /** A sentence about this very occurrence. */
  detail: string;
  /** Stable and dotted: what a program should look at. */
  code: string;
  /** The correlation id of the request. */
  instance?: string;
  errors?: FieldFault[];
}

const statuses = {
  'invalid-input': 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'precondition-failed': 412,
  unprocessable: 422,
  'too-many': 429,
  bug: 500,
  unavailable: 503,
} satisfies Record<ErrorKind, number>;

const titles = {
  'invalid-input': 'The request is not valid',
  unauthenticated: 'A valid token is needed',
  forbidden: 'The token does not permit this',
  'not-found': 'There is no such resource',
  conflict: 'The state of the resource does not allow this',
  'precondition-failed': 'The resource has changed',
  unprocessable: 'The request cannot be carried out',
  'too-many': 'Too many requests',
  bug: 'An internal error',
  unavailable: 'Not available at the moment',
} satisfies Record<ErrorKind, string>;

/** Problems of the HTTP layer itself, which no ErrorKind stands for. */
const transportProblems: Record<number, { slug: string; code: string; title: string }> = {
  405: {
    slug: 'method-not-allowed',
    code: 'REQUEST.METHOD_NOT_ALLOWED',
    title: 'The method is not allowed here',
  },
  413: { slug: 'body-too-large', code: 'REQUEST.BODY_TOO_LARGE', title: 'The body is too large' },
  414: { slug: 'invalid-input', code: 'REQUEST.PATH_TOO_LONG', title: 'The path is too long' },
  415: {
    slug: 'unsupported-media-type',
    code: 'REQUEST.MEDIA_TYPE',
    title: 'The body must be application/json',
  },
};

const kindOfStatus = new Map<number, ErrorKind>(
  Object.entries(statuses).map(([kind, status]) => [status, kind as ErrorKind]),
);

const networkFaults = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN']);

/** The HTTP status that a kind of failure is answered with. */
export function httpStatusOf(kind: ErrorKind): number {
  return statuses[kind];
}

/** Turns whatever was thrown into the answer, and says how it should be logged. Unknown errors show nothing of themselves. */
export function problemOf(error: unknown): {
  problem: Problem;
  retryAfterSeconds?: number;
  unexpected: boolean;
} {
  if (isDomainError(error)) return fromDomainError(error);
  if (error instanceof HttpException)
    return { problem: fromHttpException(error), unexpected: error.getStatus() >= 500 };
  if (error instanceof Error && 'code' in error && networkFaults.has(String(error.code))) {
    return {
      problem: problem(
        'unavailable',
        'SERVER.UNAVAILABLE',
        'A server that is needed for this cannot be reached.',
      ),
      retryAfterSeconds: 1,
      unexpected: true,
    };
  }
  return { problem: internal(), unexpected: true };
}

function fromDomainError(error: DomainError): ReturnType<typeof problemOf> {
  if (error.kind === 'bug') return { problem: internal(error.code), unexpected: true };
  const answer = problem(error.kind, error.code, error.message, error.fields);
  const waits = error.kind === 'unavailable' || error.kind === 'too-many';
  const retryAfterSeconds = error.retryAfterSeconds ?? (waits ? 1 : undefined);
  return {
    problem: answer,
    unexpected: error.kind === 'unavailable',
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

function fromHttpException(error: HttpException): Problem {
  const status = error.getStatus();
  const transport = transportProblems[status];
  if (transport !== undefined) {
    const { slug, code, title } = transport;
    return { type: typeOf(slug), title, status, detail: sentence(error.message), code };
  }
  const kind = kindOfStatus.get(status);
  if (kind === 'bug' || status >= 500) return internal();
  if (kind === 'not-found') return problem(kind, 'REQUEST.NOT_FOUND', 'Nothing is found at this address.');
  if (kind === undefined) {
    const title = STATUS_CODES[status] ?? 'The request is not valid';
    return {
      type: typeOf('invalid-input'),
      title,
      status,
      detail: sentence(error.message),
      code: 'REQUEST.INVALID',
    };
  }
  return problem(kind, 'REQUEST.INVALID', sentence(error.message));
}

function problem(kind: ErrorKind, code: string, detail: string, errors: FieldFault[] = []): Problem {
  return {
    type: typeOf(kind),
    title: titles[kind],
    status: statuses[kind],
    detail,
    code,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function internal(code = 'SERVER.INTERNAL'): Problem {
  return problem('bug', code, 'The service failed in a way that it did not expect; the log has the details.');
}

function typeOf(slug: string): string {
  return `https://sociograph.dev/problems/${slug === 'bug' ? 'internal-error' : slug}`;
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}
