import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { find, run } from '../run-command';
import { ARANGO_DATABASES } from '../servers/arango-embedded';
import { KAFKA_ACCOUNTS } from '../servers/kafka';
import { DATABASES } from '../servers/postgres';
import { ROLE_KINDS } from '../servers/postgres-roles';
import { REDIS_CACHE, REDIS_POOL } from '../servers/redis';
import { PlainFault } from '../servers/server';
import type { Stack } from '../stack';

/** Secrets of the stack whose values docker-compose.yml names; the variable is the name in capitals. */
export function composeSecrets(): string[] {
  return [
    'postgres.admin',
    ...DATABASES.flatMap((database) => ROLE_KINDS.map((kind) => `postgres.${database}_${kind}`)),
    ...[REDIS_POOL, REDIS_CACHE].flatMap(({ name, accounts }) =>
      ['admin', ...Object.keys(accounts)].map((account) => `${name}.${account}`),
    ),
    ...['admin', 'key-service', 'parser-service'].map((account) => `rabbitmq.${account}`),
    ...KAFKA_ACCOUNTS.map((account) => `kafka.${account}`),
    ...['root', ...Object.keys(ARANGO_DATABASES)].map((account) => `arango.${account}`),
    'clickhouse.analytics',
    'grafana.admin',
    'keycloak.admin-client',
    'keycloak.demo-client',
    'keycloak.identity-client',
  ];
}

/** Every variable that docker-compose.yml has no default for. */
export function composeEnvironment(
  { secrets }: Pick<Stack, 'secrets'>,
  user: { uid: number; gid: number },
): Record<string, string> {
  const identity = secrets.identity('lease.parser-service');
  return {
    ...Object.fromEntries(composeSecrets().map((name) => [variableOf(name), secrets.password(name)])),
    HOST_UID: String(user.uid),
    HOST_GID: String(user.gid),
    KMS_MASTER_KEY: readFileSync(secrets.masterKeyFile('kms-master-key'), 'utf8').trim(),
    AUDIT_KEY: readFileSync(secrets.masterKeyFile('audit-key'), 'utf8').trim(),
    SUPPRESSION_KEY: readFileSync(secrets.masterKeyFile('suppression-key'), 'utf8').trim(),
    LEASE_PARSER_SERVICE: readFileSync(identity.privateFile, 'utf8'),
    LEASE_TRUSTED: JSON.stringify({ 'parser-service': identity.publicPem }),
  };
}

/** `redis-pool.key-service` -> `REDIS_POOL_KEY_SERVICE`. */
export function variableOf(secret: string): string {
  return secret.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}

/** A file for `--env-file`; single quotes, so that nothing in a value is expanded. */
export function renderEnvironmentFile(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}='${value.replaceAll("'", "\\'")}'\n`)
    .join('');
}

/** Starts docker-compose.yml with generated secrets; what follows `--compose` goes to `docker compose up`. */
export async function composeUp(
  stack: Stack,
  words: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  const user = { uid: process.getuid?.() ?? 1000, gid: process.getgid?.() ?? 1000 };
  const environment = renderEnvironmentFile(composeEnvironment(stack, user));
  const file = stack.secrets.derived('compose.env', environment);
  say(`the secrets are in ${file}`);
  if (find('docker') === undefined) {
    throw new PlainFault(
      'Docker is not installed: install Docker with its Compose plugin, or leave --compose out to run natively.',
    );
  }
  await run('docker', ['compose', 'version']).catch(() => {
    throw new PlainFault(
      'Docker has no Compose plugin, or no engine answers: start it, or leave --compose out to run natively.',
    );
  });
  const args = [
    'compose',
    '--env-file',
    file,
    '--profile',
    'core',
    'up',
    '--build',
    '--detach',
    '--wait',
    ...words,
  ];
  const result = spawnSync('docker', args, { cwd: stack.root, stdio: 'inherit' });
  if (result.status !== 0) throw new PlainFault(`docker ${args.join(' ')} failed; its own words are above.`);
  say(
    `to stop: docker compose --env-file ${join('.sociograph', stack.name, 'secrets', 'compose.env')} --profile core down`,
  );
}
