import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from './failures';
import { readAll, readAllBytes, type Terminal } from './terminal';

/** The text of a file, of stdin when its name is `-`; more than `limit` bytes and what cannot be read are usage errors. */
export function readText(name: string, terminal: Terminal, limit: number): Promise<string> {
  return readFrom(name, terminal, (stream) => readAll(stream, limit));
}

/** The bytes of a file, of stdin when its name is `-`, under the same rules. */
export function readBytes(name: string, terminal: Terminal, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  return readFrom(name, terminal, (stream) => readAllBytes(stream, limit));
}

async function readFrom<T>(
  name: string,
  terminal: Terminal,
  read: (stream: Parameters<typeof readAll>[0]) => Promise<T>,
): Promise<T> {
  try {
    return await read(name === '-' ? terminal.stdin : createReadStream(name));
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`${name} holds ${error.message}`);
    throw new UsageError(`${name} cannot be read: ${(error as Error).message}`);
  }
}

/** The JSON object of a file; its text is never repeated in an error, for it may hold secrets. */
export async function readJsonObject(name: string, terminal: Terminal): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(await readText(name, terminal, 1_000_000));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${name} holds no JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${name} holds no JSON object`);
  return value as Record<string, unknown>;
}

/** A secret from a file, else from stdin; typed on a terminal it is not shown. */
export async function readSecret(
  file: string | undefined,
  terminal: Terminal,
  what: string,
): Promise<string> {
  const typed = file === undefined && terminal.stdin.isTTY === true;
  const text = typed ? await askHidden(terminal, what) : await readText(file ?? '-', terminal, 10_000);
  const secret = text.trim();
  if (secret === '') throw new UsageError(`no ${what} was given on ${file ?? 'stdin'}`);
  if (/\s/.test(secret)) throw new UsageError(`what ${file ?? 'stdin'} holds is more than one ${what}`);
  return secret;
}

function askHidden(terminal: Terminal, what: string): Promise<string> {
  terminal.stderr.write(`${what}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: terminal.stdin, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    const interrupt = (): void => {
      lines.close();
      reject(new DOMException('Interrupted', 'AbortError'));
    };
    // In raw mode Ctrl-C is a character for us, not a signal.
    lines.once('SIGINT', interrupt);
    terminal.signal.addEventListener('abort', interrupt, { once: true });
    lines.once('close', () => resolve(''));
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
      terminal.stderr.write('\n');
    });
  });
}
