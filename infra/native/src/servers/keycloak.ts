import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { copyArtifact, JAVA, MAVEN, once, unpack } from '../install/maven';
import { answersOk, type Launch } from '../launch';
import { run } from '../run-command';
import { type AskRealm, ensureIdentityAccess } from './keycloak-access';
import { type Requirement, Server } from './server';

export const KEYCLOAK_VERSION = '26.7.0';
const REALM = 'sociograph';

/** Service account in the master realm, made at the first start. */
export const ADMIN_CLIENT = 'sociograph-bootstrap';

const HEAP = '-Xms64m -Xmx384m';

/**
 * Keycloak, built once per user (25 s) in the cache and started in optimised mode from there (8 s, 13 s with an empty
 * database). Each stack has a home of its own with its database in it; the built libraries are links.
 */
export class KeycloakServer extends Server {
  readonly name = 'keycloak';
  readonly port = this.stack.ports.of('keycloak');
  private readonly distribution = join(this.stack.cache, `keycloak-${KEYCLOAK_VERSION}`);
  private readonly home = join(this.stack.dir, 'data', 'keycloak');
  readonly marker = `-Dkc.home.dir=${this.home}`;
  override readonly startTimeoutMs = 120_000;

  override given(): string | undefined {
    return this.stack.given['KEYCLOAK_URL'];
  }

  override requirements(): Requirement[] {
    return [JAVA, ...(existsSync(this.distribution) ? [] : [MAVEN])];
  }

  override async fetch(): Promise<void> {
    await once(this.distribution, async (folder) => {
      await copyArtifact(`org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:zip`, folder);
      const archive = join(folder, `keycloak-quarkus-dist-${KEYCLOAK_VERSION}.zip`);
      await unpack(archive, folder);
      rmSync(archive);
      const unpacked = join(folder, `keycloak-${KEYCLOAK_VERSION}`);
      await run(
        'sh',
        [
          join(unpacked, 'bin', 'kc.sh'),
          'build',
          '--db=dev-file',
          '--health-enabled=true',
          '--metrics-enabled=true',
        ],
        {
          env: { ...process.env, JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m' },
        },
      );
      for (const name of ['bin', 'conf', 'lib', 'providers', 'themes'])
        renameSync(join(unpacked, name), join(folder, name));
    });
  }

  async prepare(): Promise<void> {
    const realmFile = readFileSync(join(this.stack.root, 'infra', 'keycloak', 'realm.json'), 'utf8');
    const imported = join(this.home, 'imported');
    const fingerprint = createHash('sha256').update(realmFile).update(this.demoSecret()).digest('hex');
    if (existsSync(imported) && readFileSync(imported, 'utf8') !== fingerprint) {
      // An import skips a realm that exists, so a changed file needs an empty database. Accounts made since are lost.
      rmSync(join(this.home, 'data'), { recursive: true, force: true });
    }
    for (const folder of ['bin', 'data/import']) mkdirSync(join(this.home, folder), { recursive: true });
    cpSync(join(this.distribution, 'bin', 'kc.sh'), join(this.home, 'bin', 'kc.sh'));
    cpSync(join(this.distribution, 'conf'), join(this.home, 'conf'), { recursive: true });
    for (const name of ['lib', 'providers', 'themes']) {
      rmSync(join(this.home, name), { force: true });
      symlinkSync(join(this.distribution, name), join(this.home, name));
    }
    writeFileSync(join(this.home, 'data', 'import', 'realm.json'), realmFile);
    writeFileSync(imported, fingerprint);
  }

  launch(): Launch {
    return {
      file: '/bin/sh',
      args: [
        ...[join(this.home, 'bin', 'kc.sh'), 'start', '--optimized', '--import-realm', '--cache=local'],
        ...[
          '--http-enabled=true',
          '--http-host=127.0.0.1',
          `--http-port=${this.port}`,
          `--hostname=${this.url()}`,
        ],
        ...[
          '--http-management-host=127.0.0.1',
          `--http-management-port=${this.stack.ports.of('keycloakManagement')}`,
        ],
        '--log-level=INFO,io.smallrye.health:WARN',
      ],
      cwd: this.home,
      env: {
        ...definedEnvironment(),
        JAVA_OPTS_KC_HEAP: HEAP,
        JAVA_OPTS_APPEND: process.env['JAVA_OPTS_APPEND'] ?? '-XX:TieredStopAtLevel=1', // Ready a quarter sooner (9 s instead of 12).
        DEMO_CLIENT_SECRET: this.demoSecret(),
        KC_BOOTSTRAP_ADMIN_CLIENT_ID: ADMIN_CLIENT,
        KC_BOOTSTRAP_ADMIN_CLIENT_SECRET: this.adminSecret(),
      },
    };
  }

  ready(): Promise<boolean> {
    if (this.given() !== undefined) return answersOk(`${this.url()}/realms/${REALM}`);
    return answersOk(`http://127.0.0.1:${this.stack.ports.of('keycloakManagement')}/health/ready`);
  }

  /**
   * Takes the password grant from the one client that Keycloak itself gives it to, `admin-cli` of the master realm, and
   * gives identity-service its client and rights. A Keycloak that the user brought is left alone unless it is ours whole.
   */
  override async fill(): Promise<void> {
    if (!this.ownsAccounts()) return;
    const headers = {
      authorization: `Bearer ${await this.adminToken()}`,
      'content-type': 'application/json',
    };
    const ask =
      (realm: string): AskRealm =>
      (method, path, body) =>
        fetch(`${this.url()}/admin/realms/${realm}${path}`, {
          method,
          headers,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
    await closePasswordGrant(ask('master'));
    await ensureIdentityAccess(ask(REALM), this.identitySecret());
  }

  private async adminToken(): Promise<string> {
    const response = await fetch(`${this.url()}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: ADMIN_CLIENT,
        client_secret: this.adminSecret(),
      }),
    });
    if (!response.ok) throw new Error(`Keycloak refused its own administrator: ${response.status}`);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  url(): string {
    return this.given() ?? `http://127.0.0.1:${this.port}`;
  }

  issuer(): string {
    return `${this.url()}/realms/${REALM}`;
  }

  /** Secret of the client that only the demo and the specs have. */
  demoSecret(): string {
    return this.stack.given['DEMO_CLIENT_SECRET'] ?? this.stack.secrets.password('keycloak.demo-client');
  }

  /** Secret of identity-service's client. */
  identitySecret(): string {
    return this.stack.secrets.password('keycloak.identity-client');
  }

  /** Secret of the administrator's service account in the master realm; there is no administrator with a password. */
  adminSecret(): string {
    return this.stack.secrets.password('keycloak.admin-client');
  }
}

async function closePasswordGrant(ask: AskRealm): Promise<void> {
  const answer = await ask('GET', '/clients?clientId=admin-cli');
  const [client] = (await answer.json()) as { id: string; directAccessGrantsEnabled: boolean }[];
  if (client === undefined || !client.directAccessGrantsEnabled) return;
  const changed = await ask('PUT', `/clients/${client.id}`, { ...client, directAccessGrantsEnabled: false });
  if (!changed.ok) throw new Error(`Keycloak kept the password grant of admin-cli: ${changed.status}`);
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
