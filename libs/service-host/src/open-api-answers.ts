import type { OpenAPIObject } from '@nestjs/swagger';

type Path = OpenAPIObject['paths'][string];
type Operation = NonNullable<Path['get']>;
type Components = NonNullable<OpenAPIObject['components']>;
type Answer = Exclude<NonNullable<Components['responses']>[string], { $ref: string }>;
type Header = Exclude<NonNullable<Components['headers']>[string], { $ref: string }>;

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

const problemSchema: NonNullable<Components['schemas']>[string] = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    instance: { type: 'string', description: 'Correlation id of the request' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

/** Of answers that the gateway makes itself; an expired token is `{"exp": "token expired"}`. */
const gatewaySchema: NonNullable<Components['schemas']>[string] = {
  type: 'object',
  minProperties: 1,
  properties: { message: { type: 'string' }, request_id: { type: 'string' } },
  additionalProperties: { type: 'string' },
};

const headers = {
  CorrelationId: {
    description: 'As it was sent, or a new one',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$' },
  },
  RetryAfter: { description: 'Seconds', schema: { type: 'integer', minimum: 0 } },
  RateLimitLimit: { description: 'Requests a minute', schema: { type: 'integer', minimum: 1 } },
  RateLimitRemaining: {
    description: 'Of this minute. Absent while requests cannot be counted',
    schema: { type: 'integer', minimum: 0 },
  },
  RateLimitReset: {
    description: 'Seconds until the next minute',
    schema: { type: 'integer', minimum: 1, maximum: 60 },
  },
  Challenge: { schema: { type: 'string' } },
  ETag: {
    description: 'Version of what was read or changed; for `If-Match`',
    schema: { type: 'string', pattern: '^"\\d+"$' },
  },
  Location: { description: 'Where it can be read', schema: { type: 'string', format: 'uri-reference' } },
  IdempotencyReplayed: {
    description: 'This is the answer to an earlier request with the same `Idempotency-Key`',
    schema: { type: 'string', enum: ['true'] },
  },
} satisfies Record<string, Header>;

const correlated = { 'X-Correlation-Id': header('CorrelationId') };
const counted = {
  'RateLimit-Limit': header('RateLimitLimit'),
  'RateLimit-Remaining': header('RateLimitRemaining'),
  'RateLimit-Reset': header('RateLimitReset'),
};
const repeatable = { 'Retry-After': header('RetryAfter') };

const ofService = { 'application/problem+json': { schema: ref('schemas', 'Problem') } };
/** As JSON unless `Accept` asks for plain text, HTML or XML. */
const ofGateway = { 'application/json': { schema: ref('schemas', 'GatewayMessage') } };
const ofBoth = { ...ofService, ...ofGateway };

/** Every failure that an operation may answer, by status; which of them it may is `failuresOf`. */
const failures: Readonly<Record<number, { name: string } & Answer>> = {
  400: answer('BadRequest', 'The request is not valid; `errors` names each field', ofBoth),
  401: answer('Unauthenticated', 'No valid token', ofBoth, { 'WWW-Authenticate': header('Challenge') }),
  403: answer('Forbidden', 'The token does not permit this, or a limit of the workspace does not', ofService),
  404: answer('NotFound', 'There is no such thing in the workspace, or no such address', ofBoth),
  409: answer('Conflict', 'The state of the resource does not allow this', ofService),
  412: answer('PreconditionFailed', '`If-Match` names an older version', ofService),
  413: answer('TooLarge', 'The body is too large', ofBoth),
  414: answer('TooLong', 'The address is too long', ofBoth),
  415: answer('UnsupportedMediaType', 'The body has a media type that is not taken here', ofService),
  422: answer('Unprocessable', 'Well-formed, but it cannot be carried out', ofService),
  429: answer('TooMany', 'Too many requests, or a limit of the workspace', ofBoth, {
    ...repeatable,
    ...counted,
  }),
  502: answer('BadGateway', 'The service broke off; read again after a second', ofGateway),
  503: answer('Unavailable', 'Not available at the moment; nothing was changed', ofBoth, repeatable),
  504: answer('TimedOut', 'The service did not answer in time', ofGateway),
};

/** Of headers that mean the same everywhere. */
const HEADER_PATTERNS: Readonly<Record<string, string>> = {
  'Idempotency-Key': '^[\\x21-\\x7e]{1,128}$',
  'If-Match': '^(\\*|"\\d{1,9}")$',
};

/** What both the gateway and any service may answer to any request. */
const ALWAYS = [400, 404, 413, 414, 429, 502, 503, 504];

/**
 * Completes the answers of all operations: each failure that the service or the gateway before it may give, with its
 * body and headers, and the headers of what succeeds. 500 is none of them: it is always a fault.
 */
export function describeAnswers(document: OpenAPIObject): void {
  const given = document.components ?? {};
  document.components = {
    ...given,
    schemas: { ...given.schemas, Problem: problemSchema, GatewayMessage: gatewaySchema },
    headers: { ...given.headers, ...headers },
    responses: {
      ...given.responses,
      ...Object.fromEntries(Object.values(failures).map(({ name, ...rest }) => [name, rest])),
    },
  };
  for (const path of Object.values(document.paths)) {
    const isVersioned = METHODS.some((method) => takes(path[method], 'If-Match'));
    for (const method of METHODS) {
      const operation = path[method];
      if (operation === undefined) continue;
      describeSuccess(operation, isVersioned);
      describeHeaders(operation);
      for (const status of failuresOf(method, operation)) {
        const { name } = failures[status] ?? { name: '' };
        operation.responses[String(status)] = ref('responses', name);
      }
    }
  }
}

/** Statuses from 400 on, ascending: what follows from the operation, and what its controller declares beyond that. */
function failuresOf(method: (typeof METHODS)[number], operation: Operation): number[] {
  const { parameters = [], responses } = operation;
  const isPublic = (operation as { 'x-access'?: unknown })['x-access'] === 'public';
  const declared = Object.keys(responses)
    .map(Number)
    .filter((status) => failures[status] !== undefined);
  const asks = parameters.some((parameter) => 'in' in parameter && parameter.in === 'query');
  const statuses = new Set([
    ...ALWAYS,
    ...declared,
    ...(isPublic ? [] : [401, 403]),
    ...(method === 'get' ? [] : [409, 415]),
    ...(method === 'get' && !asks ? [] : [422]),
    ...(takes(operation, 'If-Match') ? [412] : []),
  ]);
  return [...statuses].sort((a, b) => a - b);
}

function describeSuccess(operation: Operation, isVersioned: boolean): void {
  const creates = takes(operation, 'Idempotency-Key');
  for (const [status, given] of Object.entries(operation.responses)) {
    if (given === undefined || '$ref' in given || !/^2/.test(status)) continue;
    given.headers = {
      ...correlated,
      ...counted,
      ...(isVersioned && status !== '204' && { ETag: header('ETag') }),
      ...(creates && status !== '200' && { Location: header('Location') }),
      ...(creates && { 'Idempotency-Replayed': header('IdempotencyReplayed') }),
      ...given.headers,
    };
  }
}

function describeHeaders({ parameters = [] }: Operation): void {
  for (const parameter of parameters) {
    if (!('in' in parameter) || parameter.in !== 'header') continue;
    const pattern = HEADER_PATTERNS[parameter.name];
    if (pattern !== undefined) parameter.schema = { type: 'string', pattern, ...parameter.schema };
  }
}

function takes(operation: Operation | undefined, name: string): boolean {
  return (operation?.parameters ?? []).some((parameter) => 'name' in parameter && parameter.name === name);
}

function answer(
  name: string,
  description: string,
  content: NonNullable<Answer['content']>,
  more: NonNullable<Answer['headers']> = {},
): { name: string } & Answer {
  return { name, description, headers: { ...correlated, ...more }, content };
}

function header(name: string): { $ref: string } {
  return ref('headers', name);
}

function ref(kind: string, name: string): { $ref: string } {
  return { $ref: `#/components/${kind}/${name}` };
}
