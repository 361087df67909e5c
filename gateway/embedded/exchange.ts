import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomHex } from './random-ids';
import type { Trace } from './traces';

/** Who may sign tokens: of this gateway one for each realm. */
export interface Consumer {
  id: string;
  username: string;
  customId: string | undefined;
}

/** A key that tokens of a consumer are signed with. */
export interface Credential {
  key: string;
  algorithm: string;
  publicKey: KeyObject;
  consumer: Consumer;
}

/** An answer that the gateway gives instead of the upstream: Kong's template body, or a bare JSON body of a plugin. */
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
  readonly requestId = randomHex(16);
  readonly startedAt = performance.now();
  readonly method: string;
  /** Id of the route that was chosen; undefined where none matched. */
  routeId: string | undefined;
  /** Whole body in the pieces in which it came, once something had to read it. */
  body: readonly Buffer[] | undefined;
  consumer: Consumer | undefined;
  trace: Trace | undefined;
  /** Set by correlation-id; echoed on every answer. */
  correlationId: string | undefined;
  /** A preflight was answered: cors has set its headers and adds none. */
  preflight = false;
  /** Headers that plugins of the access phase add to the answer. */
  readonly answerHeaders: Record<string, string> = {};
  /** By lower-case name, as the client sent them. */
  private readonly given = new Map<string, HeaderEntry>();
  /** What plugins made of them; undefined = taken away. */
  private readonly changed = new Map<string, HeaderEntry | undefined>();

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    /** Normalised path. */
    readonly path: string,
    /** Path as received, without the query. */
    readonly rawPath: string,
    /** With its question mark, or empty. */
    readonly query: string,
    /** The connection ends with this answer. */
    readonly isLast: boolean,
  ) {
    this.method = request.method ?? 'GET';
    const { rawHeaders } = request;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      const value = rawHeaders[at + 1] as string;
      const lower = name.toLowerCase();
      const entry = this.given.get(lower);
      if (entry === undefined) this.given.set(lower, { name, values: [value] });
      else entry.values.push(value);
    }
  }

  /** The first value of a header as the client sent it. */
  received(name: string): string | undefined {
    return this.given.get(name)?.values[0];
  }

  /** Every header as the client sent it. */
  allReceived(): Iterable<HeaderEntry> {
    return this.given.values();
  }

  /** How often the client sent a header. */
  timesReceived(name: string): number {
    return this.given.get(name)?.values.length ?? 0;
  }

  /** The first value of a header as the upstream would get it now. */
  header(name: string): string | undefined {
    const lower = name.toLowerCase();
    const entry = this.changed.has(lower) ? this.changed.get(lower) : this.given.get(lower);
    return entry?.values[0];
  }

  setHeader(name: string, value: string): void {
    this.changed.set(name.toLowerCase(), { name, values: [value] });
  }

  clearHeader(name: string): void {
    const lower = name.toLowerCase();
    if (this.given.has(lower) || this.changed.has(lower)) this.changed.set(lower, undefined);
  }

  /** What the upstream is sent, by lower-case name. */
  eachUpstreamHeader(visit: (lowerName: string, entry: HeaderEntry) => void): void {
    for (const [name, entry] of this.given) if (!this.changed.has(name)) visit(name, entry);
    for (const [name, entry] of this.changed) if (entry !== undefined) visit(name, entry);
  }

  /** Bytes of `body`; undefined where nothing has read it. */
  get bodyLength(): number | undefined {
    return this.body?.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  get elapsedMs(): number {
    return Math.round(performance.now() - this.startedAt);
  }
}
