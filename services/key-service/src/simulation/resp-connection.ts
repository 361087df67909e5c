import { connect, type Socket } from 'node:net';

export type RespReply = string | number | null | RespReply[];

interface Waiting {
  resolve: (reply: RespReply) => void;
  reject: (error: Error) => void;
  answered: (() => void) | undefined;
}

/** An error that Redis answered; named as drivers name it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/**
 * One connection to a Redis by its Unix socket, with nothing between a command and the wire: a simulated seed makes a
 * thousand round trips. What is asked in one turn of the event loop leaves in one write, for whichever database it is.
 * Texts are Latin-1 both ways, so that dumps of values pass unchanged.
 */
export class RespConnection {
  /** Libraries of functions that were loaded over it. */
  readonly libraries = new Set<string>();
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  #rest = '';
  #unsent = '';
  #selected = 0;

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

  /** `answered` is called right after the reply was given to whoever asked. */
  call(database: number, words: readonly (string | number)[], answered?: () => void): Promise<RespReply> {
    if (this.#unsent === '') setImmediate(() => this.#send());
    if (database !== this.#selected) {
      this.#selected = database;
      this.#unsent += frameOf(['SELECT', database]);
      this.#waiting.push(NOBODY);
    }
    this.#unsent += frameOf(words);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject, answered }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #send(): void {
    const frames = this.#unsent;
    this.#unsent = '';
    this.#socket.write(frames, 'latin1');
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
      waiting?.answered?.();
    }
    this.#rest = this.#rest.slice(at);
  }

  #fail(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) {
      waiting.reject(error);
      waiting.answered?.();
    }
  }
}

/** Waits for the answer to a change of the database. */
const NOBODY: Waiting = { resolve: () => undefined, reject: () => undefined, answered: undefined };

function frameOf(words: readonly (string | number)[]): string {
  let frame = `*${words.length}\r\n`;
  for (const word of words) {
    const text = String(word);
    frame += `$${text.length}\r\n${text}\r\n`;
  }
  return frame;
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
