import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Module } from '@nestjs/common';
import { ArangoMigrations, connectArango } from '@sociograph/arango';
import { contractServer, type ContractServer } from '@sociograph/arango-embedded';
import { AuthModule } from '@sociograph/auth';
import { createLogger } from '@sociograph/observability';
import { createHostContext, startService, type ServiceHandle } from '@sociograph/service-host';
import { eventually, startTokenIssuer, ToldAudit, type TokenIssuer } from '@sociograph/testing';
import { ReadPerson } from '../src/application/read-person';
import type { GraphStorageConfig } from '../src/config';
import type { Friendship, SideAssertion } from '../src/domain/friendship';
import type { Person } from '../src/domain/person';
import { exportProviders } from '../src/exports';
import { ArangoGraph, ArangoGraphQueries } from '../src/infrastructure/arango-graph';
import { InMemoryImportLog } from '../src/infrastructure/in-memory-exports';
import { MIGRATIONS } from '../src/infrastructure/migrations';
import { ExportsController } from '../src/presentation/exports.controller';

@Module({ controllers: [ExportsController] })
class ExportsOnly {}

const READER = join(__dirname, 'read-export.py');

export interface Answer {
  status: number;
  headers: Headers;
  // The shape is what the specs assert.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

/** The exports of the service over a store in test mode, without Kafka, and a graph to export. */
export class ExportStand {
  readonly folder = mkdtempSync(join(tmpdir(), 'exports-'));
  readonly workspaceId = `w${randomBytes(6).toString('hex')}`;
  /** What imports saw; filled by the spec. */
  readonly seen: Record<string, { people?: string[]; lists?: string[] }> = {};
  readonly imports = new InMemoryImportLog(this.seen);
  readonly audit = new ToldAudit();
  realm!: TokenIssuer;
  db!: ReturnType<typeof connectArango>;
  #server!: ContractServer;
  #services: ServiceHandle[] = [];

  async start(): Promise<void> {
    this.realm = await startTokenIssuer();
    this.#server = await contractServer({ seed: 11, conflictRate: 0.05 });
    this.db = connectArango(this.#server);
    await new ArangoMigrations(this.db, 'graph-storage-service', MIGRATIONS).run();
  }

  /** A process of the service. */
  async service(settings: Partial<GraphStorageConfig> = {}): Promise<ServiceHandle> {
    const config = {
      SERVICE_NAME: 'graph-storage-service',
      INSTANCE_ID: String(this.#services.length),
      LOG_LEVEL: 'silent',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 0,
      MANAGEMENT_PORT: 0,
      HTTP_NOTICE_MS: 0,
      TRACE_SAMPLE_RATIO: 0,
      EXPORTS_STORE: 'local',
      EXPORTS_FOLDER: this.folder,
      EXPORTS_PARALLEL_PER_WORKSPACE: 1,
      EXPORTS_PER_WORKSPACE: 20,
      EXPORTS_BYTES_PER_WORKSPACE: 1e9,
      ...settings,
    } as GraphStorageConfig;
    const logger = createLogger({
      service: 'spec',
      instance: '0',
      level: process.env['SPEC_LOG_LEVEL'] ?? 'silent',
    });
    const context = createHostContext(config, { logger });
    const { issuer, jwksUrl } = this.realm;
    const db = connectArango(this.#server);
    context.shutdown.add('close', 'arangodb', () => db.close());
    const handle = await startService({
      module: {
        module: ExportsOnly,
        imports: [
          AuthModule.forRoot({ issuer, jwksUrl, audience: 'sociograph-api', clients: ['sociograph-demo'] }),
        ],
        providers: [
          ...exportProviders(config, context, db, this.imports, this.audit),
          { provide: ReadPerson, useValue: new ReadPerson(new ArangoGraphQueries(db)) },
        ],
      },
      config,
      context,
      openApi: { title: 'exports' },
      ownsProcess: false,
    });
    this.#services.push(handle);
    return handle;
  }

  async stop(): Promise<void> {
    for (const service of this.#services) await service.close();
    this.db.close();
    await this.#server.stop();
    await this.realm.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async call(
    service: ServiceHandle,
    method: string,
    path: string,
    options: {
      body?: unknown;
      roles?: string[];
      workspaceId?: string;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answer> {
    const token = this.realm.token({
      workspace: options.workspaceId ?? this.workspaceId,
      roles: options.roles ?? ['analyst'],
    });
    const response = await fetch(`${service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') === true && text !== '';
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  }

  /** Asks for an export and waits until it is ready. */
  async made(service: ServiceHandle, body: object): Promise<Answer['body']> {
    const asked = await this.call(service, 'POST', '/v1/exports', { body });
    expect(asked.status).toBe(202);
    return this.ready(service, asked.body.id as string);
  }

  async ready(service: ServiceHandle, id: string): Promise<Answer['body']> {
    return eventually(
      async () => {
        const { body } = await this.call(service, 'GET', `/v1/exports/${id}`);
        expect(body).toMatchObject({ state: 'ready' });
        return body as Answer['body'];
      },
      { timeoutMs: 30_000, everyMs: 50 },
    );
  }

  /** The file behind the link of a ready export, on disk. */
  async fetched(service: ServiceHandle, { link, file }: { link: string; file: string }): Promise<string> {
    const headers = {
      authorization: `Bearer ${this.realm.token({ workspace: this.workspaceId, roles: ['analyst'] })}`,
    };
    const url = new URL(link, service.url);
    const response = await fetch(url, url.origin === service.url ? { headers } : {});
    expect(response.status).toBe(200);
    const path = join(this.folder, `fetched-${file}`);
    writeFileSync(path, Buffer.from(await response.arrayBuffer()));
    return path;
  }

  /** Stores the friendships and people; repeats what the store in test mode refuses by chance. */
  async store(people: readonly Person[], friendships: readonly Friendship[]): Promise<void> {
    const graph = new ArangoGraph(this.db);
    for (let create = [...friendships]; create.length > 0;) {
      const { conflicts } = await graph.writeFriendships({ create, replace: [], remove: [] });
      create = create.filter(({ key }) => conflicts.includes(key));
    }
    for (let pending = people.map((person) => ({ person, rev: undefined })); pending.length > 0;) {
      const { conflicts } = await graph.writePeople(pending);
      pending = pending.filter(({ person: { ref } }) =>
        conflicts.includes(`${ref.workspaceId}.${ref.network}.${ref.id}`),
      );
    }
  }

  person(id: string, profile: object, importId = IMPORT_A): Person {
    const source = { importId, callId: 'call' };
    const stamp = { observedAt: 1_795_000_000_123, fence: 1 };
    return {
      ref: { workspaceId: this.workspaceId, network: 'vk', id },
      version: 1,
      changedAt: 1,
      document: { content: { state: 'active', profile }, stamp, source },
      list: { base: undefined, added: new Map() },
    };
  }

  friendship(lowId: string, highId: string, sides: Partial<Friendship> = {}): Friendship {
    const key = `${this.workspaceId}.vk.${lowId}.${highId}`;
    return { key, lowId, highId, low: side(IMPORT_A), since: 1_795_000_000_000, ...sides };
  }
}

export const IMPORT_A = '01930f0e-7b1c-7000-8000-00000000000a';
export const IMPORT_B = '01930f0e-7b1c-7000-8000-00000000000b';

export function side(importId: string, observedAt = 1_795_000_000_000): SideAssertion {
  return { observedAt, fence: 1, importId, callId: 'call' };
}

/** What programs that others wrote see in the file. */
export async function readBack(path: string, ...options: string[]): Promise<Answer['body']> {
  const { stdout } = await promisify(execFile)('python3', [READER, path, ...options], {
    maxBuffer: 1_000_000_000,
  });
  return JSON.parse(stdout) as Answer['body'];
}
