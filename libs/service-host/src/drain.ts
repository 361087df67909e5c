import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

const SWEEP_MS = 20;

/**
 * Watches a server from its start; the function it gives resolves when every request is answered and every connection
 * closed.
 *
 * For `noticeMs` all goes on as before, but that answers say `Connection: close`: whoever sends requests looks at the
 * probe meanwhile and sends no more. A connection that were closed here while its client writes the next request, or that the
 * kernel took and nobody read, would be a failed request, which a gateway repeats for a GET and must not repeat for a
 * POST. Then no connection is taken any more, and what is idle is closed.
 */
export function drainable(server: Server, noticeMs: number): () => Promise<void> {
  // Node takes a connection that has not brought its first request yet for a busy one.
  const silent = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  const answering = new Set<ServerResponse>();
  let isEnding = false;
  server.prependListener('request', ({ socket }: IncomingMessage, res: ServerResponse) => {
    silent.delete(socket);
    if (isEnding) res.shouldKeepAlive = false;
    answering.add(res);
    res.once('close', () => answering.delete(res));
  });
  return () => {
    isEnding = true;
    for (const res of answering) if (!res.headersSent) res.shouldKeepAlive = false;
    return new Promise((resolve) => {
      let sweep: NodeJS.Timeout | undefined;
      setTimeout(() => {
        sweep = setInterval(() => {
          server.closeIdleConnections();
          for (const socket of silent) socket.destroy();
        }, SWEEP_MS);
        // Not http's own close(), which knows nothing of silent connections.
        NetServer.prototype.close.call(server, () => {
          clearInterval(sweep);
          resolve();
        });
      }, noticeMs);
    });
  };
}
