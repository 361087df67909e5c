import type { Exchange } from './exchange';
import { SERVER } from './kong-error';
import type { Address } from './targets';

export const VIA = `1.1 ${SERVER}`;

/** Headers of one connection, not of the message. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set(
  'connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade'.split(' '),
);

/** Written by the gateway; what the client sent under these names is not passed on. */
const OWN = new Set([
  'host',
  'content-length',
  'expect',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-path',
  'x-forwarded-prefix',
  'x-real-ip',
  'x-kong-request-id',
  'via',
]);

const NONE: ReadonlySet<string> = new Set();

/** The headers that a Connection header names: they end here. */
export function namedIn(connection: string | undefined): ReadonlySet<string> {
  // What nearly every connection says; it names no header.
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE;
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
}

/** What an upstream is sent: names and values in turn. */
export function headersFor(exchange: Exchange, address: Address): string[] {
  const { request } = exchange;
  const dropped = namedIn(exchange.received('connection'));
  const flat: string[] = ['Host', address.target, 'Connection', 'keep-alive'];
  exchange.eachUpstreamHeader((name, entry) => {
    if (HOP_BY_HOP.has(name) || dropped.has(name) || OWN.has(name)) return;
    for (const value of entry.values) flat.push(entry.name, value);
  });
  const length = exchange.received('content-length');
  const { bodyLength } = exchange;
  if (bodyLength !== undefined) flat.push('Content-Length', String(bodyLength));
  else if (length !== undefined) flat.push('Content-Length', length);
  const client = request.socket.remoteAddress ?? '';
  const forwarded = exchange.received('x-forwarded-for');
  const [host = '', port] = (exchange.received('host') ?? '').split(':');
  flat.push('X-Forwarded-For', forwarded === undefined ? client : `${forwarded}, ${client}`);
  flat.push('X-Forwarded-Proto', 'http', 'X-Forwarded-Host', host);
  flat.push('X-Forwarded-Port', port ?? String(request.socket.localPort ?? 80));
  flat.push('X-Forwarded-Path', exchange.rawPath, 'X-Real-IP', client);
  flat.push('X-Kong-Request-Id', exchange.requestId, 'Via', VIA);
  return flat;
}
