import net from 'node:net';
import type { Socket } from 'node:net';
import { AnswerParser } from './answer-parser';
import type { AnswerListener } from './answer-parser';
import type { Address } from './targets';

/** Why no answer came, or only a part of one. */
export interface Failure {
  /** The request may have been sent. */
  reached: boolean;
  timedOut: boolean;
  unresolved: boolean;
  /** The connection had been kept since an earlier request, and the upstream had closed it meanwhile. */
  stale: boolean;
  /** What came was no answer of HTTP/1.1: asking again would not help. */
  malformed: boolean;
}

/** One request on a connection. */
export interface Call extends AnswerListener {
  /** To a HEAD no body comes. */
  toHead: boolean;
  /** The connection is there: now the request may be written. */
  connected(connection: UpstreamConnection): void;
  /** More of the request may be written. */
  drained(): void;
  failed(failure: Failure): void;
}

/** Below the 5 s after which Node's own servers close an idle connection, and far below Fastify's 72. */
const IDLE_MS = 4000;
const MOST_IDLE = 64;
/** A client that takes nothing for so long is cut off (nginx' send_timeout). */
const SLOW_CLIENT_MS = 60_000;

/**
 * A connection to one address, for one request after the other. Not Node's own client: that one starts to read a body
 * before it has a connection, so that the next target would get the rest of it, and has one timeout where nginx has one
 * for connecting, for writing and for reading; and it builds several objects and streams for each request.
 */
export class UpstreamConnection {
  private readonly socket: Socket;
  private parser: AnswerParser | undefined;
  private call: Call | undefined;
  private served = 0;
  private isConnected = false;
  private timedOut = false;
  private malformed = false;
  private errorCode: string | undefined;
  private wholeRequestSent = false;
  private timeoutMs = 0;
  private answerTimeoutMs = 0;

  constructor(
    readonly address: Address,
    connectTimeoutMs: number,
    private readonly pool: UpstreamPool,
  ) {
    const { host, port } = address;
    this.socket = net.connect({ host, port, noDelay: true });
    this.wait(connectTimeoutMs);
    this.socket.on('connect', () => {
      this.isConnected = true;
      this.untimed();
      this.call?.connected(this);
    });
    this.socket.on('data', (chunk: Buffer) => this.receive(chunk));
    this.socket.on('drain', () => this.call?.drained());
    this.socket.on('timeout', () => {
      this.timedOut = true;
      this.socket.destroy();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.errorCode = error.code));
    this.socket.on('end', () => {
      // Whole by that, or cut off.
      this.parser?.close();
      this.socket.destroy();
    });
    this.socket.on('close', () => this.closed());
  }

  get isAlive(): boolean {
    return !this.socket.destroyed;
  }

  /** Begins a request; the connection must not have another one. */
  take(call: Call): void {
    this.call = call;
    this.wholeRequestSent = false;
    this.parser = new AnswerParser(call.toHead, {
      head: (head) => call.head(head),
      data: (chunk) => call.data(chunk),
      end: () => this.answered(),
    });
    if (this.isConnected) call.connected(this);
  }

  /** False: no more before `drained`, which must come within `timeoutMs`. */
  write(bytes: Buffer | string, timeoutMs: number): boolean {
    const goesOn = this.socket.write(bytes, 'latin1');
    if (!goesOn) this.wait(timeoutMs);
    return goesOn;
  }

  /** It is not the upstream that is waited for. */
  untimed(): void {
    this.wait(0);
  }

  /** The request was written; from now on at most `timeoutMs` pass between two bytes of the answer. */
  await(timeoutMs: number): void {
    this.wholeRequestSent = true;
    this.answerTimeoutMs = timeoutMs;
    this.wait(timeoutMs);
  }

  /** All that is written until `uncork` leaves together. */
  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  /** The client takes no more of the answer for now. */
  pause(): void {
    this.socket.pause();
    this.wait(SLOW_CLIENT_MS);
  }

  resume(): void {
    if (this.call === undefined) return;
    this.wait(this.answerTimeoutMs);
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private wait(ms: number): void {
    if (ms === this.timeoutMs) return;
    this.timeoutMs = ms;
    this.socket.setTimeout(ms);
  }

  private receive(chunk: Buffer): void {
    const { parser } = this;
    // What comes unasked is an answer to nothing.
    if (parser === undefined) return this.destroy();
    try {
      parser.feed(chunk);
    } catch {
      this.malformed = true;
      this.destroy();
    }
    return undefined;
  }

  private answered(): void {
    const { call, parser } = this;
    this.call = undefined;
    this.parser = undefined;
    this.served += 1;
    if (this.socket.isPaused()) this.socket.resume();
    // Answered early: the next request would wait behind what this upstream may never read.
    const isFree = this.wholeRequestSent && this.socket.writableLength === 0 && this.isAlive;
    if (parser?.keepsAlive === true && isFree && this.pool.keep(this)) this.wait(IDLE_MS);
    else this.destroy();
    call?.end();
  }

  private closed(): void {
    this.pool.forget(this);
    const { call, parser, errorCode } = this;
    this.call = undefined;
    call?.failed({
      reached: this.isConnected,
      timedOut: this.timedOut,
      unresolved: errorCode === 'ENOTFOUND' || errorCode === 'EAI_AGAIN',
      stale: this.served > 0 && !this.timedOut && parser?.hasBegun !== true,
      malformed: this.malformed,
    });
  }
}

/** Connections that wait for their next request, the latest used first. */
export class UpstreamPool {
  private readonly idle = new Map<string, UpstreamConnection[]>();
  private isClosed = false;

  /** Asks over a connection that is open, or over a new one. */
  call(address: Address, connectTimeoutMs: number, call: Call): UpstreamConnection {
    const waiting = this.idle.get(nameOf(address));
    for (let next = waiting?.pop(); next !== undefined; next = waiting?.pop()) {
      if (!next.isAlive) continue;
      next.take(call);
      return next;
    }
    const connection = new UpstreamConnection(address, connectTimeoutMs, this);
    connection.take(call);
    return connection;
  }

  /** False where there are enough. */
  keep(connection: UpstreamConnection): boolean {
    const name = nameOf(connection.address);
    let waiting = this.idle.get(name);
    if (waiting === undefined) this.idle.set(name, (waiting = []));
    if (this.isClosed || waiting.length >= MOST_IDLE) return false;
    waiting.push(connection);
    return true;
  }

  forget(connection: UpstreamConnection): void {
    const name = nameOf(connection.address);
    const left = this.idle.get(name)?.filter((one) => one !== connection) ?? [];
    if (left.length > 0) this.idle.set(name, left);
    else this.idle.delete(name);
  }

  close(): void {
    this.isClosed = true;
    for (const waiting of [...this.idle.values()]) for (const one of waiting) one.destroy();
  }
}

function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}
