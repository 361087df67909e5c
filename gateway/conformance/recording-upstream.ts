import http from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

const COMMENTS = 7;
const COMMENT_EVERY_MS = 500;

/** Answers `ok` and remembers what it was asked; the last part of the path may ask for something else. */
export class RecordingUpstream {
  readonly seen: Seen[] = [];
  /** Clients that left before they had their answer. */
  left = 0;
  /** Connections on which `do-stale` finds the upstream gone. */
  private readonly flagged = new WeakSet<Socket>();
  private readonly silentSockets = new Set<Socket>();
  private readonly server: Server = http.createServer((request, response) => {
    request.on('error', () => undefined);
    request.resume();
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      this.seen.push({ method, url, headers });
      response.on('close', () => (this.left += response.writableFinished ? 0 : 1));
      this.answer(request, response);
    });
  });
  /** Takes connections and says nothing: a Redis that hangs. */
  private readonly silent = net.createServer((socket) => {
    this.silentSockets.add(socket);
    socket.on('error', () => undefined).resume();
  });

  async start(port = 0, host = '127.0.0.1'): Promise<number> {
    this.server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => this.server.listen(port, host, resolve));
    await new Promise<void>((resolve) => this.silent.listen(0, host, resolve));
    return (this.server.address() as AddressInfo).port;
  }

  get silentPort(): number {
    return (this.silent.address() as AddressInfo).port;
  }

  forget(): void {
    this.seen.length = 0;
    this.left = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.silentSockets) socket.destroy();
    this.silent.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    switch (request.url?.split('/').at(-1)) {
      case 'do-reset':
        return void socket.resetAndDestroy();
      case 'do-end':
        return void socket.destroy();
      case 'do-nothing':
        return undefined;
      case 'do-flag':
        this.flagged.add(socket);
        return void response.end('ok');
      case 'do-stale':
        if (this.flagged.has(socket)) socket.resetAndDestroy();
        else response.end('ok');
        return undefined;
      case 'do-fail':
        response.writeHead(422, 'Unprocessable', {
          'content-type': 'application/problem+json',
          'set-cookie': ['a=1', 'b=2'],
          server: 'own',
        });
        return void response.end('{"é":1}');
      case 'do-break':
        response.write('hello');
        return void setTimeout(() => response.destroy(), 30);
      case 'do-reset-later':
        response.write('hello');
        return void setTimeout(() => socket.resetAndDestroy(), 30);
      default:
        return this.stream(request, response);
    }
  }

  private stream(request: IncomingMessage, response: ServerResponse): void {
    const what = request.url?.split('/').at(-1) ?? '';
    if (!['do-pause', 'do-two-events', 'do-comments'].includes(what)) {
      response.setHeader('X-From', 'upstream');
      response.end('ok');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n');
    if (what === 'do-two-events') setTimeout(() => response.end('data: 2\n\n'), 300);
    if (what !== 'do-comments') return;
    let left = COMMENTS;
    const timer = setInterval(() => {
      if ((left -= 1) > 0) return void response.write(':\n\n');
      clearInterval(timer);
      return void response.end();
    }, COMMENT_EVERY_MS);
  }
}
