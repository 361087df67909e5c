import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import http from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import { readConfiguration } from '../embedded/configuration';
import { Counters } from '../embedded/counters';
import { Gateway } from '../embedded/gateway';
import { preFunctionText } from '../render/pre-function-text';

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  /** False when the connection ended before the answer did. */
  complete: boolean;
}

export interface Ask {
  method?: string;
  path?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string | Buffer;
}

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
export const publicJwk = pair.publicKey.export({ format: 'jwk' });

export function token(
  claims: object,
  options: { header?: object; forged?: boolean; algorithm?: string } = {},
): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = { alg: options.algorithm ?? 'RS256', typ: 'JWT', kid: 'k1', ...options.header };
  const signed = `${part(header)}.${part(claims)}`;
  const key = options.forged === true ? other.privateKey : pair.privateKey;
  const signature =
    options.algorithm === 'HS256'
      ? createHmac('sha256', publicPem).update(signed).digest('base64url')
      : sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url');
  return `${signed}.${signature}`;
}

export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
export const goodClaims = (sub = 'alice') => ({ sub, exp: inSeconds(300), nbf: inSeconds(-5) });
export const bearer = (claims: object = goodClaims(), options?: Parameters<typeof token>[1]) => ({
  authorization: `Bearer ${token(claims, options)}`,
});

/** What an echoing upstream saw of a request. */
export interface Seen {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** An upstream that answers with what it got, unless told otherwise. */
export class Upstream {
  readonly seen: Seen[] = [];
  port = 0;
  behave: ((request: IncomingMessage, response: ServerResponse, body: string) => void) | undefined;
  /** Told the length of each piece of a body as it comes. */
  onBody: ((bytes: number) => void) | undefined;
  private readonly server: Server;

  constructor() {
    this.server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        this.onBody?.(chunk.length);
      });
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        this.seen.push({
          method: request.method ?? '',
          url: request.url ?? '',
          headers: request.headers,
          body,
        });
        if (this.behave !== undefined) return this.behave(request, response, body);
        response.setHeader('X-From', 'upstream');
        response.end('ok');
        return undefined;
      });
    });
  }

  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export const jwtConfig = {
  key_claim_name: 'kid',
  claims_to_verify: ['exp', 'nbf'],
  maximum_expiration: 3600,
  uri_param_names: [],
  cookie_names: [],
  run_on_preflight: true,
};

export function aRoute(name: string, paths: string[], rest: object = {}) {
  return {
    name,
    paths,
    methods: ['GET', 'POST', 'OPTIONS'],
    strip_path: false,
    plugins: [] as object[],
    ...rest,
  };
}

export function aDocument(routes: object[], rest: Record<string, unknown> = {}, service: object = {}) {
  return {
    _format_version: '3.0',
    consumers: [
      {
        username: 'keycloak',
        custom_id: 'realm:test',
        jwt_secrets: [{ key: 'k1', algorithm: 'RS256', rsa_public_key: publicPem }],
      },
    ],
    services: [
      {
        name: 'svc',
        host: 'svc.upstream',
        retries: 5,
        connect_timeout: 300,
        read_timeout: 400,
        routes,
        ...service,
      },
    ],
    upstreams: [{ name: 'svc.upstream', targets: [{ target: 'svc:3000' }] }],
    plugins: [
      { name: 'pre-function', config: { access: [preFunctionText] } },
      {
        name: 'correlation-id',
        config: { header_name: 'X-Correlation-Id', generator: 'uuid', echo_downstream: true },
      },
      { name: 'cors', config: { origins: ['https://a.example', 'https://b.example'], max_age: 600 } },
    ],
    ...rest,
  };
}

/** A gateway on a free port in front of upstreams. */
export class GatewayBench {
  readonly gateway: Gateway;
  readonly counters: Counters;
  port = 0;

  constructor(document: object, ports: number[], redis?: string, now?: () => number) {
    const addresses = new Map([['svc:3000', ports.map((port) => `127.0.0.1:${port}`)]]);
    const url = redis === undefined ? undefined : new URL(redis);
    if (url !== undefined) addresses.set('redis-cache:6379', [url.host]);
    this.counters = new Counters(
      addresses,
      (name) => (name.endsWith('PASSWORD') ? url?.password : url?.username) || undefined,
    );
    this.gateway = new Gateway(readConfiguration(stringify(document)), addresses, this.counters, now);
  }

  async start(): Promise<this> {
    this.port = await this.gateway.listen(0, '127.0.0.1');
    return this;
  }

  async stop(): Promise<void> {
    await this.gateway.drain(50);
    this.counters.close();
  }

  ask(ask: Ask): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { method = 'GET', path = '/', headers: given = {}, body } = ask;
      const sized = body !== undefined && !('transfer-encoding' in given);
      const headers = sized ? { ...given, 'content-length': Buffer.byteLength(body) } : given;
      const request = http.request(
        { port: this.port, host: '127.0.0.1', method, path, headers, agent: false },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('error', () => undefined);
          response.on('close', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: text,
              complete: response.complete,
            }),
          );
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  /** Sends bytes as they are, for what a client library would not send; resolves to the status. */
  raw(bytes: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
      socket.once('data', (chunk) => {
        socket.destroy();
        resolve(Number(chunk.toString('latin1').split(' ')[1]));
      });
      socket.once('error', reject);
    });
  }
}
