import { constants, readdirSync, statSync } from 'node:fs';
import { access, lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoreDisk } from './exposition';

/** Counting walks through every file of every store. */
const COUNT_EVERY_MS = 60_000;
const BLOCK = 512;

/** The folders below `data`, one a store: what they take, and what is left where they lie. */
export class DiskSpace {
  readonly #data = new Map<string, number>();
  #countedAt = -Infinity;
  #counting: Promise<void> = Promise.resolve();

  constructor(
    private readonly folder: string,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  async look(): Promise<StoreDisk[]> {
    // PostgreSQL's data folder may be a link to another disk.
    const stores = readdirSync(this.folder)
      .filter((name) => statSync(join(this.folder, name), { throwIfNoEntry: false })?.isDirectory() === true)
      .sort();
    // As it was when this look began, whichever is done first.
    const data = new Map(this.#data);
    if (this.nowMs() - this.#countedAt >= COUNT_EVERY_MS) {
      this.#countedAt = this.nowMs();
      // A scrape does not wait for it.
      this.#counting = this.#count(stores);
    }
    const disks = await Promise.all(stores.map((store) => this.#space(store, data.get(store))));
    return disks.flatMap((disk) => disk ?? []);
  }

  /** When what `look` began to count is counted. */
  counted(): Promise<void> {
    return this.#counting;
  }

  async #space(store: string, data: number | undefined): Promise<StoreDisk | undefined> {
    try {
      const { bavail, blocks, bsize } = await statfs(join(this.folder, store));
      return { store, available: bavail * bsize, size: blocks * bsize, data };
    } catch {
      return undefined; // The stack is being purged.
    }
  }

  async #count(stores: readonly string[]): Promise<void> {
    for (const store of stores) {
      const folder = join(this.folder, store);
      // Another user's data, as in containers, is not looked into: nothing is said of it then.
      if (
        await access(folder, constants.R_OK | constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        this.#data.set(store, await bytesBelow(folder));
    }
  }
}

/** What the files take on the disk: sparse ones, as Kafka's indexes are, only what they hold. Files may go meanwhile. */
async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesBelow(path);
    else if (entry.isFile()) bytes += (await lstat(path).catch(() => ({ blocks: 0 }))).blocks * BLOCK;
  }
  return bytes;
}
