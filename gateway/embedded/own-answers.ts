import type { Socket } from 'node:net';
import type { Exchange, Exit } from './exchange';
import { errorBody, SERVER } from './kong-error';
import type { BoundPlugin } from './plugins/plugin';

/** nginx' limit of a line (large_client_header_buffers 4 8k). */
const LONGEST_LINE = 8190;
/** In which a refused client has to take its answer and close its side. */
const FAREWELL_MS = 1000;

/** What nginx refuses before Kong sees it. `path` is undefined where it cannot be normalised. */
export function malformedRequest(exchange: Exchange, path: string | undefined): Exit | undefined {
  const { request, method } = exchange;
  if (method === 'TRACE' || method === 'CONNECT') return { status: 405, message: 'Method not allowed' };
  if ((request.url ?? '').length > LONGEST_LINE) return { status: 414, message: 'URI too long' };
  if (path === undefined || !exchange.rawPath.startsWith('/')) return { status: 400, message: 'Bad request' };
  for (const { name, values } of exchange.allReceived()) {
    for (const value of values)
      if (value.length + name.length + 4 > LONGEST_LINE)
        return { status: 400, message: 'Request header or cookie too large' };
  }
  if (exchange.timesReceived('authorization') > 1) return { status: 400, message: 'Bad request' };
  return undefined;
}

/** Headers that plugins add to an answer, the gateway's own included. */
export function answerHeaders(exchange: Exchange, plugins: readonly BoundPlugin[]): Record<string, string> {
  const headers: Record<string, string> = { ...exchange.answerHeaders };
  for (const plugin of plugins) plugin.answer(exchange, headers);
  return headers;
}

/**
 * Answers in the upstream's place. A short circuit contacted no upstream. Returns the bytes of the body, undefined
 * when the client has left.
 */
export function answerItself(
  exchange: Exchange,
  plugins: readonly BoundPlugin[],
  exit: Exit,
  isShortCircuit = true,
): number | undefined {
  const { response } = exchange;
  if (response.destroyed) return undefined;
  const headers = Object.assign(answerHeaders(exchange, plugins), exit.headers);
  // Who asked whether to go on will not send the body now: nothing more can be read on this connection.
  const waits = exchange.received('expect') !== undefined && !exchange.request.complete;
  if (waits || exchange.isLast) headers['Connection'] = 'close';
  let body = '';
  if (exit.json !== undefined) {
    body = JSON.stringify(exit.json);
    headers['Content-Type'] = 'application/json; charset=utf-8';
  } else if (exit.message !== undefined) {
    const made = errorBody(exit.message, exchange.requestId, exchange.received('accept'));
    body = made.body;
    headers['Content-Type'] = made.type;
  }
  const bytes = Buffer.byteLength(body);
  headers['Content-Length'] = String(bytes);
  headers['Server'] = SERVER;
  headers['X-Kong-Request-Id'] = exchange.requestId;
  if (isShortCircuit) headers['X-Kong-Response-Latency'] = String(exchange.elapsedMs);
  response.writeHead(exit.status, headers);
  response.end(exchange.method === 'HEAD' ? undefined : body);
  return bytes;
}

/** Answers bytes that are no request. */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const message = tooLong ? 'Request header or cookie too large' : 'Bad request';
  refuse(socket, '400 Bad Request', message);
}

/** Node hands these over as bare sockets. */
export function refuseConnect(socket: Socket): void {
  refuse(socket, '405 Not Allowed', 'Method not allowed');
}

/**
 * Node leaves a socket that it hands over without a listener of errors, unread and without a timeout: a client that
 * resets it would end the process, one that never closes would hold its place for ever and a drain up.
 */
function refuse(socket: Socket, status: string, message: string): void {
  const body = `{\n  "message":"${message}"\n}`;
  const cut = setTimeout(() => socket.destroy(), FAREWELL_MS);
  socket.on('close', () => clearTimeout(cut));
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nServer: ${SERVER}\r\nConnection: close\r\n\r\n${body}`,
  );
}
