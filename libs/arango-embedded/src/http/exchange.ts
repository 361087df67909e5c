import { ArangoFault } from '../faults';

/** One request, as the routes see it. */
export interface Exchange {
  readonly method: string;
  readonly database: string;
  /** Path below `/_db/<database>`, decoded, without empty parts: `['_api', 'document', 'users', 'x']`. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** An answer: JSON text, so that stored documents pass through without being parsed. */
export interface Answer {
  readonly status: number;
  readonly json: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An envelope: the object with `error: false` and `code`. */
export function success(status: number, content: Record<string, unknown>): Answer {
  return { status, json: JSON.stringify({ ...content, error: false, code: status }) };
}

export function failure(fault: ArangoFault): Answer {
  const { status, errorNum, message, extra } = fault;
  return {
    status,
    json: JSON.stringify({ code: status, error: true, errorMessage: message, errorNum, ...extra }),
  };
}

export function bodyOf(exchange: Exchange): unknown {
  try {
    return JSON.parse(exchange.body) as unknown;
  } catch {
    throw new ArangoFault(600, 'VPackError error: Expecting digit');
  }
}

export function objectBody(exchange: Exchange): Record<string, unknown> {
  const body = bodyOf(exchange);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ArangoFault(600, 'expecting a JSON object');
  return body as Record<string, unknown>;
}

export function flag(exchange: Exchange, name: string, otherwise: boolean): boolean {
  const value = exchange.query.get(name);
  return value === null ? otherwise : value === 'true' || value === '1' || value === 'yes' || value === 'on';
}
