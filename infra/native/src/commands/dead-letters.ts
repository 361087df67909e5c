import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dumpTopics } from '../backup/kafka-dump';
import type { RecordLine } from '../backup/kafka-log';
import { readLines } from '../backup/lines-file';
import { kafkaConnection, topicsOf } from '../backup/take-backup';
import type { Servers } from '../servers/catalogue';
import { PlainFault } from '../servers/server';

export interface DeadLetterOptions {
  /** Of all dead-letter topics those whose names hold this; undefined: all. */
  readonly of: string | undefined;
  /** The newest ones of each topic. */
  readonly lines: number;
}

/** Prints why records were dead-lettered. Not the records: they hold what a network says of people. */
export async function deadLetters(
  servers: Servers,
  { of = '', lines }: DeadLetterOptions,
  say: (line: string) => void,
): Promise<void> {
  const all = topicsOf(servers.stack).filter(({ name }) => name.endsWith('.dlt'));
  const topics = all.filter(({ name }) => name.includes(of));
  if (topics.length === 0)
    throw new PlainFault(
      `No dead-letter topic has "${of}" in its name; there are:\n${all.map(({ name }) => name).join('\n')}`,
    );
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Also when who reads a pipe has read enough, and on Ctrl-C: the files hold what a network says of people.
  process.once('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  try {
    await dumpTopics(kafkaConnection(servers), topics, folder);
    let count = 0;
    for (const { name } of topics) count += await tell(name, join(folder, `${name}.jsonl.gz`), lines, say);
    if (count === 0) say('No record is dead-lettered.');
  } finally {
    remove();
    process.removeListener('exit', remove);
  }
}

async function tell(topic: string, file: string, most: number, say: (line: string) => void): Promise<number> {
  if (!existsSync(file)) return 0;
  let count = 0;
  const newest: RecordLine[] = [];
  for await (const record of readLines<RecordLine>(file)) {
    count += 1;
    newest.push(record);
    if (newest.length > most) newest.shift();
  }
  say(`${topic}: ${count} records`);
  for (const record of newest) say(`  ${reasonOf(record)}`);
  return count;
}

/** When, which record of which partition, the code and the reason, as its headers have them. */
export function reasonOf({ p, o, t, h = [] }: RecordLine): string {
  const header = (name: string): string | undefined => {
    const found = h.find(([key]) => key === `dlt-${name}`)?.[1];
    return found === undefined ? undefined : Buffer.from(found, 'base64').toString('utf8');
  };
  const at = header('at') ?? new Date(Number(t)).toISOString();
  const was = `${header('partition') ?? p}/${header('offset') ?? o}`;
  return `${at}  ${was}  ${header('code') ?? 'no code'}  ${header('reason') ?? 'no reason'}`;
}
