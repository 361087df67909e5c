import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';

/** So long connections without a request stay open once no new one is taken. */
const NOTICE_MS = 500;
const SWEEP_MS = 20;

/**
 * Watches a server from its start; the function it gives takes no new connection and resolves when every request is
 * answered and every connection closed.
 *
 * Who keeps connections open is told with each answer to close its own (`Connection: close`): one that were closed here
 * while its client writes the next request would be a failed request, which a gateway repeats for a GET and must not
 * repeat for a POST. What is still idle after the notice is closed: a busy gateway has used all of its own by then.
 */
export function drainable(server: Server): () => Promise<void> {
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
      const notice = setTimeout(() => {
        sweep = setInterval(() => {
          server.closeIdleConnections();
          for (const socket of silent) socket.destroy();
        }, SWEEP_MS);
      }, NOTICE_MS);
      // Not http's own close(), which closes idle connections at once.
      NetServer.prototype.close.call(server, () => {
        clearTimeout(notice);
        clearInterval(sweep);
        resolve();
      });
    });
  };
}
