import { connect, type Socket } from 'node:net';

export type RespReply = string | number | null | RespReply[];

interface Waiting {
  resolve: (reply: RespReply) => void;
  reject: (error: Error) => void;
}

/** An error that Redis answered; named as drivers name it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/**
 * One connection to a Redis by its Unix socket, with nothing between a command and the wire: a simulated seed makes a
 * thousand round trips. Texts are Latin-1 both ways, so that dumps of values pass unchanged.
 */
export class RespConnection {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #rest = '';
  #idle: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('close', () => this.#fail(new Error('Redis closed the connection')));
    socket.on('error', () => undefined);
  }

  static open(path: string): Promise<RespConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => resolve(new RespConnection(socket)));
      socket.once('error', reject);
    });
  }

  /** True while a reply is awaited. */
  get busy(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when no reply is awaited any more. */
  async idle(): Promise<void> {
    if (this.busy) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  call(...words: (string | number)[]): Promise<RespReply> {
    let frame = `*${words.length}\r\n`;
    for (const word of words) {
      const text = String(word);
      frame += `$${text.length}\r\n${text}\r\n`;
    }
    this.#socket.write(frame, 'latin1');
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#rest += chunk;
    let at = 0;
    for (;;) {
      const parsed = parse(this.#rest, at);
      if (parsed === undefined) break;
      at = parsed.end;
      const waiting = this.#waiting.shift();
      if (parsed.value instanceof Error) waiting?.reject(parsed.value);
      else waiting?.resolve(parsed.value);
    }
    this.#rest = this.#rest.slice(at);
    if (!this.busy) this.#idle?.();
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
    this.#idle?.();
  }
}

/** One value of RESP 2 beginning at `at`; undefined while it is not all there. */
function parse(text: string, at: number): { value: RespReply | ReplyError; end: number } | undefined {
  const lineEnd = text.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const line = text.slice(at + 1, lineEnd);
  let end = lineEnd + 2;
  switch (text[at]) {
    case '+':
      return { value: line, end };
    case '-':
      return { value: new ReplyError(line), end };
    case ':':
      return { value: Number(line), end };
    case '$': {
      const length = Number(line);
      if (length < 0) return { value: null, end };
      if (text.length < end + length + 2) return undefined;
      return { value: text.slice(end, end + length), end: end + length + 2 };
    }
    case '*': {
      const values: RespReply[] = [];
      for (let index = 0; index < Number(line); index += 1) {
        const item = parse(text, end);
        if (item === undefined) return undefined;
        if (item.value instanceof Error) return item as { value: ReplyError; end: number };
        values.push(item.value);
        end = item.end;
      }
      return { value: values, end };
    }
    default:
      return { value: new ReplyError(`unreadable reply ${text.slice(at, at + 20)}`), end: text.length };
  }
}
