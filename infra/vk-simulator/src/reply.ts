import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Answer } from './api';
import { BodyTooLarge } from './request-parameters';

/** Below this gzip makes an answer longer. */
const WORTH_GZIP = 1024;

export const JSON_TYPE = 'application/json; charset=utf-8';

/** One request and the way to answer it. `now`: the wall clock of the Date header. */
export class Reply {
  constructor(
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly now: () => number,
  ) {}

  json(json: string): void {
    this.send(200, JSON_TYPE, json);
  }

  answer({ delivery, body }: Answer): void {
    switch (delivery?.kind) {
      case undefined:
        return this.json(body);
      case 'status':
        return this.send(delivery.status, 'text/html', brokenPage(delivery.status));
      case 'truncated':
        return this.json(body.slice(0, Math.floor(body.length / 2)));
      case 'cut':
        return this.cut(body);
      case 'reset':
        return void this.reset();
      case 'hang':
    }
  }

  reset(): void {
    this.response.destroy();
  }

  send(status: number, type: string, body: string): void {
    const { request, response } = this;
    if (response.destroyed) return;
    let bytes = Buffer.from(body);
    const headers: Record<string, string | number> = {
      'content-type': type,
      // Node caches its own Date for up to a second; windows may be aligned to this one.
      date: new Date(this.now()).toUTCString(),
    };
    if (bytes.length >= WORTH_GZIP && /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
      bytes = gzipSync(bytes, { level: 1 });
      headers['content-encoding'] = 'gzip';
    }
    headers['content-length'] = bytes.length;
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  fail(error: unknown): void {
    const { response } = this;
    if (response.headersSent || response.destroyed) return this.reset();
    const tooLarge = error instanceof BodyTooLarge;
    response.writeHead(tooLarge ? 413 : 500, { 'content-type': 'text/html', connection: 'close' });
    const sentence = tooLarge ? 'Request Entity Too Large' : 'Internal Server Error';
    response.end(`<html><body>${sentence}</body></html>\n`);
  }

  /** Promises the whole body, sends half of it, and breaks the connection once that is out. */
  private cut(body: string): void {
    const bytes = Buffer.from(body);
    this.response.writeHead(200, { 'content-type': JSON_TYPE, 'content-length': bytes.length });
    this.response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => this.reset());
  }
}

/** What stands before the API answers when that does not. */
function brokenPage(status: number): string {
  const title = `${status} ${STATUS_CODES[status] ?? 'Server Error'}`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`;
}
