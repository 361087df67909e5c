import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RealmAdmin } from './realm-admin';
import { readRealmFile, type RealmFile } from './realm-file';

const ROOT = resolve(__dirname, '../../../..');

/** What the commands that look after a realm are told. */
export interface RealmCommand {
  admin: RealmAdmin;
  file: RealmFile;
  /** That of the stack, with the caller's over it. */
  environment: NodeJS.ProcessEnv;
  /** The word after an option; undefined when the option is not given. */
  after(option: string): string | undefined;
}

/**
 * Reads `--stack NAME`, `--file FILE` and options of the command's own. Where Keycloak is and its administrator come from the
 * stack, or from KEYCLOAK_URL, KEYCLOAK_ADMIN_CLIENT_ID, KEYCLOAK_ADMIN_CLIENT_SECRET and KEYCLOAK_REALM. Throws, in a
 * sentence, for an option that is not known and for what is missing.
 */
export function realmCommand(argv: readonly string[], options: readonly string[]): RealmCommand {
  const unknown = argv.find((word) => word.startsWith('--') && !options.includes(word));
  if (unknown !== undefined) throw new Error(`Unknown option ${unknown}`);
  const after = (option: string): string | undefined =>
    argv.includes(option) ? argv[argv.indexOf(option) + 1] : undefined;
  const stack = after('--stack') ?? process.env['SOCIOGRAPH_STACK'] ?? 'dev';
  const environment = { ...stackEnvironment(stack), ...process.env };
  const needed = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '')
      throw new Error(`${name} is not set, and no stack "${stack}" runs here.`);
    return value;
  };
  const text = readFileSync(after('--file') ?? join(ROOT, 'infra/keycloak/realm.json'), 'utf8');
  const file = readRealmFile(text, environment);
  const admin = new RealmAdmin(
    {
      keycloakUrl: needed('KEYCLOAK_URL').replace(/\/$/, ''),
      clientId: needed('KEYCLOAK_ADMIN_CLIENT_ID'),
      clientSecret: needed('KEYCLOAK_ADMIN_CLIENT_SECRET'),
    },
    environment['KEYCLOAK_REALM'] ?? file.realm,
  );
  return { admin, file, environment, after };
}

/** What the stack of this name told of its servers; nothing where there is none. */
function stackEnvironment(stack: string): Record<string, string> {
  const file = join(ROOT, '.sociograph', stack, 'env.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
}
