import type { AnswerHead } from './answer-parser';
import type { Exchange } from './exchange';
import type { Address } from './targets';
import type { Call, Failure, UpstreamConnection, UpstreamPool } from './upstream-connection';
import { headersFor } from './upstream-headers';

/** Why no answer came. */
export class Failed extends Error {
  constructor(readonly failure: Failure) {
    super('no answer');
  }
}

/** Milliseconds, as nginx has them. */
export interface Times {
  connectTimeoutMs: number;
  /** Between two writes. */
  writeTimeoutMs: number;
  /** Between two reads. */
  readTimeoutMs: number;
}

/** Where an answer goes. */
export interface Sink {
  /** False: nothing more before `resume` was called. */
  data(chunk: Buffer, resume: () => void): boolean;
  end(): void;
  /** The upstream broke off. */
  broken(): void;
}

/**
 * Sends a request once. `open` gets the head of the answer and says where the rest goes. Resolves when the answer was
 * passed on or either side broke off; rejects with Failed when no head came. `buffered`: the body is sent from what
 * was read of it, else as it comes. When the client leaves, the upstream's connection ends too.
 */
export function askUpstream(
  pool: UpstreamPool,
  exchange: Exchange,
  address: Address,
  times: Times,
  buffered: boolean,
  open: (head: AnswerHead) => Sink,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const { request, response } = exchange;
    let sink: Sink | undefined;
    let connection: UpstreamConnection | undefined;
    let stopSending: (() => void) | undefined;
    let over = false;
    const left = (): void => connection?.destroy();
    const settled = (): void => {
      over = true;
      response.off('close', left);
      stopSending?.();
    };
    const resume = (): void => {
      if (!over) connection?.resume();
    };
    const call: Call = {
      toHead: exchange.method === 'HEAD',
      connected: (ready) => {
        connection = ready;
        if (buffered) sendWhole(ready, exchange, address, times);
        else stopSending = sendAsItComes(ready, exchange, address, times);
      },
      drained: () => {
        if (buffered) return;
        connection?.untimed();
        request.resume();
      },
      head: (head) => void (sink = open(head)),
      data: (chunk) => {
        if (sink?.data(chunk, resume) === false) connection?.pause();
      },
      end: () => {
        settled();
        sink?.end();
        resolve();
      },
      failed: (failure) => {
        settled();
        if (sink === undefined) return reject(new Failed(failure));
        sink.broken();
        resolve();
      },
    };
    response.once('close', left);
    connection = pool.call(address, times.connectTimeoutMs, call);
  });
}

function sendWhole(
  connection: UpstreamConnection,
  exchange: Exchange,
  address: Address,
  { writeTimeoutMs, readTimeoutMs }: Times,
): void {
  const head = headFor(exchange, address, []);
  const { body } = exchange;
  if (body === undefined) connection.write(head, writeTimeoutMs);
  else {
    connection.cork();
    connection.write(head, writeTimeoutMs);
    for (const chunk of body) connection.write(chunk, writeTimeoutMs);
    connection.uncork();
  }
  connection.await(readTimeoutMs);
}

/** No faster than the upstream takes it. Returns what ends it early. */
function sendAsItComes(
  connection: UpstreamConnection,
  exchange: Exchange,
  address: Address,
  { writeTimeoutMs, readTimeoutMs }: Times,
): () => void {
  const { request } = exchange;
  const sized = exchange.received('content-length') !== undefined;
  const chunked = !sized && exchange.received('transfer-encoding') !== undefined;
  const write = (piece: Buffer | string): boolean => connection.write(piece, writeTimeoutMs);
  const pass = (chunk: Buffer): void => {
    const pieces = chunked ? [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n'] : [chunk];
    if (pieces.map(write).includes(false)) request.pause();
  };
  const end = (): void => {
    if (chunked) write('0\r\n\r\n');
    connection.await(readTimeoutMs);
  };
  connection.untimed();
  write(headFor(exchange, address, chunked ? ['Transfer-Encoding', 'chunked'] : []));
  request.on('data', pass);
  request.on('end', end);
  return () => {
    request.off('data', pass);
    request.off('end', end);
    // What is still to come is read and thrown away, so that the client's connection can go on.
    if (!request.complete) request.resume();
  };
}

function headFor(exchange: Exchange, address: Address, framing: string[]): string {
  const fields = [...headersFor(exchange, address), ...framing];
  let head = `${exchange.method} ${exchange.path}${exchange.query} HTTP/1.1\r\n`;
  for (let at = 0; at < fields.length; at += 2) head += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return `${head}\r\n`;
}
