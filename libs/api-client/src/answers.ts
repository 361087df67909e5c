/** The body of an answer that reports an error (RFC 9457); the fleet's codes are listed in docs/errors.md. */
export interface Problem {
  detail: string;
  title?: string;
  code?: string;
  /** The correlation id of the request, for whoever looks into the logs. */
  instance?: string;
  errors?: { field: string; message: string }[];
}

/** An answer that was not 2xx, with its status and body. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
  /** What the fleet said about it; undefined when the body was none of ours (the gateway's own, a proxy's). */
  readonly problem: Problem | undefined;

  constructor(
    readonly status: number,
    readonly what: string,
    readonly body: string,
    /** `Retry-After` of the answer, in milliseconds. */
    readonly retryAfterMs?: number,
  ) {
    super(`${what} answered ${status}: ${body.slice(0, 500)}`);
    this.problem = problemIn(body);
  }

  /** One sentence: the fleet's own with the fields it names, else the gateway's message, else the status. */
  get sentence(): string {
    if (this.problem === undefined) return this.gatewayMessage() ?? `${this.what} answered ${this.status}`;
    const fields = (this.problem.errors ?? []).map(({ field, message }) => `${field} ${message}`);
    return fields.length === 0 ? this.problem.detail : `${this.problem.detail} (${fields.join('; ')})`;
  }

  private gatewayMessage(): string | undefined {
    const { message } = objectIn(this.body);
    return typeof message === 'string' ? `${this.what} answered ${this.status}: ${message}` : undefined;
  }
}

/** The JSON of a 2xx answer, `undefined` where it has no body; throws UnexpectedAnswer for any other status. */
export async function answerOf<T>(response: Response, what: string): Promise<T> {
  const text = await response.text();
  if (!response.ok) throw new UnexpectedAnswer(response.status, what, text, retryAfter(response));
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Throws what a failed answer says; reads nothing of a good one, whose body the caller streams. */
export async function insistOnSuccess(response: Response, what: string): Promise<Response> {
  if (response.ok) return response;
  throw new UnexpectedAnswer(response.status, what, await response.text(), retryAfter(response));
}

/** Seconds or an HTTP date, as milliseconds from now; undefined where the header says neither. */
function retryAfter(response: Response): number | undefined {
  const header = response.headers.get('retry-after');
  if (header === null) return undefined;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1000;
  const until = Date.parse(header);
  return Number.isNaN(until) ? undefined : Math.max(0, until - Date.now());
}

function problemIn(body: string): Problem | undefined {
  const { detail, title, code, instance, errors } = objectIn(body);
  if (typeof detail !== 'string') return undefined;
  return {
    detail,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof instance === 'string' ? { instance } : {}),
    ...(Array.isArray(errors) ? { errors: errors.filter(isFieldFault) } : {}),
  };
}

function isFieldFault(value: unknown): value is { field: string; message: string } {
  const { field, message } = (value ?? {}) as Record<string, unknown>;
  return typeof field === 'string' && typeof message === 'string';
}

function objectIn(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
