import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readConfiguration } from '../embedded/configuration';
import { Router } from '../embedded/router';
import { faultsOf } from '../render/check';
import { readEndpoints } from '../render/endpoints';
import type { Endpoint } from '../render/endpoints';
import { FUZZ_LIMITS, renderKong } from '../render/render';

const endpoint = (service: string, method: string, path: string, rest: Partial<Endpoint> = {}): Endpoint => ({
  service,
  method,
  path,
  isPublic: false,
  isStream: false,
  beginsWork: false,
  bodyMegabytes: 1,
  ...rest,
});
const fleet = [
  endpoint('key-service', 'GET', '/v1/keys'),
  endpoint('key-service', 'POST', '/v1/keys'),
  endpoint('key-service', 'POST', '/v1/keys:bulk', { bodyMegabytes: 20 }),
  endpoint('key-service', 'GET', '/v1/keys/{id}'),
  endpoint('key-service', 'GET', '/v1/keys/search'),
  endpoint('parser-service', 'GET', '/v1/imports/{id}/events', { isStream: true }),
  endpoint('parser-service', 'GET', '/v1/networks', { isPublic: true }),
  endpoint('parser-service', 'POST', '/v1/networks'),
  endpoint('parser-service', 'GET', '/v1/imports'),
  endpoint('parser-service', 'POST', '/v1/imports', { beginsWork: true }),
  endpoint('parser-service', 'POST', '/v1/open', { beginsWork: true, isPublic: true }),
];

describe('render', () => {
  const text = renderKong(fleet);
  const router = new Router(readConfiguration(text).routes);
  const names = (method: string, path: string) => router.match(method, path)?.plugins.map(({ name }) => name);

  it('gives the same text for the same endpoints, and one that has no fault', () => {
    expect(renderKong(fleet)).toBe(text);
    expect(faultsOf(text, fleet)).toEqual([]);
  });

  it.each([
    ['GET', '/v1/keys', 'key-service.v1-keys.get'],
    ['POST', '/v1/keys', 'key-service.v1-keys.get'],
    ['POST', '/v1/keys:bulk', 'key-service.v1-keys-bulk.post'],
    ['GET', '/v1/keys/abc', 'key-service.v1-keys-id.get'],
    ['GET', '/v1/keys/a%2Fb', 'key-service.v1-keys-id.get'],
    ['GET', '/v1/keys/search', 'key-service.v1-keys-search.get'],
    ['GET', '/v1/imports/7/events', 'parser-service.v1-imports-id-events.get'],
    ['OPTIONS', '/v1/keys/abc', 'key-service.v1-keys-id.get'],
    ['OPTIONS', '/v1/networks', 'parser-service.v1-networks.get'],
    ['GET', '/v1/keys/', undefined],
    ['GET', '/v1/keysx', undefined],
    ['GET', '/v1/keys/a/b', undefined],
    ['GET', '/x/v1/keys', undefined],
    ['DELETE', '/v1/keys', undefined],
  ])('routes %s %s', (method, path, name) => {
    expect(router.match(method, path)?.name).toBe(name);
  });

  it('asks for a token everywhere but on public routes, and limits all', () => {
    const all = [
      'pre-function',
      'correlation-id',
      'cors',
      'jwt',
      'request-size-limiting',
      'rate-limiting',
      'opentelemetry',
      'prometheus',
    ];
    expect(names('GET', '/v1/keys')).toEqual(all);
    expect(names('POST', '/v1/networks')).toEqual(all);
    expect(names('GET', '/v1/networks')).toEqual(all.filter((name) => name !== 'jwt'));
  });

  it('traces whatever begins long work, and of all else a share', () => {
    const { services, plugins } = parse(text) as {
      services: { routes: { name: string; plugins: Traced[] }[] }[];
      plugins: Traced[];
    };
    type Traced = { name: string; config: { sampling_rate?: number } };
    const rateOf = (given: Traced[]) =>
      given.find(({ name }) => name === 'opentelemetry')?.config.sampling_rate;
    const own = services
      .flatMap(({ routes }) => routes)
      .flatMap(({ name, plugins: given }) => (rateOf(given) === undefined ? [] : [[name, rateOf(given)]]));
    expect(own).toEqual([['parser-service.v1-imports.post', 1]]);
    expect(rateOf(plugins)).toBe(0.01);
    expect(names('POST', '/v1/imports')?.filter((name) => name === 'opentelemetry')).toHaveLength(1);
    expect(router.match('GET', '/v1/imports')?.name).toBe('parser-service.v1-imports.get');
    expect(router.match('OPTIONS', '/v1/imports')?.name).toBe('parser-service.v1-imports.get');
  });

  it('gives streams time and bulk uploads room', () => {
    const { services } = parse(text) as {
      services: Array<{ name: string; read_timeout: number; routes: Array<Record<string, unknown>> }>;
    };
    expect(services.map(({ name }) => name)).toEqual([
      'key-service',
      'parser-service',
      'parser-service-streams',
    ]);
    expect(services.map(({ read_timeout }) => read_timeout)).toEqual([20_000, 20_000, 60_000]);
    expect(services[2]?.routes[0]?.['response_buffering']).toBe(false);
    const bulk = services[0]?.routes.find(({ name }) => name === 'key-service.v1-keys-bulk.post');
    expect(bulk?.['request_buffering']).toBe(false);
    expect(JSON.stringify(bulk)).toContain('"allowed_payload_size":20');
  });

  it('raises every limit of a minute for a fuzz run, and changes nothing else', () => {
    const raised = renderKong(fleet, FUZZ_LIMITS);
    const minutes = (rendered: string): string[] => [...new Set(rendered.match(/minute: \d+/g))].sort();
    expect(minutes(text)).toEqual(['minute: 600', 'minute: 6000']);
    expect(minutes(raised)).toEqual(['minute: 60000', 'minute: 600000']);
    expect(raised.replace(/minute: 600000?/g, '')).toBe(text.replace(/minute: 6000?/g, ''));
  });

  it('refuses an endpoint without an upstream, and one that two services offer', () => {
    expect(() => renderKong([endpoint('new-service', 'GET', '/v1/new')])).toThrow(
      'GET /v1/new has no route: no upstream is declared for new-service.',
    );
    expect(() =>
      renderKong([
        endpoint('key-service', 'GET', '/v1/a/{id}'),
        endpoint('parser-service', 'GET', '/v1/a/{name}'),
      ]),
    ).toThrow('GET /v1/a/{name} is offered twice: by key-service and by parser-service.');
  });

  it('names what is wrong with a file', () => {
    const more = [...fleet, endpoint('parser-service', 'DELETE', '/v1/imports/{id}')];
    expect(faultsOf(text, more)).toEqual([
      'gateway/kong.yml is not what the OpenAPI documents give: render it again.',
      'DELETE /v1/imports/{id} of parser-service has no route.',
    ]);
    expect(faultsOf(text, fleet.slice(0, 5))).toContain(
      'The route parser-service.v1-imports-id-events.get leads to parser-service.upstream, which offers nothing.',
    );
    const opened = faultsOf(
      text,
      fleet.map((one) => ({ ...one, isPublic: one.path === '/v1/keys' })),
    );
    expect(opened).toContain('GET /v1/keys is public and asks for token.');
    expect(opened).toContain('GET /v1/networks is not public and needs no token.');
  });

  it('reads endpoints from OpenAPI documents', () => {
    const folder = mkdtempSync(join(tmpdir(), 'render-'));
    mkdirSync(join(folder, 'key-service'));
    mkdirSync(join(folder, 'no-document'));
    const stream = { '200': { content: { 'text/event-stream': {} } } };
    const paths = {
      '/v1/keys:bulk': { post: {} },
      '/v1/a': { post: { security: [] }, get: { 'x-access': 'public', responses: stream } },
      '/v1/work': { post: { responses: { '202': {} } } },
      '/v1/file': { get: { responses: { '200': { content: { 'application/octet-stream': {} } } } } },
    };
    writeFileSync(join(folder, 'key-service/openapi.json'), JSON.stringify({ paths }));
    expect(readEndpoints(folder)).toEqual([
      endpoint('key-service', 'GET', '/v1/a', { isPublic: true, isStream: true }),
      endpoint('key-service', 'POST', '/v1/a', { isPublic: true }),
      endpoint('key-service', 'GET', '/v1/file', { isStream: true }),
      endpoint('key-service', 'POST', '/v1/keys:bulk', { bodyMegabytes: 20 }),
      endpoint('key-service', 'POST', '/v1/work', { beginsWork: true }),
    ]);
    rmSync(folder, { recursive: true });
  });

  it("has rendered the repository's own file, where the documents are there", () => {
    const root = join(__dirname, '../..');
    const endpoints = readEndpoints(join(root, 'services'));
    const faults =
      endpoints.length === 0 ? [] : faultsOf(readFileSync(join(root, 'gateway/kong.yml'), 'utf8'), endpoints);
    expect(faults).toEqual([]);
  });
});
