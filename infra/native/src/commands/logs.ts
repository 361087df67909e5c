import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lastLines } from '../launch';
import { PlainFault } from '../servers/server';
import type { Stack } from '../stack';

export interface LogOptions {
  readonly name: string | undefined;
  readonly lines: number;
  readonly follow: boolean;
}

/** Prints the end of one log or of all, each line with the name before it when there are several. */
export async function logs(stack: Stack, options: LogOptions, say: (line: string) => void): Promise<void> {
  const folder = join(stack.dir, 'logs');
  const known = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.log'))
        .sort()
    : [];
  const chosen =
    options.name === undefined ? known : known.filter((file) => matches(file, options.name as string));
  if (chosen.length === 0) {
    const names = known.map((file) => file.slice(0, -4)).join(', ');
    throw new PlainFault(
      `There is no log "${options.name ?? ''}" in stack ${stack.name}; there are: ${names || 'none'}`,
    );
  }
  const prefix = (file: string): string => (chosen.length === 1 ? '' : `${file.slice(0, -4)} | `);
  const read = new Map<string, number>();
  for (const file of chosen) {
    const path = join(folder, file);
    read.set(file, statSync(path).size);
    for (const line of lastLines(path, options.lines).split('\n')) say(`${prefix(file)}${line}`);
  }
  while (options.follow) {
    await pause(300);
    for (const file of chosen) {
      const [text, size] = newText(join(folder, file), read.get(file) ?? 0);
      read.set(file, size);
      for (const line of text.split('\n').filter(Boolean)) say(`${prefix(file)}${line}`);
    }
  }
}

/** `key-service` names all its instances, `key-service-0` one. */
function matches(file: string, name: string): boolean {
  const own = file.slice(0, -4);
  return own === name || (own.startsWith(`${name}-`) && /^\d+$/.test(own.slice(name.length + 1)));
}

/** What was appended since `from`, and the new size; a shorter file was rotated and is read from its beginning. */
function newText(path: string, from: number): [string, number] {
  if (!existsSync(path)) return ['', 0];
  const { size } = statSync(path);
  const start = size < from ? 0 : from;
  if (size === start) return ['', size];
  const buffer = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  try {
    readSync(file, buffer, 0, buffer.length, start);
  } finally {
    closeSync(file);
  }
  return [buffer.toString('utf8'), size];
}
