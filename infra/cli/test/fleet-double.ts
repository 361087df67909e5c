import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

type Schema = Record<string, unknown>;

interface Operation {
  name: string;
  pattern: RegExp;
  /** Declared parameters of the query; the value says whether it is needed. */
  query: Map<string, boolean>;
  bodies: Map<string, ValidateFunction>;
  answer: { status: number; example: unknown };
}

export interface Asked {
  operation: string;
  path: string;
  query: Record<string, string>;
  body: unknown;
  headers: IncomingMessage['headers'];
}

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

const SERVICES = resolve(__dirname, '../../../services');

/**
 * A fleet made from the services' OpenAPI documents: it takes only requests that they declare (path, parameters, body)
 * and answers with examples of what they declare, or with what the spec says. Its login server gives tokens by
 * client credentials, for a confirmed code, and by refresh tokens that are good for one use.
 */
export class FleetDouble {
  readonly asked: Asked[] = [];
  /** What no document declares. */
  readonly faults: string[] = [];
  tokensGiven = 0;
  refreshToken = 'refresh-0';
  /** What a person does in the browser when a code is to be confirmed. */
  confirms: 'yes' | 'access_denied' | 'expired_token' = 'yes';
  private readonly operations: Operation[];
  private readonly answers = new Map<string, Answer[]>();
  private readonly server: Server;

  constructor() {
    this.operations = readdirSync(SERVICES)
      .map((service) => join(SERVICES, service, 'openapi.json'))
      .filter((file) => existsSync(file))
      .flatMap((file) => operationsOf(JSON.parse(readFileSync(file, 'utf8')) as Document));
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  reset(): void {
    [this.asked, this.faults].forEach((list) => list.splice(0));
    this.answers.clear();
    this.tokensGiven = 0;
    this.refreshToken = 'refresh-0';
    this.confirms = 'yes';
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get issuer(): string {
    return `${this.url}/realms/r`;
  }

  /** The environment of somebody who has a service account of this fleet. */
  get env(): Record<string, string> {
    return {
      SOCIOGRAPH_URL: this.url,
      SOCIOGRAPH_ISSUER: this.issuer,
      SOCIOGRAPH_CLIENT_ID: 'a-client',
      SOCIOGRAPH_CLIENT_SECRET: 'a-secret',
      XDG_CONFIG_HOME: '/nowhere',
    };
  }

  /** What the next requests of an operation (`GET /v1/imports/{id}`) are answered with; the last one stays. */
  answer(operation: string, ...answers: Answer[]): void {
    this.answers.set(operation, answers);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    let text = '';
    for await (const piece of request) text += String(piece);
    if (pathname.startsWith('/realms/r/')) return this.logIn(pathname, new URLSearchParams(text), response);
    const operation = this.operations.find(({ pattern }) => pattern.test(`${request.method} ${pathname}`));
    if (operation === undefined) {
      this.faults.push(`nobody serves ${request.method} ${pathname}`);
      return void response.writeHead(404).end('{"message":"no Route matched with those values"}');
    }
    const query = Object.fromEntries(searchParams);
    const body = this.checked(operation, query, text, request.headers['content-type']);
    const { headers } = request;
    if (!/^Bearer access-\d+$/.test(headers.authorization ?? ''))
      this.faults.push(`${operation.name}: no token`);
    this.asked.push({ operation: operation.name, path: pathname, query, body, headers });
    const script = this.answers.get(operation.name) ?? [];
    const answer = (script.length > 1 ? script.shift() : script[0]) ?? {};
    const { status = operation.answer.status, body: said = operation.answer.example } = answer;
    response.writeHead(status, answer.headers);
    if (said === undefined) response.end();
    else response.end(typeof said === 'string' ? said : JSON.stringify(said));
  }

  private checked(
    { name, query: declared, bodies }: Operation,
    query: Record<string, string>,
    text: string,
    type: string | undefined,
  ): unknown {
    for (const parameter of Object.keys(query))
      if (!declared.has(parameter)) this.faults.push(`${name} takes no ${parameter}`);
    for (const [parameter, needed] of declared)
      if (needed && query[parameter] === undefined) this.faults.push(`${name} needs ${parameter}`);
    if (text === '') return undefined;
    const validate = bodies.get(type ?? '');
    if (validate === undefined) this.faults.push(`${name} takes no body of type ${type}`);
    if (type !== 'application/json') return text;
    const body: unknown = JSON.parse(text);
    if (validate?.(body) === false) this.faults.push(`${name}: ${JSON.stringify(validate.errors)}`);
    return body;
  }

  private logIn(path: string, form: URLSearchParams, response: ServerResponse): void {
    const say = (status: number, body: unknown): void =>
      void response.writeHead(status).end(JSON.stringify(body));
    if (path.endsWith('/openid-configuration'))
      return say(200, {
        issuer: this.issuer,
        token_endpoint: `${this.issuer}/token`,
        device_authorization_endpoint: `${this.issuer}/device`,
      });
    if (path.endsWith('/device')) {
      const uri = `${this.issuer}/confirm`;
      return say(200, {
        device_code: 'd',
        user_code: 'AB-CD',
        verification_uri: uri,
        expires_in: 600,
        interval: 0,
      });
    }
    const device = form.has('device_code');
    if (device && this.confirms !== 'yes') return say(400, { error: this.confirms });
    if (device) this.refreshToken = `refresh-${this.tokensGiven + 1}`;
    if (form.get('grant_type') === 'refresh_token') {
      if (form.get('refresh_token') !== this.refreshToken) return say(400, { error: 'invalid_grant' });
      this.refreshToken = `refresh-${this.tokensGiven + 1}`;
    }
    this.tokensGiven += 1;
    const refresh = device || form.has('refresh_token') ? { refresh_token: this.refreshToken } : {};
    say(200, { access_token: `access-${this.tokensGiven}`, expires_in: 300, ...refresh });
  }
}

interface Document {
  paths: Record<string, Record<string, DeclaredOperation>>;
  components: { schemas: Record<string, Schema> };
}

interface DeclaredOperation {
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

function operationsOf({ paths, components }: Document): Operation[] {
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, declared]): Operation => {
      const name = `${method.toUpperCase()} ${path}`;
      const [status, response] = Object.entries(declared.responses).find(([code]) => /^2/.test(code)) ?? [
        '200',
        {},
      ];
      const schema = Object.values(response.content ?? {})[0]?.schema;
      return {
        name,
        pattern: new RegExp(`^${name.replace(/\{[^}]+\}/g, '[^/]+')}$`),
        query: new Map(
          (declared.parameters ?? [])
            .filter((parameter) => parameter.in === 'query')
            .map((parameter): [string, boolean] => [parameter.name, parameter.required === true]),
        ),
        bodies: new Map(
          Object.entries(declared.requestBody?.content ?? {}).map(([type, content]) => [
            type,
            ajv.compile({ ...content.schema, components }),
          ]),
        ),
        answer: {
          status: Number(status),
          example: schema === undefined ? undefined : exampleOf(schema, components.schemas),
        },
      };
    }),
  );
}

/** One value that fits a schema, as far as our documents go. */
function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  if (typeof schema['$ref'] === 'string')
    return exampleOf(schemas[schema['$ref'].split('/').at(-1) ?? ''] ?? {}, schemas);
  if (Array.isArray(schema['allOf']))
    return Object.assign(
      {},
      ...(schema['allOf'] as Schema[]).map((part) => exampleOf(part, schemas)),
    ) as unknown;
  if (schema['example'] !== undefined) return schema['example'];
  if (schema['nullable'] === true) return null;
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  switch (schema['type']) {
    case 'object': {
      const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
      return Object.fromEntries(
        Object.entries(properties).map(([name, inner]) => [name, exampleOf(inner, schemas)]),
      );
    }
    case 'array':
      return [exampleOf(schema['items'] as Schema, schemas)];
    case 'integer':
    case 'number':
      return schema['minimum'] ?? 7;
    case 'boolean':
      return true;
    default:
      return schema['format'] === 'date-time' ? '2026-11-21T12:00:00.000Z' : 'text';
  }
}
