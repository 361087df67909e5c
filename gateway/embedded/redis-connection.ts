import net from 'node:net';
import type { Socket } from 'node:net';

export interface RedisAccount {
  host: string;
  port: number;
  username: string | undefined;
  password: string | undefined;
  database: number;
  /** Milliseconds for connecting with log-in, and for each command. */
  timeoutMs: number;
}

interface Waiting {
  resolve: (value: number) => void;
  reject: (error: Error) => void;
}

const RETRY_MS = 500;

/**
 * One connection to Redis for commands that answer with a number or OK. The gateway needs no more, and a full client
 * costs a third of its memory (22 MB). A command fails at once while Redis is away; the first ones wait for the
 * connection, so that they are counted too. Reconnects by itself.
 */
export class RedisConnection {
  private socket: Socket | undefined;
  private ready: Promise<void> | undefined;
  private nextAttemptAt = 0;
  private waiting: Waiting[] = [];
  private received = '';

  constructor(private readonly account: RedisAccount) {}

  async command(...words: Array<string | number>): Promise<number> {
    await this.connected();
    return this.send(words);
  }

  close(): void {
    this.nextAttemptAt = Number.POSITIVE_INFINITY;
    this.lose(new Error('closed'));
  }

  private connected(): Promise<void> {
    if (this.ready !== undefined) return this.ready;
    if (performance.now() < this.nextAttemptAt) return Promise.reject(new Error('Redis is away'));
    this.nextAttemptAt = performance.now() + RETRY_MS;
    this.ready = this.connect();
    // Whoever waits for it gets the failure; this keeps it from being an unhandled one when nobody does.
    this.ready.catch(() => undefined);
    return this.ready;
  }

  private async connect(): Promise<void> {
    const { host, port, username, password, database, timeoutMs } = this.account;
    const socket = net.connect({ host, port, noDelay: true, keepAlive: true });
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.receive(socket, chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.socket === socket) this.lose(new Error('Redis closed the connection'));
    });
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('close', () => reject(new Error('Redis is away')));
      });
      if (password !== undefined)
        await this.send(username === undefined ? ['AUTH', password] : ['AUTH', username, password]);
      if (database !== 0) await this.send(['SELECT', database]);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private send(words: Array<string | number>): Promise<number> {
    const { socket } = this;
    if (socket === undefined) return Promise.reject(new Error('Redis is away'));
    return new Promise<number>((resolve, reject) => {
      // Replies come in order: one that is missing leaves the connection of no use.
      const timer = setTimeout(() => socket.destroy(), this.account.timeoutMs);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      this.waiting.push({ resolve: settled(resolve), reject: settled(reject) });
      const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
      socket.write(`*${words.length}\r\n${parts.join('')}`);
    });
  }

  private receive(socket: Socket, text: string): void {
    if (socket !== this.socket) return;
    this.received += text;
    for (let end = this.received.indexOf('\r\n'); end !== -1; end = this.received.indexOf('\r\n')) {
      const line = this.received.slice(0, end);
      this.received = this.received.slice(end + 2);
      const first = this.waiting.shift();
      if (line.startsWith(':')) first?.resolve(Number(line.slice(1)));
      else if (line.startsWith('+')) first?.resolve(0);
      else if (line.startsWith('-')) first?.reject(new Error(line.slice(1)));
      else {
        first?.reject(new Error('an unexpected kind of reply'));
        socket.destroy();
      }
    }
  }

  private lose(error: Error): void {
    const { waiting, socket } = this;
    this.socket = undefined;
    this.ready = undefined;
    this.received = '';
    this.waiting = [];
    socket?.destroy();
    for (const { reject } of waiting) reject(error);
  }
}
