import { createApiDocument } from '@sociograph/service-host';
import { eventually, startTokenIssuer, type TokenIssuer } from '@sociograph/testing';
import { REST_CONTROLLERS } from '../src/presentation/rest-controllers';
import { badBodies, resolved, type Schema, wrongTexts } from './edge/bad-values';
import { ALL_ROLES, aRegistration, type Endpoint, ENDPOINTS } from './edge/endpoints';
import { type KeyServiceFleet, startKeyService } from './key-service-fleet';

jest.setTimeout(120_000);

interface Parameter {
  in: string;
  name: string;
  required?: boolean;
  schema: Schema;
}

interface Operation {
  name: string;
  method: string;
  path: string;
  parameters: Parameter[];
  body: Schema | undefined;
  endpoint: Endpoint;
}

interface Answer {
  status: number;
  type: string | null;
  text: string;
  body: Record<string, unknown>;
}

interface Sent {
  path?: Record<string, string>;
  query?: Record<string, string> | URLSearchParams;
  body?: unknown;
  headers?: Record<string, string>;
  as?: string | undefined;
}

const NOBODY = '01930f0e-7b1c-7000-8000-00000000000a';
const MEGABYTE = 1_048_576;

describe('bad input to every endpoint of the OpenAPI document', () => {
  let issuer: TokenIssuer;
  let fleet: KeyServiceFleet;
  let operations: Operation[];
  let components: Record<string, Schema>;
  let platform: string;
  let operator: string;

  beforeAll(async () => {
    const document = await createApiDocument(
      { module: class {}, controllers: REST_CONTROLLERS },
      { title: 'x' },
    );
    components = document.components?.schemas as Record<string, Schema>;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, described]) =>
        operationOf(method.toUpperCase(), path, described),
      ),
    );
    issuer = await startTokenIssuer();
    fleet = await startKeyService({ OIDC_ISSUER: issuer.issuer, OIDC_JWKS_URL: issuer.jwksUrl });
    platform = issuer.token({ roles: ['platform-operator'], workspace: '' });
    operator = issuer.token({ roles: ['operator'] });
    await eventually(
      async () => {
        const path = `${fleet.url}/v1/pool/margins`;
        const answer = await fetch(path, { headers: { authorization: `Bearer ${operator}` } });
        expect(answer.status).toBe(200);
      },
      { timeoutMs: 20_000, everyMs: 100 },
    );
  });

  afterAll(async () => {
    await fleet?.close();
    await issuer?.close();
  });

  function operationOf(method: string, path: string, described: unknown): Operation {
    const { parameters = [], requestBody } = described as {
      parameters?: Parameter[];
      requestBody?: { content: Record<string, { schema: Schema }> };
    };
    const name = `${method} ${path}`;
    const body = requestBody?.content['application/json']?.schema;
    return { name, method, path, parameters, body, endpoint: ENDPOINTS[name] as Endpoint };
  }

  const token = ({ endpoint }: Operation): string =>
    endpoint.roles.includes('operator') ? operator : platform;

  async function send(operation: Operation, sent: Sent = {}): Promise<Answer> {
    const { method, endpoint } = operation;
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(sent.path?.[name] ?? NOBODY),
    );
    const query = new URLSearchParams(sent.query ?? endpoint.query ?? {});
    const body = 'body' in sent ? sent.body : endpoint.body?.();
    const as = 'as' in sent ? sent.as : token(operation);
    const response = await fetch(`${fleet.url}${path}${query.size > 0 ? `?${query}` : ''}`, {
      method,
      headers: {
        ...(as !== undefined && { authorization: `Bearer ${as}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...sent.headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type');
    const json = type?.includes('json') === true && text !== '';
    return { status: response.status, type, text, body: json ? (JSON.parse(text) as Answer['body']) : {} };
  }

  async function newKey(as = operator, first?: 'pause'): Promise<{ id: string; version: number }> {
    const post = operations.find(({ name }) => name === 'POST /v1/keys') as Operation;
    const { status, body } = await send(post, { body: { ...aRegistration(), bucket: undefined }, as });
    expect(status).toBe(201);
    const id = String(body['id']);
    if (first === undefined) return { id, version: 1 };
    const pause = operations.find(({ name }) => name === 'POST /v1/keys/{id}/pause') as Operation;
    expect((await send(pause, { path: { id }, as })).status).toBe(200);
    return { id, version: 2 };
  }

  /** A key of its own for calls that have one, and everything else that makes the call a right one. */
  async function ready(operation: Operation): Promise<Pick<Sent, 'path'>> {
    if (!operation.path.includes('{id}')) return { path: { network: 'vk', leaseId: NOBODY } };
    return { path: { id: (await newKey(operator, operation.endpoint.first)).id } };
  }

  /** What every refusal looks like, whatever was wrong. */
  function fault(answer: Answer, what: unknown): { what: unknown; status: number; fields: string[] } {
    const { status, type, text, body } = answer;
    const said = JSON.stringify(what).slice(0, 200);
    expect({ said, type }).toEqual({ said, type: 'application/problem+json; charset=utf-8' });
    expect([said, Object.keys(body)]).toEqual([
      said,
      expect.arrayContaining(['type', 'title', 'status', 'code']),
    ]);
    expect([said, body['status']]).toEqual([said, status]);
    expect(text).not.toMatch(/\bat .*(:\d+:\d+|node_modules)|"stack"/);
    // Nothing of a token that was sent, and nothing that grows with what was sent.
    expect(text).not.toContain('.walk-');
    expect(text.length).toBeLessThan(12_000);
    const fields = ((body['errors'] ?? []) as { field: string }[]).map(({ field }) => field);
    return { what: said, status, fields };
  }

  function expectNamed(answer: Answer, field: string, what: unknown): void {
    const { what: said, status, fields } = fault(answer, what);
    const named = fields.some((name) => name === field || name.startsWith(`${field}.`));
    expect({ said, field, status, fields, named }).toEqual({ said, field, status: 400, fields, named: true });
  }

  /** Every operation in turn; says which one it was about. */
  async function each(
    wanted: (operation: Operation) => boolean,
    work: (operation: Operation) => Promise<void>,
  ) {
    const some = operations.filter(wanted);
    expect(some.length).toBeGreaterThan(0);
    for (const operation of some) {
      await work(operation).catch((error: Error) => {
        error.message = `${operation.name}: ${error.message}`;
        throw error;
      });
    }
  }

  it('has a row for every operation, and every operation answers a right call', async () => {
    expect(operations.map(({ name }) => name).sort()).toEqual(Object.keys(ENDPOINTS).sort());
    await each(
      ({ name }) => !name.includes('/leases/{'),
      async (operation) => {
        const { status, text } = await send(operation, await ready(operation));
        expect({ status, text: status < 300 ? '' : text }).toEqual({
          status: operation.endpoint.status,
          text: '',
        });
      },
    );
  });

  it('declares each parameter of a path', async () => {
    await each(
      () => true,
      async ({ path, parameters }) => {
        const declared = parameters.filter((each) => each.in === 'path').map(({ name }) => name);
        expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      },
    );
  });

  it('names the field of a body that is wrong, missing, too long or unknown, and changes nothing', async () => {
    let tried = 0;
    await each(
      ({ body }) => body !== undefined,
      async (operation) => {
        const { rows } = operation.endpoint;
        const schema = rows === true ? (operation.body?.items as Schema) : (operation.body as Schema);
        const good = rows === true ? aRegistration() : operation.endpoint.body?.();
        const { path } = await ready(operation);
        for (const { field, body } of badBodies(schema, good, components)) {
          const answer = await send(operation, { path: path ?? {}, body: rows === true ? [body] : body });
          tried += 1;
          // The edge looks for it before anybody knows of fields.
          if (JSON.stringify(body).includes('\\u0000')) {
            expect(fault(answer, field)).toMatchObject({ status: 400, fields: ['body'] });
            continue;
          }
          if (rows !== true) {
            expectNamed(answer, field, body);
            continue;
          }
          expect({ field, status: answer.status, text: answer.status === 200 ? '' : answer.text }).toEqual({
            field,
            status: 200,
            text: '',
          });
          const [verdict] = answer.body['rows'] as { errors?: { field: string }[] }[];
          const fields = (verdict?.errors ?? []).map((error) => error.field);
          const named = fields.some((name) => name === field || name.startsWith(`${field}.`));
          expect([answer.status, field, fields, named]).toEqual([200, field, fields, true]);
        }
        if (path?.['id'] === undefined) return;
        const get = operations.find(({ name }) => name === 'GET /v1/keys/{id}') as Operation;
        expect((await send(get, { path })).body).toMatchObject({ state: 'active', version: 1 });
      },
    );
    expect(tried).toBeGreaterThan(400);
  });

  it('refuses a body that is no object, no JSON, too large, nested without end or of another type', async () => {
    await each(
      ({ body }) => body !== undefined,
      async (operation) => {
        const { path = {} } = await ready(operation);
        const wrong =
          operation.endpoint.rows === true ? ['{}', '5', 'null', '"x"'] : ['[]', '5', 'null', '"x"', '[[]]'];
        const broken = ['{"network":', '', 'x', '{"__proto__":{"x":1}}', '{"a":1}}'];
        // Where nothing is needed nothing is wrong with no body.
        const needed =
          operation.endpoint.rows === true ||
          resolved(operation.body as Schema, components).required !== undefined;
        for (const body of [...wrong, ...broken]) {
          const answer = await send(operation, { path, body });
          if (!needed && ['', 'null'].includes(body))
            expect([answer.status, answer.body['version']]).toEqual([200, 1]);
          else expect([body, fault(answer, body).status]).toEqual([body, 400]);
        }
        const deep = `${'{"consent":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
        for (const body of [deep, `[${deep}]`])
          expect(fault(await send(operation, { path, body }), 'deep')).toMatchObject({
            status: 400,
            fields: ['body'],
          });
        const large = JSON.stringify({
          label: 'x'.repeat(operation.endpoint.rows === true ? 20 * MEGABYTE : MEGABYTE),
        });
        expect(fault(await send(operation, { path, body: large }), 'large').status).toBe(413);
        for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'nonsense']) {
          const headers = { 'content-type': type };
          expect([type, fault(await send(operation, { path, body: '{}', headers }), type).status]).toEqual([
            type,
            415,
          ]);
        }
      },
    );
  });

  it('refuses a body that cannot be read also where none is wanted', async () => {
    await each(
      ({ body, method }) => body === undefined && method !== 'GET',
      async (operation) => {
        const { path = {} } = await ready(operation);
        expect(fault(await send(operation, { path, body: '{"a":' }), 'broken').status).toBe(400);
        expect(
          fault(await send(operation, { path, body: `"${'x'.repeat(MEGABYTE)}"` }), 'large').status,
        ).toBe(413);
      },
    );
  });

  it('names a parameter of the query that is wrong, missing or unknown', async () => {
    await each(
      ({ parameters }) => parameters.some((each) => each.in === 'query'),
      async (operation) => {
        const { path = {} } = await ready(operation);
        const good = operation.endpoint.query ?? {};
        for (const { name, required, schema } of operation.parameters.filter((each) => each.in === 'query')) {
          for (const value of wrongTexts(resolved(schema, components))) {
            const answer = await send(operation, { path, query: { ...good, [name]: value } });
            // The edge refuses it wherever it stands.
            if (value.includes('\u0000')) expect(fault(answer, value).status).toBe(400);
            else expectNamed(answer, name, { [name]: value });
          }
          const twice = new URLSearchParams({ ...good, [name]: '1' });
          twice.append(name, '2');
          expectNamed(await send(operation, { path, query: twice }), name, 'twice');
          if (required !== true) continue;
          const rest = Object.fromEntries(Object.entries(good).filter(([other]) => other !== name));
          expectNamed(await send(operation, { path, query: rest }), name, `without ${name}`);
        }
        expectNamed(await send(operation, { path, query: { ...good, colour: 'red' } }), 'colour', 'unknown');
      },
    );
  });

  it('names a parameter of the path that is wrong, and finds nothing of what there is not', async () => {
    await each(
      ({ path }) => path.includes('{'),
      async (operation) => {
        const name = /\{(\w+)\}/.exec(operation.path)?.[1] as string;
        const { wrong, unknown } = operation.endpoint.names ?? { wrong: `${NOBODY}0`, unknown: NOBODY };
        for (const value of [wrong, 'a\u0007b', '../keys', "' OR 1=1", '\ud83d\ude00'])
          expectNamed(await send(operation, { path: { [name]: value } }), name, value);
        expect(fault(await send(operation, { path: { [name]: 'a\u0000b' } }), 'U+0000').status).toBe(400);
        const long = fault(await send(operation, { path: { [name]: 'x'.repeat(3_000) } }), 'long').status;
        expect([400, 404, 414]).toContain(long);
        expect(fault(await send(operation, { path: { [name]: unknown } }), unknown).status).toBe(404);
      },
    );
  });

  it('finds no key of another workspace, and says so like of one that never was', async () => {
    const foreign = issuer.token({ roles: ['admin'], workspace: 'foreign' });
    await each(
      ({ path }) => path.includes('{id}'),
      async (operation) => {
        const { id, version } = await newKey(foreign, operation.endpoint.first);
        const [theirs, nobodys] = [await send(operation, { path: { id } }), await send(operation)];
        expect(fault(theirs, id).status).toBe(404);
        expect({ ...theirs.body, instance: '' }).toEqual({ ...nobodys.body, instance: '' });
        const get = operations.find(({ name }) => name === 'GET /v1/keys/{id}') as Operation;
        expect((await send(get, { path: { id }, as: foreign })).body['version']).toBe(version);
      },
    );
  });

  it('lets in those roles that may, and nobody without a good token', async () => {
    await each(
      () => true,
      async (operation) => {
        for (const role of ['', ...ALL_ROLES]) {
          const workspace = role === 'platform-operator' ? '' : 'demo';
          const as = issuer.token({ roles: role === '' ? [] : [role], workspace });
          const call = await ready(operation);
          const answer = await send(operation, { ...call, as });
          if (operation.endpoint.roles.includes(role)) {
            const expected = operation.name.includes('/leases/{') ? 404 : operation.endpoint.status;
            expect([role, answer.status]).toEqual([role, expected]);
          } else {
            expect([role, fault(answer, role).status]).toEqual([role, 403]);
            expect(['AUTH.ROLE_MISSING', 'AUTH.WORKSPACE_MISSING']).toContain(answer.body['code']);
          }
        }
        for (const as of [undefined, 'x', `${token(operation)}x`, `${token(operation).split('.')[0]}..`])
          expect(fault(await send(operation, { as }), 'token').status).toBe(401);
      },
    );
  });

  it('names headers that are wrong', async () => {
    const bad = {
      'If-Match': ['1', 'W/"1"', '"x"', '""', '"1", "2"'],
      'Idempotency-Key': ['x'.repeat(129), 'a b'],
    };
    await each(
      ({ parameters }) => parameters.some((each) => each.in === 'header'),
      async (operation) => {
        const { path = {} } = await ready(operation);
        for (const { name } of operation.parameters.filter((each) => each.in === 'header'))
          for (const value of bad[name as keyof typeof bad])
            expectNamed(await send(operation, { path, headers: { [name]: value } }), name, value);
      },
    );
  });

  it('applies one of two updates at once, and tells the other that it came late', async () => {
    await each(
      ({ parameters }) => parameters.some(({ name }) => name === 'If-Match'),
      async (operation) => {
        const { first, status } = operation.endpoint;
        const { id, version } = await newKey(operator, first);
        const headers = { 'if-match': `"${version}"` };
        const both = await Promise.all([1, 2].map(() => send(operation, { path: { id }, headers })));
        expect(both.map((answer) => answer.status).sort()).toEqual([status, 412]);
        const late = both.find((answer) => answer.status === 412) as Answer;
        fault(late, 'late');
        expect(late.body['code']).toBe('KEY_POOL.KEY_CHANGED');
        expect((await send(operation, { path: { id }, headers })).status).toBe(412);
      },
    );
  });

  it('carries out a request with an Idempotency-Key once, also of two at once, and no other one in its name', async () => {
    await each(
      ({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'),
      async (operation) => {
        const { status, body: make } = operation.endpoint;
        const { path = {} } = await ready(operation);
        const headers = { 'idempotency-key': `walk ${operation.name}`.replaceAll(/[^a-z]/gi, '-') };
        const body = make?.();
        const both = await Promise.all([1, 2].map(() => send(operation, { path, body, headers })));
        const done = both.filter((answer) => answer.status === status);
        expect(done.length).toBeGreaterThanOrEqual(1);
        for (const answer of both.filter((each) => each.status !== status)) {
          expect(fault(answer, 'at once').status).toBe(409);
          expect(answer.body['code']).toBe('REQUEST.IN_PROGRESS');
        }
        const again = await send(operation, { path, body, headers });
        for (const answer of [...done, again])
          expect([answer.status, answer.body]).toEqual([status, done[0]?.body]);
        const other = await send(operation, { path, body: make?.(), headers });
        const { status: refused, fields } = fault(other, 'another body');
        expect([refused, fields]).toEqual([422, ['Idempotency-Key']]);
      },
    );
  });

  it('answers addresses that there are not, and names that cannot be read', async () => {
    const headers = { authorization: `Bearer ${operator}` };
    const expected = [
      ...[
        ['GET', '/v1/nothing', 404],
        ['PUT', '/v1/keys', 404],
        ['GET', '/', 404],
        ['GET', '/v1/keys/%zz', 400],
      ],
      ['POST', '/v1/keys/..%2f..%2fetc/pause', 400],
    ] as const;
    for (const [method, path, status] of expected) {
      const response = await fetch(`${fleet.url}${path}`, { method: String(method), headers });
      const body = (await response.json()) as Record<string, unknown>;
      expect([path, response.status, body['status']]).toEqual([path, status, status]);
      expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    }
  });
});
