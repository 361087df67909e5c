import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Route } from './configuration';
import type { Trace } from './traces';

export interface Consumer {
  id: string;
  username: string;
  customId: string | undefined;
  /** Key of the credential that was used. */
  credential: string;
}

/** An answer that a plugin gives instead of the upstream: Kong's template body, or a bare JSON body of the plugin. */
export interface Exit {
  status: number;
  message?: string;
  json?: object;
  headers?: Record<string, string>;
}

/** One header of a request, under its lower-case name. */
export interface HeaderEntry {
  name: string;
  values: string[];
}

/** A request on its way through the plugins. */
export class Exchange {
  readonly requestId = randomBytes(16).toString('hex');
  readonly startedAt = performance.now();
  /** What the upstream will be sent; plugins change it. */
  readonly upstreamHeaders = new Map<string, HeaderEntry>();
  /** Whole body in the pieces in which it came, once something had to read it. */
  body: readonly Buffer[] | undefined;
  route: Route | undefined;
  consumer: Consumer | undefined;
  trace: Trace | undefined;
  /** Set by correlation-id; echoed on every answer. */
  correlationId: string | undefined;
  /** A preflight was answered: cors has set its headers and adds none. */
  preflight = false;
  /** Headers that plugins of the access phase add to the answer. */
  readonly answerHeaders: Record<string, string> = {};

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    /** Normalised path. */
    readonly path: string,
    /** Path as received, without the query. */
    readonly rawPath: string,
    /** With its question mark, or empty. */
    readonly query: string,
  ) {
    for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
      const name = request.rawHeaders[at] as string;
      const value = request.rawHeaders[at + 1] as string;
      const entry = this.upstreamHeaders.get(name.toLowerCase());
      if (entry === undefined) this.upstreamHeaders.set(name.toLowerCase(), { name, values: [value] });
      else entry.values.push(value);
    }
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }

  /** The first value of a header as the client sent it. */
  received(name: string): string | undefined {
    return this.request.headersDistinct[name]?.[0];
  }

  /** The first value of a header as the upstream would get it now. */
  header(name: string): string | undefined {
    return this.upstreamHeaders.get(name.toLowerCase())?.values[0];
  }

  setHeader(name: string, value: string): void {
    this.upstreamHeaders.set(name.toLowerCase(), { name, values: [value] });
  }

  clearHeader(name: string): void {
    this.upstreamHeaders.delete(name.toLowerCase());
  }

  /** Bytes of `body`; undefined where nothing has read it. */
  get bodyLength(): number | undefined {
    return this.body?.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get elapsedMs(): number {
    return Math.round(performance.now() - this.startedAt);
  }
}
