import http from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** What is sent: a request, or bytes as they are for what no client library would send. */
export interface Ask {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

/** null = must be absent; a text is compared whole; a pattern is searched. */
type Expected = string | RegExp | null;

export interface Expectation {
  status: number;
  body?: string | RegExp;
  headers?: Readonly<Record<string, Expected>>;
  /** False: the connection ended before the answer did. */
  complete?: boolean;
  /** How often the request reached the upstream; 0 where the gateway answers itself. */
  attempts?: number | RegExp;
  upstream?: { url?: string; headers?: Readonly<Record<string, Expected>> };
}

/** One behaviour of Kong that was seen on a real server. */
export interface ConformanceCase {
  /** Which record of it: section of the second run (`2.5`), or a heading of the first (`1 jwt`). */
  fact: string;
  name: string;
  /** Sent one after the other; the expectation holds for the last. */
  ask: () => Ask | { raw: string } | readonly Ask[];
  expect: Expectation;
  /** What gateway/embedded does instead, and why. At most five reasons in all. */
  deviation?: { reason: string; expect: Expectation };
}

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  complete: boolean;
}

/** Every difference between what came and what was expected, one sentence each. */
export async function differences(
  one: ConformanceCase,
  gateway: { host: string; port: number },
  upstream: RecordingUpstream,
  expected: Expectation = one.expect,
): Promise<string[]> {
  upstream.seen.length = 0;
  const asked = one.ask();
  let reply: Reply;
  if ('raw' in asked) reply = await sendRaw(gateway, asked.raw);
  else {
    const sequence = 'length' in asked ? asked : [asked];
    for (const ask of sequence.slice(0, -1)) await send(gateway, ask);
    upstream.seen.length = 0;
    reply = await send(gateway, sequence.at(-1) ?? {});
  }
  const found: string[] = [];
  const compare = (what: string, is: string | undefined, should: Expected | undefined): void => {
    if (should === undefined) return;
    const fits =
      should === null ? is === undefined : should instanceof RegExp ? should.test(is ?? '') : is === should;
    if (!fits)
      found.push(
        `${what} is ${JSON.stringify(is)}, not ${should instanceof RegExp ? String(should) : JSON.stringify(should)}`,
      );
  };
  compare('status', String(reply.status), String(expected.status));
  compare('body', reply.body, expected.body);
  compare('complete', String(reply.complete), String(expected.complete ?? true));
  for (const [name, should] of Object.entries(expected.headers ?? {}))
    compare(`header ${name}`, joined(reply.headers[name]), should);
  const { attempts } = expected;
  compare(
    'attempts',
    String(upstream.seen.length),
    typeof attempts === 'number' ? String(attempts) : attempts,
  );
  const last = upstream.seen.at(-1);
  compare('upstream path', last?.url, expected.upstream?.url);
  for (const [name, should] of Object.entries(expected.upstream?.headers ?? {}))
    compare(`upstream header ${name}`, joined(last?.headers[name]), should);
  return found;
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function send({ host, port }: { host: string; port: number }, ask: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', headers: given = {}, body } = ask;
    const sized = body !== undefined && !('transfer-encoding' in given);
    const headers = sized ? { ...given, 'content-length': String(Buffer.byteLength(body)) } : given;
    const request = http.request({ host, port, method, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('error', () => undefined);
      answer.on('close', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: text,
          complete: answer.complete,
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends bytes and reads until the peer has said its first answer. */
function sendRaw({ host, port }: { host: string; port: number }, bytes: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host, () => socket.write(bytes, 'latin1'));
    socket.once('data', (chunk) => {
      socket.destroy();
      const [head = '', body = ''] = chunk.toString('latin1').split('\r\n\r\n');
      const lines = head.split('\r\n');
      const headers = Object.fromEntries(
        lines
          .slice(1)
          .map((line) => [
            line.slice(0, line.indexOf(':')).toLowerCase(),
            line.slice(line.indexOf(':') + 1).trim(),
          ]),
      );
      resolve({ status: Number(lines[0]?.split(' ')[1]), headers, body, complete: true });
    });
    socket.once('error', reject);
  });
}

interface Seen {
  url: string;
  headers: IncomingHttpHeaders;
}

/** Answers `ok` and remembers what it was asked; the last part of the path may ask for something else. */
export class RecordingUpstream {
  readonly seen: Seen[] = [];
  private readonly server: Server = http.createServer((request, response) => {
    request.on('error', () => undefined);
    request.resume();
    request.on('end', () => {
      this.seen.push({ url: request.url ?? '', headers: request.headers });
      answer(request, response);
    });
  });

  async start(port = 0, host = '127.0.0.1'): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(port, host, resolve));
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  switch (request.url?.split('/').at(-1)) {
    case 'do-reset':
      request.socket.resetAndDestroy();
      return;
    case 'do-nothing':
      return;
    case 'do-fail':
      response.writeHead(422, 'Unprocessable', {
        'content-type': 'application/problem+json',
        'set-cookie': ['a=1', 'b=2'],
        server: 'own',
      });
      response.end('{"é":1}');
      return;
    case 'do-break':
      response.write('hello');
      setTimeout(() => response.destroy(), 30);
      return;
    case 'do-pause':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      return;
    default:
      response.setHeader('X-From', 'upstream');
      response.end('ok');
  }
}
