import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdministratorAccount, RealmAdmin } from '../keycloak-realm/realm-admin';
import { run } from '../run-command';
import { PlainFault } from '../servers/server';

const REALM = 'sociograph';
/** Client that holds the realm's fine-grained permissions. */
const PERMISSIONS = 'admin-permissions';
const LINKED = ['lib', 'providers', 'themes'];
/** A copy that was taken while Keycloak wrote cannot always be opened. */
const MOST_TRIES = 3;

interface Client {
  readonly id?: string;
  readonly clientId: string;
}

export interface Realm {
  readonly realm: string;
  readonly users?: readonly { readonly username: string }[];
  readonly clients?: readonly Client[];
  readonly roles?: { readonly client?: Readonly<Record<string, unknown>>; readonly realm?: unknown };
  readonly clientScopeMappings?: Readonly<Record<string, unknown>>;
  readonly [name: string]: unknown;
}

/**
 * Writes the realm with its keys, clients, accounts and hashed passwords, which Keycloak's Admin API does not give. Keycloak's
 * own export reads them from a copy of its database file: the running Keycloak holds the file itself. An export that can be
 * read proves that the copy was whole.
 */
export async function dumpRealm(home: string, file: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const scratch = mkdtempSync(join(tmpdir(), 'sociograph-realm-'));
    try {
      for (const name of LINKED) symlinkSync(join(home, name), join(scratch, name));
      cpSync(join(home, 'conf'), join(scratch, 'conf'), { recursive: true });
      mkdirSync(join(scratch, 'bin'));
      copyFileSync(join(home, 'bin', 'kc.sh'), join(scratch, 'bin', 'kc.sh'));
      const database = join(scratch, 'data', 'h2');
      mkdirSync(database, { recursive: true });
      for (const name of readdirSync(join(home, 'data', 'h2')).filter((each) => each.endsWith('.mv.db')))
        copyFileSync(join(home, 'data', 'h2', name), join(database, name));
      await exportFrom(scratch, file);
      return;
    } catch (error) {
      rmSync(file, { force: true });
      if (tries >= MOST_TRIES) throw error;
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
}

async function exportFrom(home: string, file: string): Promise<void> {
  const args = [join(home, 'bin', 'kc.sh'), 'export', '--optimized'];
  await run('/bin/sh', [...args, '--realm', REALM, '--users', 'same_file', '--file', file], {
    cwd: home,
    env: {
      ...process.env,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx256m',
      JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
    },
  });
  chmodSync(file, 0o600);
  readRealm(file);
}

/** True where the stack has a Keycloak whose database file can be copied. */
export function hasRealmFile(home: string): boolean {
  return existsSync(join(home, 'data', 'h2'));
}

export function readRealm(file: string): Realm {
  const realm = JSON.parse(readFileSync(file, 'utf8')) as Realm;
  if (realm.realm !== REALM) throw new PlainFault(`${file} is no export of the realm ${REALM}`);
  return realm;
}

/**
 * The realm without what an import of Keycloak 26 leaves dead or refuses: its fine-grained permissions (keycloak#44360,
 * #47901), with whatever names their client. `KeycloakServer.fill` gives identity-service its rights anew.
 */
export function importable({ clients = [], roles, clientScopeMappings, ...realm }: Realm): Realm {
  const { adminPermissionsEnabled: _, adminPermissionsClient: __, ...rest } = realm;
  return {
    ...rest,
    realm: REALM,
    clients: clients.filter(({ clientId }) => clientId !== PERMISSIONS),
    ...(roles !== undefined && { roles: { ...roles, client: withoutPermissions(roles.client) } }),
    ...(clientScopeMappings !== undefined && {
      clientScopeMappings: withoutPermissions(clientScopeMappings),
    }),
  };
}

function withoutPermissions(byClient: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(byClient).filter(([clientId]) => clientId !== PERMISSIONS));
}

/** People with an account; accounts of services do not count. */
export async function accountsIn(account: AdministratorAccount): Promise<number> {
  const admin = new RealmAdmin(account, REALM);
  return (await admin.get<unknown[]>('/users?briefRepresentation=true&max=2')).length;
}

/** Replaces the realm, and gives the demo's client the secret that this stack has for it. */
export async function restoreRealm(
  account: AdministratorAccount,
  file: string,
  demo: { readonly clientId: string; readonly secret: string },
): Promise<void> {
  const realm = importable(readRealm(file));
  await new RealmAdmin(account, REALM).change('DELETE', '');
  await new RealmAdmin(account, '').change('POST', '', realm);
  // A new token: the administrator's rights on the new realm are in no older one.
  const admin = new RealmAdmin(account, REALM);
  const [client] = await admin.get<Required<Client>[]>(`/clients?clientId=${demo.clientId}`);
  if (client === undefined) return;
  await admin.change('PUT', `/clients/${client.id}`, { ...client, secret: demo.secret });
}
