import { randomUUID } from 'node:crypto';
import { answerOf, insistOnSuccess } from './answers';
import { patiently } from './patience';
import type { TokenSource } from './tokens';

export interface ApiOptions {
  gatewayUrl: string;
  tokens: TokenSource;
  /** For how long what may be repeated is repeated while the fleet is away; 30 s unless told. */
  patienceMs?: number;
  /** Ends every request under way. */
  signal?: AbortSignal;
}

export type Query = Record<string, string | number | boolean | undefined>;

/** One page of a list, as every service answers it. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

const TIMEOUT_MS = 30_000;
const MOST_A_PAGE = 200;

/** The public REST API with a token. Whatever is not 2xx is thrown as UnexpectedAnswer. */
export class Api {
  constructor(private readonly options: ApiOptions) {}

  /** Repeated while the fleet is away: reading may be done twice. */
  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.patient(() => this.json<T>('GET', withQuery(path, query)));
  }

  /**
   * A POST that creates, under an `Idempotency-Key`: it is repeated while the fleet is away, and has its effect once
   * (within the 24 h that the fleet remembers the key).
   */
  create<T>(path: string, body: unknown, key: string = randomUUID()): Promise<T> {
    return this.patient(() => this.json<T>('POST', path, jsonBody(body, { 'idempotency-key': key })));
  }

  /** Like `create` for a body that is not JSON. */
  upload<T>(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    contentType: string,
    key: string = randomUUID(),
  ): Promise<T> {
    const headers = { 'content-type': contentType, 'idempotency-key': key };
    return this.patient(() => this.json<T>('POST', path, { body, headers }));
  }

  /** A POST that is never repeated. */
  post<T>(path: string, body?: unknown): Promise<T> {
    return this.json<T>('POST', path, jsonBody(body));
  }

  delete<T = undefined>(path: string): Promise<T> {
    return this.json<T>('DELETE', path);
  }

  /** A GET whose body the caller reads as it comes; not repeated. `signal` ends it beside the API's own. */
  async open(path: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    return insistOnSuccess(await this.send('GET', path, { headers }, signal), `GET ${path}`);
  }

  /** All items of a list, page by page as they are asked for. */
  async *items<T>(path: string, query: Query = {}): AsyncGenerator<T> {
    let cursor: string | undefined;
    do {
      const page: Page<T> = await this.get<Page<T>>(path, { limit: MOST_A_PAGE, ...query, cursor });
      yield* page.items;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }

  private patient<T>(work: () => Promise<T>): Promise<T> {
    return patiently(work, { patienceMs: this.options.patienceMs, signal: this.options.signal });
  }

  private async json<T>(method: string, path: string, request: RequestInit = {}): Promise<T> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    return answerOf<T>(await this.send(method, path, request, timeout), `${method} ${path}`);
  }

  /** A refused token is replaced once: 401 means that nothing was done. */
  private async send(
    method: string,
    path: string,
    request: RequestInit,
    signal?: AbortSignal,
  ): Promise<Response> {
    const token = await this.options.tokens.token();
    const first = await this.sendWith(token, method, path, request, signal);
    if (first.status !== 401) return first;
    await first.body?.cancel();
    this.options.tokens.discard(token);
    return this.sendWith(await this.options.tokens.token(), method, path, request, signal);
  }

  private sendWith(
    token: string,
    method: string,
    path: string,
    request: RequestInit,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const headers = { ...(request.headers as Record<string, string>), authorization: `Bearer ${token}` };
    const signals = [signal, this.options.signal].filter((one) => one !== undefined);
    // A redirect would carry the token to wherever it points; the fleet answers with none.
    const settings: RequestInit = { ...request, method, headers, redirect: 'error' };
    if (signals.length > 0) settings.signal = AbortSignal.any(signals);
    return fetch(this.options.gatewayUrl.replace(/\/$/, '') + path, settings);
  }
}

/** A path from parts that may hold anything; throws RangeError for a part that would change the path's meaning. */
export function pathOf(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.reduce((path, part, index) => {
    const value = values[index - 1] ?? '';
    if (['', '.', '..'].includes(value)) throw new RangeError(`"${value}" cannot be part of a path`);
    return path + encodeURIComponent(value) + part;
  });
}

/** The path with these parameters; those that are undefined are left out. */
export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  if (given.length === 0) return path;
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return `${path}${path.includes('?') ? '&' : '?'}${text.toString()}`;
}

function jsonBody(body: unknown, headers: Record<string, string> = {}): RequestInit {
  if (body === undefined) return { headers };
  return { body: JSON.stringify(body), headers: { ...headers, 'content-type': 'application/json' } };
}
