/** Names itself as the server it stands in for: clients see the same headers from both. */
export const SERVER = 'kong/3.9.3';

type BodyKind = 'json' | 'html' | 'plain' | 'xml';

const TYPES: Record<BodyKind, string> = {
  json: 'application/json; charset=utf-8',
  html: 'text/html; charset=utf-8',
  plain: 'text/plain; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
};
const BY_ACCEPT: Array<[string, BodyKind]> = [
  ['text/html', 'html'],
  ['application/xhtml+xml', 'html'],
  ['text/plain', 'plain'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
];

/** The body that Kong's templates give for a message, in the kind that the client accepts (JSON without a wish). */
export function errorBody(
  message: string,
  requestId: string,
  accept: string | undefined,
): { type: string; body: string } {
  const kind = bodyKind(accept);
  const body: Record<BodyKind, () => string> = {
    json: () => `{\n  "message":"${message}",\n  "request_id":"${requestId}"\n}`,
    plain: () => `${message}\nrequest_id: ${requestId}\n`,
    xml: () =>
      `<?xml version="1.0" encoding="UTF-8"?>\n<error>\n  <message>${message}</message>\n  <requestid>${requestId}</requestid>\n</error>`,
    html: () =>
      `<!doctype html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>Error</title>\n  </head>\n  <body>\n    <h1>Error</h1>\n    <p>${message}.</p>\n    <p>request_id: ${requestId}</p>\n  </body>\n</html>\n`,
  };
  return { type: TYPES[kind], body: body[kind]() };
}

function bodyKind(accept: string | undefined): BodyKind {
  let best: BodyKind = 'json';
  let bestQuality = 0;
  for (const range of (accept ?? '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    const kind =
      BY_ACCEPT.find(([known]) => known === type)?.[1] ??
      (/^(application\/json|\*\/\*|application\/\*)$/.test(type) ? 'json' : undefined);
    if (kind !== undefined && quality > bestQuality) {
      best = kind;
      bestQuality = quality;
    }
  }
  return best;
}
