import { connectionFault, OAuthRefused, UnexpectedAnswer } from '@sociograph/api-client';

/** What the process ends with; README.md has the table. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notLoggedIn: 3,
  notFound: 4,
  endedOtherwise: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line cannot be understood: one sentence, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Nobody is logged in, or no longer: exit code 3. */
export class NotLoggedIn extends Error {
  override readonly name = 'NotLoggedIn';
}

/** Something that was waited for ended, but not as asked: exit code 5. */
export class EndedOtherwise extends Error {
  override readonly name = 'EndedOtherwise';
}

export interface Failure {
  exitCode: ExitCode;
  /** One sentence for a person. */
  message: string;
  /** What a script may look at beside it: status and code of the API's problem, the fields it names. */
  facts: Record<string, unknown>;
}

/** What is told of an error, whatever was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UnexpectedAnswer) return ofAnswer(error);
  if (error instanceof UsageError) return failure(EXIT.usage, error.message);
  if (error instanceof NotLoggedIn) return failure(EXIT.notLoggedIn, error.message);
  if (error instanceof EndedOtherwise) return failure(EXIT.endedOtherwise, error.message);
  if (error instanceof OAuthRefused)
    return failure(EXIT.failed, `The login server refused: ${error.message}`, { code: error.code });
  if (isAbort(error)) return failure(EXIT.interrupted, 'Interrupted.');
  const fault = connectionFault(error);
  if (fault !== undefined) {
    const { message } = ((error as Error).cause ?? {}) as { message?: string };
    return failure(EXIT.failed, `No connection (${message || fault}).`, { code: fault });
  }
  return failure(EXIT.failed, error instanceof Error ? error.message : String(error));
}

function ofAnswer(answer: UnexpectedAnswer): Failure {
  const { status, problem } = answer;
  const facts = {
    status,
    ...(problem?.code === undefined ? {} : { code: problem.code }),
    ...(problem?.errors === undefined ? {} : { errors: problem.errors }),
    ...(problem?.instance === undefined ? {} : { correlationId: problem.instance }),
  };
  if (status === 401)
    return failure(EXIT.notLoggedIn, `${answer.sentence} Log in again: "sociograph login".`, facts);
  // A 404 of the gateway itself means that the fleet has no such route: nothing that was asked for is missing.
  if (status === 404 && problem !== undefined) return failure(EXIT.notFound, answer.sentence, facts);
  return failure(EXIT.failed, answer.sentence, facts);
}

function failure(exitCode: ExitCode, message: string, facts: Record<string, unknown> = {}): Failure {
  return { exitCode, message, facts };
}

function isAbort(error: unknown): boolean {
  return (error as Partial<Error> | undefined)?.name === 'AbortError';
}
