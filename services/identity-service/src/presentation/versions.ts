import { DomainError } from '@sociograph/kernel';

/** The part of Fastify's reply that sets headers. */
export interface Reply {
  header(name: string, value: string): unknown;
}

export const IF_MATCH = { name: 'If-Match', required: false, description: 'The ETag of what you read' };

export function etag(version: number): string {
  return `"${version}"`;
}

/** `If-Match` as a version; absent or `*`: any. */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const version = /^"(\d{1,9})"$/.exec(ifMatch.trim())?.[1];
  if (version !== undefined) return Number(version);
  throw new DomainError({
    code: 'REQUEST.INVALID',
    kind: 'invalid-input',
    message: 'The If-Match header is not an ETag of this resource.',
    fields: [{ field: 'If-Match', message: 'must be the ETag of an earlier answer' }],
  });
}
