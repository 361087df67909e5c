import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAuditedWrites } from '@sociograph/testing';

const ROOT = join(__dirname, '../../services');
const SERVICES = readdirSync(ROOT).filter((service) => existsSync(join(ROOT, service, 'openapi.json')));
const MIGRATIONS = ['prisma/migrations', 'database/migrations'];

interface Document {
  paths: Record<string, Record<string, { responses: Record<string, { $ref?: string }> }>>;
  components: { responses?: Record<string, { headers?: object }> };
}

interface Write {
  service: string;
  name: string;
  /** Headers of its 503; undefined where it has none. */
  unavailable: string[] | undefined;
}

const writes: Write[] = SERVICES.flatMap((service) => {
  const { paths, components } = JSON.parse(
    readFileSync(join(ROOT, service, 'openapi.json'), 'utf8'),
  ) as Document;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'get')
      .map(([method, { responses }]) => {
        const name = responses['503']?.$ref?.split('/').at(-1);
        const answer = name === undefined ? undefined : components.responses?.[name];
        return {
          service,
          name: `${method.toUpperCase()} ${path}`,
          unavailable: answer && Object.keys(answer.headers ?? {}),
        };
      }),
  );
});

describe('what docs/security.md says of writes and the audit trail', () => {
  const table = readAuditedWrites();

  it('is said of every endpoint that changes something, and of no other', () => {
    expect(writes.length).toBeGreaterThan(35);
    expect(table.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(
      writes.map(({ name }) => name).sort(),
    );
  });

  it('is that one which cannot be recorded is 503 with when to come again, as the documents say', () => {
    expect(writes.filter(({ unavailable }) => !unavailable?.includes('Retry-After'))).toEqual([]);
  });

  it('is where the record is made: with the change where there is a database, else in Kafka before it', () => {
    for (const { service, name } of writes) {
      const hasDatabase = MIGRATIONS.some((folder) => existsSync(join(ROOT, service, folder)));
      const { recorded = '' } = table.find(({ method, path }) => `${method} ${path}` === name) ?? {};
      const ways = hasDatabase
        ? ['with the change', 'after the change', 'if it changes anything']
        : ['before the change'];
      expect([name, ways]).toEqual([name, expect.arrayContaining([recorded])]);
    }
  });
});
