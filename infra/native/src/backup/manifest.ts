import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FleetOptions } from '../fleet';
import { PlainFault } from '../servers/server';

/** Raised when a reader of the number before would misread what is written. */
export const FORMAT = 1;

const FILE = 'manifest.json';

export interface PartitionBounds {
  readonly partition: number;
  /** The first offset that was kept. */
  readonly low: number;
  /** The offset of the record that came next. */
  readonly high: number;
}

/** Group -> topic -> partition -> committed offset. */
export type GroupOffsets = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>
>;

export interface BackupFacts {
  readonly stack: string;
  /** Version of the repository (package.json). */
  readonly version: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** What happened before this moment is in the backup; what came later may be. */
  readonly holdsUntil: string;
  /** Migrations that were done, by database. */
  readonly migrations: Readonly<Record<string, readonly string[]>>;
  readonly topics: Readonly<Record<string, readonly PartitionBounds[]>>;
  readonly groups: GroupOffsets;
  /** Documents by collection, in the order in which they were read. */
  readonly graph: Readonly<Record<string, number>>;
  readonly realm: boolean;
  /** Fingerprints of the keys that are needed with it and not in it. */
  readonly keys: Readonly<Record<string, string>>;
  readonly fleet?: Partial<FleetOptions> | undefined;
}

export interface Manifest extends BackupFacts {
  readonly format: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
  /** Of everything above. */
  readonly seal: string;
}

/** Lists and sums up what lies in the folder; a folder without manifest is no backup. */
export async function writeManifest(folder: string, facts: BackupFacts): Promise<Manifest> {
  const files: Manifest['files'][number][] = [];
  for (const path of filesIn(folder).map((file) => relative(folder, file)))
    files.push({ path, bytes: statSync(join(folder, path)).size, sha256: await sumOf(join(folder, path)) });
  const content = { format: FORMAT, ...facts, files };
  const manifest = { ...content, seal: sealOf(content) };
  writeFileSync(join(folder, FILE), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return manifest;
}

/** The manifest of a backup whose files are all there as they were written; else throws a sentence that says what is not. */
export async function openBackup(folder: string): Promise<Manifest> {
  const manifest = readManifest(folder);
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = join(folder, path);
    if (!existsSync(file)) throw new PlainFault(`The backup in ${folder} is not whole: ${path} is missing.`);
    if (statSync(file).size !== bytes || (await sumOf(file)) !== sha256)
      throw new PlainFault(`The backup in ${folder} is damaged: ${path} is not what was written.`);
  }
  return manifest;
}

/** Migrations that the backup's databases have had and this checkout does not know: it is older than the backup. */
export function unknownMigrations({ migrations }: Pick<Manifest, 'migrations'>, root: string): string[] {
  return Object.entries(migrations).flatMap(([database, names]) => {
    const service = join(root, 'services', database.replaceAll('_', '-'));
    const known = new Set(
      ['prisma', 'database'].flatMap((folder) => {
        const path = join(service, folder, 'migrations');
        return existsSync(path) ? readdirSync(path) : [];
      }),
    );
    return names.filter((name) => !known.has(name)).map((name) => `${database} ${name}`);
  });
}

function readManifest(folder: string): Manifest {
  const file = join(folder, FILE);
  if (!existsSync(file)) throw new PlainFault(`${folder} holds no backup: there is no ${FILE} in it.`);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch {
    throw new PlainFault(`The backup in ${folder} is damaged: its ${FILE} is no JSON.`);
  }
  if (manifest.format !== FORMAT)
    throw new PlainFault(
      `The backup in ${folder} has format ${String(manifest.format)}, this version reads format ${FORMAT}: ` +
        'restore it with the version that made it.',
    );
  const { seal, ...content } = manifest;
  if (sealOf(content) !== seal)
    throw new PlainFault(`The backup in ${folder} is damaged: its ${FILE} is not what was written.`);
  return manifest;
}

function sealOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}

async function sumOf(file: string): Promise<string> {
  const sum = createHash('sha256');
  await pipeline(createReadStream(file), sum);
  return sum.digest('hex');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesIn(path) : [path];
    })
    .sort();
}
