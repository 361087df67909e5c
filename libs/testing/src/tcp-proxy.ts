import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface TcpAddress {
  host?: string;
  port: number;
}

export interface TcpProxyOptions {
  /** Port 0 chooses a free one; see `port` after `start`. */
  listen?: TcpAddress;
  target: TcpAddress;
}

/**
 * Stands between a client and a server and breaks what passes through it. New connections follow the state too.
 * Delays hold each chunk for the same time, so the order of bytes stays.
 */
export class TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #pairs = new Set<[Socket, Socket]>();
  #server: Server | undefined;
  #delayMs = 0;
  #refusing = false;
  #stalled = false;
  #port = 0;

  constructor(options: TcpProxyOptions) {
    this.#options = options;
  }

  async start(): Promise<this> {
    const server = createServer((client) => this.#pair(client));
    const { host = '127.0.0.1', port } = this.#options.listen ?? { port: 0 };
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that pass through now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Breaks every connection now; new ones are accepted as before (a short cut of the network). */
  cut(): void {
    // Not by a reset: Node 20 leaves the handle of a socket behind whose other end breaks at that moment.
    for (const pair of this.#pairs) pair.forEach((socket) => socket.destroy());
    this.#pairs.clear();
  }

  /** Breaks every connection, and each new one as soon as it is made, until `restore` (a server that is down). */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Swallows all that is sent from now on, both ways, without closing anything (a cable pulled out). */
  stall(): void {
    this.#stalled = true;
  }

  /** Every chunk arrives this much later, one way each. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** As if nothing had been. Connections that lost bytes to `stall` are broken: they could never be whole again. */
  restore(): void {
    this.#delayMs = 0;
    this.#refusing = false;
    if (this.#stalled) {
      this.#stalled = false;
      this.cut();
    }
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #pair(client: Socket): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const { host = '127.0.0.1', port } = this.#options.target;
    const server = connect({ host, port });
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [server, client] as const]) {
      from.setNoDelay(true);
      from.on('data', (chunk) => this.#pass(to, chunk));
      from.on('error', () => to.destroy());
      from.on('end', () => this.#later(() => to.end()));
      from.on('close', () => {
        this.#pairs.delete(pair);
        this.#later(() => to.destroy());
      });
    }
  }

  #pass(to: Socket, chunk: Buffer): void {
    if (this.#stalled) return;
    this.#later(() => {
      if (!to.destroyed && !this.#stalled) to.write(chunk);
    });
  }

  #later(act: () => void): void {
    if (this.#delayMs === 0) act();
    else setTimeout(act, this.#delayMs);
  }
}
