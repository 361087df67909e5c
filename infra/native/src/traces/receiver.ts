import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readExport } from './otlp';
import type { SpanRing } from './span-ring';

/** An exporter sends at most some hundred spans at a time. */
const MOST_BYTES = 4 * 1024 * 1024;

export interface Receiver {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Takes spans by OTLP over HTTP (`POST /v1/traces`, JSON) on the loopback address only and puts them into the ring. It is a
 * tool of a stack on one machine, no product: no protobuf, no compression, no authentication.
 */
export function startReceiver(ring: Pick<SpanRing, 'add'>, port: number): Promise<Receiver> {
  const server = createServer((request, response) => {
    answer(ring, request).then(
      ([status, body]) => send(response, status, body),
      // Who sent it is gone in the middle of it.
      () => response.destroy(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () =>
      resolve({ port: (server.address() as AddressInfo).port, close: () => closed(server) }),
    );
  });
}

type Answer = [status: number, body: object];

async function answer(ring: Pick<SpanRing, 'add'>, request: IncomingMessage): Promise<Answer> {
  if (request.url === '/health' && request.method === 'GET') return [200, { status: 'up' }];
  if (request.url !== '/v1/traces')
    return [404, { message: 'Spans are sent to /v1/traces; nothing else is here.' }];
  if (request.method !== 'POST') return [405, { message: 'Spans are sent by POST.' }];
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers;
  if (!/^application\/json\b/i.test(type) || encoding !== 'identity')
    return [415, { message: 'Send OTLP as uncompressed JSON (OTEL_EXPORTER_OTLP_PROTOCOL=http/json).' }];
  const text = await textOf(request);
  if (text === undefined) return [413, { message: `A request has at most ${MOST_BYTES} bytes.` }];
  const read = readExport(jsonOf(text));
  if (read === undefined) return [400, { message: 'This is no ExportTraceServiceRequest.' }];
  try {
    ring.add(read.spans);
  } catch (error) {
    // Exporters repeat what is answered so.
    return [
      503,
      { message: `The spans cannot be stored: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}.` },
    ];
  }
  if (read.rejected === 0) return [200, {}];
  const errorMessage = 'Spans without valid ids, name or times were left out.';
  return [200, { partialSuccess: { rejectedSpans: String(read.rejected), errorMessage } }];
}

/** Undefined when it is too long; the rest is read and dropped, so that the sender hears the answer. */
async function textOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk);
  }
  return bytes > MOST_BYTES ? undefined : Buffer.concat(chunks).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
