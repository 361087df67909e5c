import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './manifests';
import { readByServices } from './service-configurations';

const CANARY = 'canary-5f1c';

/** A value of each form that is checked; any other variable takes any text. */
const VALID: [RegExp, string][] = [
  [/_PORT$/, '3000'],
  [/^DATABASE_URL/, 'postgresql://user:pw@host:5432/db'],
  [/^RABBITMQ_URL$/, 'amqp://user:pw@host:5672/sociograph'],
  [/^REDIS_/, 'redis://user:pw@host:6379/0'],
  [/^(OIDC_ISSUER|OIDC_JWKS_URL|ARANGO_URL|KEYCLOAK_URL)$/, 'http://host:8080/path'],
];

/** Variables by program, as docs/configuration.md has them: what is needed and what is not. */
function documented(): Map<string, { needed: string[]; others: string[] }> {
  const found = new Map<string, { needed: string[]; others: string[] }>();
  const text = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8');
  for (const part of text.split(/^## /m).slice(1)) {
    const rows = [...part.matchAll(/^\| `([A-Z_0-9]+)` \| (\S+)/gm)].map(([, name, without]) => ({
      name: name as string,
      needed: without === '**refused**',
    }));
    found.set(part.split('\n', 1)[0] as string, {
      needed: rows.filter((row) => row.needed).map(({ name }) => name),
      others: rows.filter((row) => !row.needed).map(({ name }) => name),
    });
  }
  return found;
}

const programs = documented();
const shared = programs.get('All of them') ?? { needed: [], others: [] };
const services = [...programs.keys()].filter(
  (name) => name.endsWith('-service') || name.endsWith('projector'),
);

describe.each(services)('the configuration of %s', (service) => {
  const own = programs.get(service) ?? { needed: [], others: [] };
  const needed = [...shared.needed, ...own.needed];
  const others = [...shared.others, ...own.others];
  const complete = Object.fromEntries(
    needed.map((name) => [name, VALID.find(([pattern]) => pattern.test(name))?.[1] ?? 'some-text']),
  );
  const ask = (environments: Record<string, string>[]): string[] =>
    readByServices(environments.map((environment) => ({ service, migrates: false, environment }))).map(
      ({ faults }) => faults,
    );

  it('is complete with what the document calls needed, names what is missing or empty, and never shows a value', () => {
    const without = (name: string): Record<string, string> => {
      const { [name]: _, ...rest } = complete;
      return rest;
    };
    const wrong = [...needed, ...others].map((name) => ({ ...complete, [name]: `${CANARY} \u0001` }));
    const answers = ask([
      complete,
      {},
      ...needed.map(without),
      ...needed.map((name) => ({ ...complete, [name]: '' })),
      ...wrong,
    ]);
    const [whole, nothing, ...rest] = answers;
    expect(whole).toBe('');
    for (const name of needed) expect(nothing).toContain(`${name} is missing`);
    const n = needed.length;
    for (const [index, name] of needed.entries()) {
      expect(rest[index]).toBe(`The configuration is unusable: ${name} is missing.`);
      expect(rest[n + index]).toBe(rest[index]);
    }
    const refused = rest
      .slice(2 * n)
      .map((fault, index) => [[...needed, ...others][index] as string, fault] as const);
    for (const [name, fault] of refused) {
      expect(fault).not.toContain(CANARY);
      if (fault !== '') expect(fault).toContain(`: ${name} `);
    }
    // What has a form of its own refuses what is none.
    const checked = refused.filter(([, fault]) => fault !== '').map(([name]) => name);
    expect(checked).toEqual(
      expect.arrayContaining(['HTTP_PORT', 'MANAGEMENT_PORT', 'LOG_LEVEL', 'NODE_ENV', 'OIDC_ISSUER']),
    );
  }, 60_000);

  it('refuses plaintext in production by the names of the variables', () => {
    const [faults] = ask([{ ...complete, NODE_ENV: 'production' }]);
    expect(faults).toContain('KAFKA_BROKERS would connect in plaintext');
    expect(faults).toContain('OIDC_ISSUER would connect in plaintext');
    expect(faults).not.toContain(':pw@');
  }, 60_000);
});

it('every service is documented', () => {
  expect(services).toEqual(
    expect.arrayContaining([
      'graph-storage-service',
      'key-service',
      'parser-service',
      'read-model-projector',
    ]),
  );
});
