import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Answers with Server-Sent Events as `events` brings them; neither caches nor proxies keep any back. */
export async function sendEventStream(reply: FastifyReply, events: Readable): Promise<void> {
  await reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .send(events);
}
