import type { AnswerHead } from './answer-parser';
import type { Exchange } from './exchange';
import { SERVER } from './kong-error';
import { HOP_BY_HOP, namedIn, VIA } from './upstream-headers';
import type { Sink } from './upstream-request';

/** Passes an answer on to the client as it comes; an upstream that breaks off ends the client's connection. */
export class Delivery implements Sink {
  /** Of the body. */
  bytes = 0;
  private readonly response: Exchange['response'];

  constructor(exchange: Exchange, head: AnswerHead, added: Record<string, string>) {
    this.response = exchange.response;
    this.response.writeHead(head.status, head.reason, headersOf(exchange, head, added));
    // The first event of a stream may be long in coming; its headers are not to wait for it.
    if (!head.isSized) this.response.flushHeaders();
  }

  data(chunk: Buffer, resume: () => void): boolean {
    this.bytes += chunk.length;
    if (this.response.write(chunk)) return true;
    this.response.once('drain', resume);
    return false;
  }

  end(): void {
    this.response.end();
  }

  broken(): void {
    this.response.destroy();
  }
}

function headersOf(exchange: Exchange, head: AnswerHead, added: Record<string, string>): string[] {
  const flat: string[] = [];
  const replaced = new Set<string>();
  for (const name in added) replaced.add(name.toLowerCase());
  const dropped = namedIn(head.fields.find(({ lowerName }) => lowerName === 'connection')?.value);
  let named = false;
  for (const { name, lowerName, value } of head.fields) {
    if (HOP_BY_HOP.has(lowerName) || dropped.has(lowerName) || replaced.has(lowerName)) continue;
    if (lowerName === 'server') named = true;
    flat.push(name, value);
  }
  for (const name in added) flat.push(name, added[name] as string);
  if (exchange.isLast) flat.push('Connection', 'close');
  if (!named) flat.push('Server', SERVER);
  flat.push('Via', VIA, 'X-Kong-Request-Id', exchange.requestId);
  return flat;
}
