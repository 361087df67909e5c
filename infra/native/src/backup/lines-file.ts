import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { pipeline as piped } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/** A gzipped file of one JSON value a line, which only its owner may read. */
export class LinesFile {
  readonly #gzip = createGzip({ level: 1 });
  readonly #written: Promise<void>;

  constructor(path: string) {
    this.#written = piped(this.#gzip, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
    // Thrown by the next write or by close.
    this.#written.catch(() => undefined);
  }

  async write(value: unknown): Promise<void> {
    if (this.#gzip.write(`${JSON.stringify(value)}\n`)) return;
    // A file that cannot be written (a full disk) never drains.
    await Promise.race([once(this.#gzip, 'drain'), this.#written]);
  }

  async close(): Promise<void> {
    this.#gzip.end();
    await this.#written;
  }
}

/** The values of such a file, in its order; throws where the file is cut off or is none. */
export async function* readLines<T>(path: string): AsyncGenerator<T> {
  const text = pipeline(createReadStream(path), createGunzip(), () => undefined) as unknown as Readable;
  text.setEncoding('utf8');
  let parts: string[] = [];
  for await (const chunk of text as AsyncIterable<string>) {
    let from = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', from)) {
      parts.push(chunk.slice(from, end));
      yield JSON.parse(parts.join('')) as T;
      parts = [];
      from = end + 1;
    }
    parts.push(chunk.slice(from));
  }
}
