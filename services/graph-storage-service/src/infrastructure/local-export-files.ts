import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exportStoreUnavailable } from '../domain/export-errors';
import { EXPORT_LINK_MS, ExportFiles, type ExportLink } from '../domain/export-ports';

/** `workspace/id.extension`, as `takenExport` makes them: nothing else reaches the disk. */
const PLACE = /^[A-Za-z0-9_-]+\/[A-Za-z0-9-]+(\.[a-z]+)+$/;
const SECRET_FILE = 'link-secret';

/**
 * Files in `files` below a folder that all instances of the service share, handed out by the service itself. Links are signed with
 * a secret that lies beside them (mode 0600) and is made by whoever needs it first.
 */
export class LocalExportFiles extends ExportFiles {
  #secret: Promise<Buffer> | undefined;

  constructor(private readonly folder: string) {
    super();
  }

  /** The name appears when every byte is on the disk. */
  async write(
    file: string,
    contents: AsyncIterable<Uint8Array>,
    { signal }: { mediaType: string; signal: AbortSignal },
  ): Promise<number> {
    const path = this.#path(file);
    const part = `${path}.part`;
    let bytes = 0;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(unusable);
      const handle = await open(part, 'w', 0o600).catch(unusable);
      try {
        for await (const chunk of contents) {
          signal.throwIfAborted();
          await handle.writeFile(chunk).catch(unusable);
          bytes += chunk.byteLength;
        }
        await handle.sync().catch(unusable);
      } finally {
        await handle.close();
      }
      await rename(part, path).catch(unusable);
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined);
      throw error;
    }
    return bytes;
  }

  async remove(file: string): Promise<void> {
    const path = this.#path(file);
    await rm(path, { force: true });
    await rm(`${path}.part`, { force: true });
  }

  async link(file: string, { exportId, now }: { exportId: string; now: number }): Promise<string> {
    const expiresAt = now + EXPORT_LINK_MS;
    const signature = (await this.#sign(file, expiresAt)).toString('base64url');
    return `/v1/exports/${exportId}/file?expires=${expiresAt}&signature=${signature}`;
  }

  async accepts(file: string, { expiresAt, signature }: ExportLink, now: number): Promise<boolean> {
    const given = Buffer.from(signature, 'base64url');
    const right = await this.#sign(file, expiresAt);
    return given.length === right.length && timingSafeEqual(given, right) && now < expiresAt;
  }

  async open(file: string): Promise<{ bytes: number; contents: AsyncIterable<Uint8Array> } | undefined> {
    try {
      const handle = await open(this.#path(file), 'r');
      const { size } = await handle.stat();
      return { bytes: size, contents: handle.createReadStream() };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw exportStoreUnavailable(error);
    }
  }

  async sweep(before: number): Promise<void> {
    for (const workspace of await foldersIn(this.#files)) {
      for (const name of await readdir(join(this.#files, workspace)).catch(() => [])) {
        const path = join(this.#files, workspace, name);
        const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
        if (mtimeMs < before && PLACE.test(`${workspace}/${name.replace(/\.part$/, '')}`))
          await rm(path, { force: true });
      }
    }
  }

  get #files(): string {
    return join(this.folder, 'files');
  }

  #path(file: string): string {
    if (!PLACE.test(file)) throw new Error('this is no place of an export');
    return join(this.#files, file);
  }

  async #sign(file: string, expiresAt: number): Promise<Buffer> {
    this.#secret ??= this.#loadSecret().catch((error: unknown) => {
      this.#secret = undefined;
      throw exportStoreUnavailable(error);
    });
    return createHmac('sha256', await this.#secret)
      .update(`${file}\n${expiresAt}`)
      .digest();
  }

  /** A name that is linked to a complete file: of several processes one wins, and nobody reads half a secret. */
  async #loadSecret(): Promise<Buffer> {
    const path = join(this.folder, SECRET_FILE);
    const known = await readFile(path).catch(() => undefined);
    if (known) return known;
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const own = `${path}.${randomBytes(8).toString('hex')}`;
    await writeFile(own, randomBytes(32), { mode: 0o600, flag: 'wx' });
    await link(own, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await rm(own, { force: true });
    return readFile(path);
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function unusable(error: unknown): never {
  throw exportStoreUnavailable(error);
}
