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
  /** When its reply is overdue. */
  dueAt: number;
}

const RETRY_MS = 500;

/**
 * One connection to Redis for commands that answer with a number or OK. The gateway needs no more, and a full client
 * costs a third of its memory (22 MB). Commands of one turn of the event loop leave in one write. A command fails at
 * once while Redis is away; the first ones wait for the connection, so that they are counted too. Reconnects by itself.
 */
export class RedisConnection {
  private socket: Socket | undefined;
  private isReady = false;
  private connecting: Promise<void> | undefined;
  private nextAttemptAt = 0;
  private waiting: Waiting[] = [];
  private unsent = '';
  private received = '';
  private overdue: NodeJS.Timeout | undefined;

  constructor(private readonly account: RedisAccount) {}

  command(...words: Array<string | number>): Promise<number> {
    return this.isReady ? this.send(words) : this.connected().then(() => this.send(words));
  }

  close(): void {
    this.nextAttemptAt = Number.POSITIVE_INFINITY;
    this.lose(new Error('closed'));
  }

  private connected(): Promise<void> {
    if (this.connecting !== undefined) return this.connecting;
    if (performance.now() < this.nextAttemptAt) return Promise.reject(new Error('Redis is away'));
    this.nextAttemptAt = performance.now() + RETRY_MS;
    this.connecting = this.connect();
    // Whoever waits for it gets the failure; this keeps it from being an unhandled one when nobody does.
    this.connecting.catch(() => undefined);
    return this.connecting;
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
      this.isReady = this.socket === socket;
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
    if (this.unsent === '') setImmediate(() => this.flush());
    this.unsent += `*${words.length}\r\n`;
    for (const word of words) this.unsent += `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`;
    const { timeoutMs } = this.account;
    this.overdue ??= setTimeout(() => this.checkDue(socket), timeoutMs);
    return new Promise<number>((resolve, reject) => {
      this.waiting.push({ resolve, reject, dueAt: performance.now() + timeoutMs });
    });
  }

  private flush(): void {
    const text = this.unsent;
    this.unsent = '';
    if (text !== '') this.socket?.write(text);
  }

  /** Replies come in order: one that is missing leaves the connection of no use. */
  private checkDue(socket: Socket): void {
    this.overdue = undefined;
    const [first] = this.waiting;
    if (first === undefined || socket !== this.socket) return;
    const leftMs = first.dueAt - performance.now();
    if (leftMs <= 0) socket.destroy();
    else this.overdue = setTimeout(() => this.checkDue(socket), Math.ceil(leftMs));
  }

  private receive(socket: Socket, text: string): void {
    if (socket !== this.socket) return;
    const lines = (this.received + text).split('\r\n');
    this.received = lines.pop() as string;
    for (const line of lines) {
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
    clearTimeout(this.overdue);
    this.overdue = undefined;
    this.socket = undefined;
    this.isReady = false;
    this.connecting = undefined;
    this.unsent = '';
    this.received = '';
    this.waiting = [];
    socket?.destroy();
    for (const { reject } of waiting) reject(error);
  }
}
