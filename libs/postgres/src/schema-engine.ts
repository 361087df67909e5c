import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The members of Prisma's schema engine that are used here; its own types describe the rest. */
export interface SchemaEngine {
  applyMigrations(input: {
    migrationsList: MigrationsList;
    filters: { externalTables: string[]; externalEnums: string[] };
  }): Promise<{ appliedMigrationNames: string[] }>;
  free(): void;
}

export interface MigrationsList {
  baseDir: string;
  lockfile: { path: string; content: string | null };
  shadowDbInitScript: string;
  migrationDirectories: {
    path: string;
    migrationFile: { path: string; content: { tag: 'ok'; value: string } };
  }[];
}

/** The glue module's exports. `new` is a static method of the engine's class, not its constructor. */
interface EngineBindings {
  __wbg_set_wasm(exports: unknown): void;
  SchemaEngine: {
    new: (
      options: { datamodels: [string, string][] },
      log: (message: unknown) => void,
      factory: object,
    ) => Promise<SchemaEngine>;
  };
}

/** Node has it, but the types of this project (no DOM) do not name it. */
const wasm = (globalThis as unknown as { WebAssembly: WasmLoader }).WebAssembly;

interface WasmLoader {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, unknown>,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
}

const GLUE = '@prisma/schema-engine-wasm/schema_engine_bg';

/**
 * Prisma's schema engine compiled to WASM. Its package cannot be imported as it is (Node 20 refuses an ESM
 * import of .wasm), so the glue module is loaded and the .wasm beside it instantiated by hand. The engine's
 * file `schema_engine.js` does the same two steps.
 */
export async function openSchemaEngine(url: string, schema: [string, string]): Promise<SchemaEngine> {
  const load = nodeRequire();
  instantiated ??= instantiate(load);
  const glue = await instantiated;
  const { PrismaPg } = load('@prisma/adapter-pg') as typeof import('@prisma/adapter-pg');
  const { bindMigrationAwareSqlAdapterFactory } = load(
    '@prisma/driver-adapter-utils',
  ) as typeof import('@prisma/driver-adapter-utils');
  // Nobody ends the adapter's pool: with its usual idle timeout the process would live on for 10 s.
  const pool = { connectionString: url, max: 2, idleTimeoutMillis: 50, allowExitOnIdle: true };
  const factory = bindMigrationAwareSqlAdapterFactory(withWholeScripts(new PrismaPg(pool)));
  return glue.SchemaEngine.new({ datamodels: [schema] }, () => undefined, factory);
}

/** What is used of the adapter beyond its types. */
interface ScriptRunner {
  client: { query(sql: string): Promise<unknown> };
  onError(error: unknown): never;
  executeScript(script: string): Promise<void>;
}

/**
 * The adapter (7.10.0) cuts a script at every semicolon, also at those in comments, strings and $$ bodies. PostgreSQL takes
 * the whole script in one message, and makes one transaction of it.
 */
function withWholeScripts<F extends { connect(): Promise<unknown> }>(factory: F): F {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = (await connect()) as ScriptRunner;
    adapter.executeScript = async (script) => {
      await adapter.client.query(script).catch((error: unknown) => adapter.onError(error));
    };
    return adapter;
  };
  return factory;
}

/** The glue module holds ONE instance; a second would invalidate what the first one still refers to. */
let instantiated: Promise<EngineBindings> | undefined;

async function instantiate(load: NodeJS.Require): Promise<EngineBindings> {
  const glue = load(GLUE) as EngineBindings;
  const bytes = await readFile(join(dirname(load.resolve(GLUE)), 'schema_engine_bg.wasm'));
  // The engine reports a panic through this global before it traps; without it the trap hides the reason.
  (globalThis as Record<string, unknown>)['PRISMA_WASM_PANIC_REGISTRY'] = {
    set_message: (message: string) => (panic = message),
  };
  const { instance } = await wasm.instantiate(bytes, {
    './schema_engine_bg.js': withoutLingeringTimers(glue),
  });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue;
}

/**
 * The engine guards its advisory lock with a timer of 10 s and leaves it running afterwards. Its sockets keep
 * the process alive while there is work, so the timers need not.
 */
function withoutLingeringTimers(glue: EngineBindings): Record<string, unknown> {
  const imports: Record<string, unknown> = { ...glue };
  for (const name of Object.keys(imports)) {
    if (!name.startsWith('__wbg_setTimeout_')) continue;
    imports[name] = (callback: () => void, ms: number) => setTimeout(callback, ms >>> 0).unref();
  }
  return imports;
}

let panic: string | undefined;

/** What the engine said when it panicked, if it did. */
export function enginePanic(): string | undefined {
  return panic;
}

/** `require` of an ES module: Node can from 20.19 on; an `import()` would be compiled to the same anyway. */
function nodeRequire(): NodeJS.Require {
  return createRequire(__filename);
}
