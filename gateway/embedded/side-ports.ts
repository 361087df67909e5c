import http from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readConfiguration } from './configuration';
import { ConfigurationFault } from './field-rules';
import type { Gateway } from './gateway';

const LARGEST_CONFIGURATION = 8 * 1024 * 1024;

/** What of Kong's admin API the reconciler needs. For loopback only: whoever reaches it owns the gateway. */
export function createAdminServer(gateway: Gateway): Server {
  return http.createServer((request, response) => {
    void answerAdmin(gateway, request, response).catch(() => response.destroy());
  });
}

/** Readiness and metrics. */
export function createStatusServer(gateway: Gateway): Server {
  return http.createServer((request, response) => {
    request.resume();
    if (request.url === '/status/ready') {
      if (gateway.ready) send(response, 200, { message: 'ready' });
      else send(response, 503, { message: 'draining' });
    } else if (request.url === '/status') {
      send(response, 200, { configuration_hash: gateway.configuration.hash });
    } else if (request.url === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(gateway.metrics.text());
    } else {
      send(response, 404, { message: 'Not found' });
    }
  });
}

/** Resolves to the port. */
export async function listenOn(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function answerAdmin(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0];
  if (request.method === 'POST' && path === '/config') {
    const body = await readWhole(request);
    if (body === undefined) send(response, 413, { message: 'Payload too large' });
    else replace(gateway, documentIn(request.headers['content-type'] ?? '', body), response);
    return;
  }
  request.resume();
  if (request.method !== 'GET') return send(response, 405, { message: 'Method not allowed' });
  if (path === '/status') return send(response, 200, { configuration_hash: gateway.configuration.hash });
  if (path === '/jwts') {
    const entries = [...gateway.configuration.credentials.values()];
    const described = entries.map(({ key, algorithm, consumer }) => ({
      key,
      algorithm,
      consumer: { id: consumer.id },
    }));
    return send(response, 200, { data: described, next: null });
  }
  return send(response, 404, { message: 'Not found' });
}

function replace(gateway: Gateway, source: string, response: ServerResponse): void {
  try {
    gateway.install(readConfiguration(source));
    send(response, 201, { configuration_hash: gateway.configuration.hash });
  } catch (error) {
    if (!(error instanceof ConfigurationFault)) throw error;
    send(response, 400, {
      fields: {},
      message: `declarative config is invalid: ${error.message}`,
      name: 'invalid declarative configuration',
      code: 14,
    });
  }
}

/** The document itself as JSON or YAML, or the field `config` of a JSON object or a form that holds it. */
function documentIn(type: string, body: string): string {
  if (type.startsWith('application/x-www-form-urlencoded'))
    return new URLSearchParams(body).get('config') ?? '';
  if (type.startsWith('application/json')) {
    try {
      const { config } = JSON.parse(body) as { config?: unknown };
      if (typeof config === 'string') return config;
    } catch {
      // Not JSON: the reader of the document says so.
    }
  }
  return body;
}

async function readWhole(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > LARGEST_CONFIGURATION) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
