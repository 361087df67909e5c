import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@sociograph/observability';
import { migrate } from '@sociograph/postgres';
import { createHostContext, type ServiceHandle, startService } from '@sociograph/service-host';
import {
  ownServiceDatabase,
  type OwnServiceDatabase,
  testServers,
  type TokenIssuer,
} from '@sociograph/testing';
import { identityConfig } from '../src/config';
import { IdentityServiceModule } from '../src/identity-service.module';

export interface IdentityStand {
  service: ServiceHandle;
  database: OwnServiceDatabase;
  headsFile: string;
  auditKey: Buffer;
  /** Answer of the service: status, body, and the code of a problem. */
  ask(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
}

/** The whole service on a database of its own, behind tokens of the given issuer. Kafka, Redis and Keycloak are shared. */
export async function identityStand(
  auth: Pick<TokenIssuer, 'issuer' | 'jwksUrl'>,
  more: Record<string, string> = {},
): Promise<IdentityStand> {
  const servers = testServers();
  const database = await ownServiceDatabase(servers, 'identity-service');
  const folder = mkdtempSync(join(tmpdir(), 'identity-'));
  const auditKey = randomBytes(32);
  const headsFile = join(folder, 'heads.jsonl');
  writeFileSync(join(folder, 'key'), auditKey.toString('base64'));
  const silent = createLogger({ service: 'identity-service', instance: 'spec', level: 'silent' });
  const root = join(__dirname, '..', 'database');
  await migrate({
    url: database.urlOf('owner'),
    schemaFile: join(root, 'schema.prisma'),
    migrationsDir: join(root, 'migrations'),
    logger: silent,
  });
  const of = (name: string): string => servers.of('identity-service', name);
  const config = identityConfig({
    SERVICE_NAME: 'identity-service',
    INSTANCE_ID: 'spec',
    LOG_LEVEL: 'silent',
    HTTP_PORT: '0',
    MANAGEMENT_PORT: '0',
    HTTP_NOTICE_MS: '0',
    OIDC_ISSUER: auth.issuer,
    OIDC_JWKS_URL: auth.jwksUrl,
    OIDC_CLIENTS: 'sociograph-demo,sociograph-cli',
    DATABASE_URL_APP: database.urlOf('app'),
    DATABASE_URL_WORKER: database.urlOf('worker'),
    KAFKA_BROKERS: of('KAFKA_BROKERS'),
    KAFKA_USERNAME: of('KAFKA_USERNAME'),
    KAFKA_PASSWORD: of('KAFKA_PASSWORD'),
    REDIS_POOL_URL: of('REDIS_POOL_URL'),
    KEYCLOAK_URL: of('KEYCLOAK_URL'),
    KEYCLOAK_REALM: 'sociograph',
    IDENTITY_CLIENT_ID: of('IDENTITY_CLIENT_ID'),
    IDENTITY_CLIENT_SECRET: of('IDENTITY_CLIENT_SECRET'),
    IDENTITY_VERIFY_EMAIL: 'false',
    AUDIT_KEY_FILE: join(folder, 'key'),
    AUDIT_HEADS_FILE: headsFile,
    ...more,
  });
  const context = createHostContext(config, { logger: silent });
  const kafka = IdentityServiceModule.kafka(config, context);
  const group = `identity-service-spec-${randomBytes(4).toString('hex')}`;
  const service = await startService({
    module: IdentityServiceModule.forRoot(config, context, kafka),
    config,
    context,
    microservices: (_app, ctx) => [IdentityServiceModule.collector(ctx, kafka, group)],
    openApi: { title: 'identity-service' },
    ownsProcess: false,
  });
  return {
    service,
    database,
    headsFile,
    auditKey,
    async ask(method, path, token, body, more = {}) {
      const response = await fetch(`${service.url}${path}`, {
        method,
        headers: {
          ...more,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const answer = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
      return { status: response.status, body: answer, headers: response.headers };
    },
    async close() {
      await service.close();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
