import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ArangoFault } from '../faults';
import { type Answer, type Exchange, failure } from './exchange';
import type { GroupCommit } from './group-commit';

type Routes = Pick<GroupCommit, 'answer'>;

/** Larger bodies are refused with 413; ArangoDB itself allows 1 GB, nobody here sends more than a few MB. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;

/** Serves the routes; resolves once the port is bound. Port 0 takes a free one. */
export async function listen(
  routes: Routes,
  host: string,
  port: number,
): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    void serve(routes, request, response);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return { server, url: `http://${host}:${bound}` };
}

async function serve(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let answer: Answer;
  try {
    const body = await read(request);
    answer = await routes.answer(exchangeOf(request, body));
  } catch (error) {
    if (!(error instanceof ArangoFault)) return void response.destroy(); // The client went away.
    answer = failure(error);
  }
  const content = Buffer.from(answer.json);
  response.writeHead(answer.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': content.length,
    server: 'ArangoDB',
    'x-arango-queue-time-seconds': '0.000000',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache, no-store, must-revalidate',
    ...(answer.status === 401 ? { 'www-authenticate': 'Bearer token_type="JWT", realm="ArangoDB"' } : {}),
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : content);
}

function exchangeOf(request: IncomingMessage, body: string): Exchange {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const parts = url.pathname.split('/').filter((part) => part !== '');
  let decoded: string[];
  try {
    decoded = parts.map(decodeURIComponent);
  } catch {
    throw new ArangoFault(400, 'malformed path');
  }
  const named = decoded[0] === '_db';
  return {
    method: request.method ?? 'GET',
    database: named ? (decoded[1] ?? '') : '_system',
    path: named ? decoded.slice(2) : decoded,
    query: url.searchParams,
    headers: request.headers,
    body,
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > MAX_BODY_BYTES) throw new ArangoFault(400, 'request body too large', 413);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
