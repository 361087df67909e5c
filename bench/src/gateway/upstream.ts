import http from 'node:http';
import type { AddressInfo } from 'node:net';

const EVENT_EVERY_MS = 1000;

/**
 * What the gateway stands in front of: answers with a short list, reads bodies to their end, sends an event a second
 * where it is asked for events. Tells its port to the process that forked it.
 */
export function serveUpstream(): void {
  const list = JSON.stringify({ items: [], next: null });
  const server = http.createServer((request, answer) => {
    if (request.url?.endsWith('/events') === true) return sendEvents(answer);
    request.resume();
    if (request.method === 'GET') return answerWith(answer, list);
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => answerWith(answer, JSON.stringify({ bytes })));
    return undefined;
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

function answerWith(answer: http.ServerResponse, body: string): void {
  answer.setHeader('content-type', 'application/json');
  answer.end(body);
}

function sendEvents(answer: http.ServerResponse): void {
  answer.writeHead(200, { 'content-type': 'text/event-stream' });
  answer.write(': hello\n\n');
  let id = 0;
  const timer = setInterval(() => answer.write(`id: ${(id += 1)}\ndata: {}\n\n`), EVENT_EVERY_MS);
  answer.on('close', () => clearInterval(timer));
}
