import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { comparePersonIds } from '@sociograph/contracts';
import type { ExportFormat } from '../domain/export';
import { type BenchGraph, idOf } from './graph';

const run = promisify(execFile);
/** Beside the sources: the compiler copies nothing else. */
const READER = join(__dirname, '../../src/bench/read-export-digest.py');

/** What a graph consists of; two with the same figures are the same but for one chance in 2^64. */
export interface Gathered {
  people: number;
  friendships: number;
  /** Of all people and friendships in any order, 16 hexadecimal digits. */
  digest: string;
}

class Tally {
  people = 0;
  friendships = 0;
  #digest = 0n;

  person(id: string): void {
    this.people += 1;
    this.#add(id);
  }

  friendship(a: string, b: string): void {
    this.friendships += 1;
    this.#add(comparePersonIds(a, b) <= 0 ? `${a} ${b}` : `${b} ${a}`);
  }

  gathered(): Gathered {
    const { people, friendships } = this;
    return { people, friendships, digest: this.#digest.toString(16).padStart(16, '0') };
  }

  #add(text: string): void {
    this.#digest ^= createHash('sha1').update(text).digest().readBigUInt64BE(0);
  }
}

export function gatheredOf({ friends, ends }: BenchGraph): Gathered {
  const tally = new Tally();
  for (const person of friends.keys()) tally.person(idOf(person));
  for (let at = 0; at < ends.length; at += 2)
    tally.friendship(idOf(ends[at] as number), idOf(ends[at + 1] as number));
  return tally.gathered();
}

/** What a file holds, read by others' programs: expat, Python's csv, DuckDB. */
export async function gatheredFrom(file: string, format: ExportFormat): Promise<Gathered> {
  if (format === 'parquet') return fromParquet(file);
  const { stdout } = await run('python3', [READER, file]);
  return JSON.parse(stdout) as Gathered;
}

async function fromParquet(file: string): Promise<Gathered> {
  const folder = `${file}-unzipped`;
  await run('python3', [READER, file, '--unzip', folder]);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const tally = new Tally();
  const each = async (sql: string, take: (row: string[]) => void): Promise<void> => {
    const result = await connection.stream(sql);
    for (
      let chunk = await result.fetchChunk();
      chunk && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    )
      for (const row of chunk.getRows()) take(row as string[]);
  };
  try {
    await each(`SELECT id FROM '${join(folder, 'people.parquet')}'`, ([id = '']) => tally.person(id));
    await each(`SELECT source, target FROM '${join(folder, 'friendships.parquet')}'`, ([a = '', b = '']) =>
      tally.friendship(a, b),
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  return tally.gathered();
}
