import { join } from 'node:path';
import { ROOT } from '../repository';
import {
  accessOf,
  type ApiDocument,
  halvesOf,
  mergeDocuments,
  type Operation,
  readDocuments,
} from './document';

interface Listed {
  properties?: Record<string, { items?: { $ref?: string } }>;
  required?: string[];
}

const SERVICES = join(ROOT, 'services');
const GATEWAY = ['400', '404', '413', '414', '429', '502', '503', '504'];

const aDocument = (path: string, operation: Partial<Operation>): ApiDocument => ({
  openapi: '3.0.0',
  info: {},
  paths: { [path]: { get: { operationId: 'Things.read', responses: {}, ...operation } } },
  components: {
    schemas: { Thing: { properties: { part: { $ref: '#/components/schemas/Part' } } }, Part: {} },
    securitySchemes: { keycloak: {} },
  },
});

describe('the document of the whole API', () => {
  it('keeps schemas of two services apart that have one name', () => {
    const merged = mergeDocuments(
      new Map([
        ['a', aDocument('/v1/a', { 'x-access': ['viewer'] })],
        ['b', aDocument('/v1/b', { 'x-access': 'public' })],
      ]),
    );
    expect(Object.keys(merged.components)).toEqual(['schemas']);
    expect(merged.components['schemas']).toEqual({
      'a.Thing': { properties: { part: { $ref: '#/components/schemas/a.Part' } } },
      'a.Part': {},
      'b.Thing': { properties: { part: { $ref: '#/components/schemas/b.Part' } } },
      'b.Part': {},
    });
    expect(merged.paths['/v1/b']?.['get']?.operationId).toBe('b.Things.read');
    expect(accessOf(merged)).toEqual({ 'GET /v1/a': ['viewer'], 'GET /v1/b': 'public' });
  });

  it('is parted without losing an operation', () => {
    const whole = mergeDocuments(readDocuments(SERVICES));
    const halves = halvesOf(whole).map((half) => Object.keys(accessOf(half)));
    expect(halves.map((half) => half.length > 30)).toEqual([true, true]);
    expect(halves.flat().sort()).toEqual(Object.keys(accessOf(whole)).sort());
    expect(halvesOf(aDocument('/v1/a', {}))).toHaveLength(1);
  });

  it('can be that of one service', () => {
    expect([...readDocuments(SERVICES, 'key-service').keys()]).toEqual(['key-service']);
    expect(readDocuments(SERVICES).size).toBeGreaterThanOrEqual(5);
  });
});

describe("the services' documents", () => {
  const operations = [...readDocuments(SERVICES)].flatMap(([, { paths, components }]) =>
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        method,
        operation,
        components,
      })),
    ),
  );
  const wrong = (rule: (each: (typeof operations)[number]) => boolean): string[] =>
    operations.filter((each) => !rule(each)).map(({ name }) => name);
  const has = ({ responses }: Operation, ...statuses: string[]): boolean =>
    statuses.every((status) => responses[status] !== undefined);
  const takes = ({ parameters = [] }: Operation, where: string, name?: string): boolean =>
    parameters.some((each) => each.in === where && (name === undefined || each.name === name));

  it('name every failure that the gateway or the service may answer, and no other way out', () => {
    expect(operations.length).toBeGreaterThanOrEqual(90);
    expect(wrong(({ operation }) => has(operation, ...GATEWAY))).toEqual([]);
    expect(wrong(({ operation }) => !has(operation, 'default') && !has(operation, '500'))).toEqual([]);
    expect(
      wrong(({ operation }) => operation['x-access'] === 'public' || has(operation, '401', '403')),
    ).toEqual([]);
    expect(wrong(({ method, operation }) => method === 'get' || has(operation, '409', '415', '422'))).toEqual(
      [],
    );
    expect(
      wrong(({ operation }) => takes(operation, 'header', 'If-Match') === has(operation, '412')),
    ).toEqual([]);
    expect(wrong(({ operation }) => !takes(operation, 'query') || has(operation, '422'))).toEqual([]);
    expect(
      wrong(({ operation }) => Object.keys(operation.responses).some((status) => /^2/.test(status))),
    ).toEqual([]);
  });

  it('say what a failure looks like: the problem of a service, the message of the gateway, when to try again', () => {
    const bodies = (status: string): string[] => [
      ...new Set(
        operations.flatMap(({ operation, components }) => {
          const ref = (operation.responses[status] as { $ref?: string } | undefined)?.$ref?.split('/').pop();
          if (!has(operation, status)) return [];
          const answer = components['responses']?.[ref ?? ''] as
            { content?: Record<string, { schema: { $ref: string } }>; headers?: object } | undefined;
          const content = Object.entries(answer?.content ?? {}).map(
            ([type, { schema }]) => `${type} ${schema.$ref.split('/').pop() ?? ''}`,
          );
          return [[...content, ...Object.keys(answer?.headers ?? {})].join(', ')];
        }),
      ),
    ];
    const both = 'application/problem+json Problem, application/json GatewayMessage, X-Correlation-Id';
    expect(bodies('400')).toEqual([both]);
    expect(bodies('401')).toEqual([`${both}, WWW-Authenticate`]);
    expect(bodies('403')).toEqual(['application/problem+json Problem, X-Correlation-Id']);
    expect(bodies('413')).toEqual([both]);
    expect(bodies('429')).toEqual([
      `${both}, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset`,
    ]);
    expect(bodies('502')).toEqual(['application/json GatewayMessage, X-Correlation-Id']);
    expect(bodies('503')).toEqual([`${both}, Retry-After`]);
  });

  it('say of every object what is in it', () => {
    const unknown: string[] = [];
    const walk = (value: unknown, place: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const schema = value as Record<string, unknown>;
      const said = ['properties', 'additionalProperties', 'allOf'].some((name) => name in schema);
      if (schema['type'] === 'object' && !said) unknown.push(place);
      for (const [name, part] of Object.entries(schema)) walk(part, `${place}/${name}`);
    };
    for (const [service, { components }] of readDocuments(SERVICES)) walk(components['schemas'], service);
    expect(unknown).toEqual([]);
  });

  it('ask of what is in a list nothing that only the whole answer says', () => {
    const strict: string[] = [];
    for (const [service, { components }] of readDocuments(SERVICES)) {
      const schemas = components['schemas'] as Record<string, Listed>;
      for (const [name, { properties = {} }] of Object.entries(schemas)) {
        const item = properties['items']?.items?.$ref?.split('/').at(-1) ?? '';
        if (schemas[item]?.required?.includes('freshness') === true) strict.push(`${service} ${name}`);
      }
    }
    expect(strict).toEqual([]);
  });

  it('say which headers come with what succeeds', () => {
    const headers = (name: string): string[] => {
      const { operation } = operations.find((each) => each.name === name) ?? {};
      const good = Object.entries(operation?.responses ?? {}).find(([status]) => /^2/.test(status))?.[1];
      return Object.keys((good as { headers?: object } | undefined)?.headers ?? {});
    };
    const always = ['X-Correlation-Id', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];
    expect(headers('GET /v1/keys')).toEqual(always);
    expect(headers('GET /v1/keys/{id}')).toEqual([...always, 'ETag']);
    expect(headers('POST /v1/exports')).toEqual([...always, 'Location', 'Idempotency-Replayed']);
    expect(headers('DELETE /v1/keys/{id}')).toEqual(always);
    for (const name of ['POST /v1/uploads', 'POST /v1/keys/{id}/probe'])
      expect(headers(name)).toEqual([...always, 'Location']);
  });

  it('say of parameters what is checked of them', () => {
    const schemas = operations.flatMap(({ name, operation }) =>
      (operation.parameters ?? [])
        .filter((parameter) => parameter.in === 'path')
        .map((parameter) => ({ name, schema: (parameter as { schema?: Record<string, unknown> }).schema })),
    );
    const free = schemas.filter(
      ({ schema = {} }) =>
        schema['type'] === 'string' && !('pattern' in schema || 'format' in schema || 'enum' in schema),
    );
    expect(free.map(({ name }) => name)).toEqual([]);
  });
});
