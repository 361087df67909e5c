import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';

/** Names the folder of the generation that counts; absent while that is the data folder itself. */
const POINTER = 'current';
const PREFIX = 'generation-';
/** Entries of one transaction of a copy: what LMDB keeps in memory of it stays small. */
const ENTRIES_AT_ONCE = 50_000;

/** A table by its name in the file; those of indexes hold several values for a key. */
export interface TableName {
  readonly name: string;
  readonly several: boolean;
}

/**
 * The data folder as a row of generations, of which one counts. LMDB leaves deleted bytes in free pages and in the gaps of
 * used ones; only a file that is written anew has none. The pointer is renamed into place after the new file is flushed:
 * a process that dies at any moment finds the old generation or the new one, whole.
 */
export class Generations {
  constructor(private readonly dataDir: string) {
    mkdirSync(dataDir, { recursive: true });
  }

  /** Opens the one that counts and removes what a process that died has left of others. */
  open(): RootDatabase {
    const current = this.#current();
    this.#removeAllBut(current);
    return openFile(current === '' ? this.dataDir : join(this.dataDir, current));
  }

  /** A new generation with these tables as they are now; it counts when this returns. The caller closes the old one. */
  next(from: RootDatabase, tables: readonly TableName[]): RootDatabase {
    const number = Number(this.#current().slice(PREFIX.length)) + 1;
    const name = `${PREFIX}${number}`;
    rmSync(join(this.dataDir, name), { recursive: true, force: true });
    const to = openFile(join(this.dataDir, name));
    for (const table of tables) copy(from, to, table);
    this.#point(name);
    return to;
  }

  /** For after the old generation is closed. */
  removeOthers(): void {
    this.#removeAllBut(this.#current());
  }

  #current(): string {
    const pointer = join(this.dataDir, POINTER);
    return existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : '';
  }

  #point(name: string): void {
    const written = join(this.dataDir, `${POINTER}.new`);
    const file = openSync(written, 'w');
    writeSync(file, name);
    fsyncSync(file);
    closeSync(file);
    renameSync(written, join(this.dataDir, POINTER));
    const folder = openSync(this.dataDir, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  #removeAllBut(current: string): void {
    for (const entry of readdirSync(this.dataDir)) {
      const generation = entry.startsWith(PREFIX) ? entry : /^(data|lock)\.mdb/.test(entry) ? '' : undefined;
      if (generation !== undefined && generation !== current)
        rmSync(join(this.dataDir, entry), { recursive: true, force: true });
    }
  }
}

function openFile(path: string): RootDatabase {
  // Unused parts of pages are zeroed: they would else hold what this process had in memory, deleted documents too.
  return open({ path, noSubdir: false, maxDbs: 512, overlappingSync: false, cache: false, noMemInit: false });
}

function copy(from: RootDatabase, to: RootDatabase, { name, several }: TableName): void {
  const options = { name, keyEncoding: 'binary', encoding: 'binary', dupSort: several } as const;
  const source = from.openDB<Buffer, Buffer>(options);
  const target = to.openDB<Buffer, Buffer>(options);
  let entries: { key: Buffer; value: Buffer }[] = [];
  const put = (): void => {
    to.transactionSync(() => {
      for (const { key, value } of entries) void target.put(key, value);
    });
    entries = [];
  };
  for (const { key, value } of source.getRange()) {
    entries.push({ key: Buffer.from(key), value: Buffer.from(value) });
    if (entries.length >= ENTRIES_AT_ONCE) put();
  }
  put();
}
