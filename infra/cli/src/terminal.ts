import type { Readable } from 'node:stream';

/** A stream that may be a terminal. */
export interface Sink {
  write(piece: string | Uint8Array): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** Everything of the outside that a command sees; specs give their own. */
export interface Terminal {
  stdin: Readable & { isTTY?: boolean };
  stdout: Sink;
  stderr: Sink;
  env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
}

/** All of a stream as text; more than `limit` bytes are refused. */
export async function readAll(stream: AsyncIterable<Uint8Array | string>, limit: number): Promise<string> {
  return (await readAllBytes(stream, limit)).toString('utf8');
}

export async function readAllBytes(
  stream: AsyncIterable<Uint8Array | string>,
  limit: number,
): Promise<Buffer<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stream) {
    const buffer = Buffer.from(piece);
    bytes += buffer.length;
    if (bytes > limit) throw new RangeError(`more than ${limit} bytes`);
    pieces.push(buffer);
  }
  return Buffer.concat(pieces);
}
