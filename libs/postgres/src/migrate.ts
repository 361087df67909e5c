import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { enginePanic, openSchemaEngine, type MigrationsList } from './schema-engine';

export interface MigrateOptions {
  /** Connection of the OWNER of the database: tables belong to it, the other roles are granted rights. */
  url: string;
  /** `schema.prisma`. */
  schemaFile: string;
  /** Folder of `<timestamp>_<name>/migration.sql` and `migration_lock.toml`. */
  migrationsDir: string;
  logger: { info(fields: Record<string, unknown>, sentence: string): void };
}

/** Any number that no other program of this database locks; the engine itself uses 72707369. */
const ADVISORY_LOCK = 50_610_219;

/**
 * Applies what is missing, in order of the folders' names, and records it in `_prisma_migrations`, as
 * `prisma migrate deploy` would. Idempotent; several processes may call it at once, they take turns.
 * Throws Error naming the migration when its SQL fails: the table then says so too, and the next run refuses
 * to go on until it is resolved.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const migrationsList = await readMigrations(resolve(options.migrationsDir));
  const schema: [string, string] = [options.schemaFile, await readFile(options.schemaFile, 'utf8')];
  const lock = new Client({ connectionString: options.url });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    const applied = await apply(options.url, schema, migrationsList);
    options.logger.info({ applied }, 'the database schema is up to date');
    return { applied };
  } finally {
    await lock.end();
  }
}

async function apply(
  url: string,
  schema: [string, string],
  migrationsList: MigrationsList,
): Promise<string[]> {
  const engine = await openSchemaEngine(url, schema);
  try {
    const filters = { externalTables: [], externalEnums: [] };
    return (await engine.applyMigrations({ migrationsList, filters })).appliedMigrationNames;
  } catch (error) {
    throw new Error(`a migration failed: ${enginePanic() ?? sentenceOf(error)}`, { cause: error });
  }
}

async function readMigrations(baseDir: string): Promise<MigrationsList> {
  const entries = await readdir(baseDir, { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const lockfile = await readFile(join(baseDir, 'migration_lock.toml'), 'utf8').catch(() => null);
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: lockfile },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      folders.map(async (path) => ({
        path,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(join(baseDir, path, 'migration.sql'), 'utf8'),
          },
        },
      })),
    ),
  };
}

function sentenceOf(error: unknown): string {
  if (error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)) {
    return String((error as { message: unknown }).message);
  }
  return String(error);
}
