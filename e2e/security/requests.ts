import { randomUUID } from 'node:crypto';
import type { Permission } from '@sociograph/testing';

/** Where a path names one thing of a workspace, and the kind of thing that its endpoint knows. */
export const ID = /\{(id|leaseId|subject)\}/;
const KIND_OF = {
  '/v1/keys/': 'key',
  '/v1/imports/': 'import',
  '/v1/uploads/': 'upload',
  '/v1/exports/': 'export',
  '/v1/erasures/': 'erasure',
  '/v1/graphs/{network}/jobs/': 'job',
  '/v1/graphs/{network}/recounts/': 'recount',
  '/v1/workspace/members/': 'subject',
  '/v1/workspace/invitations/': 'invitation',
} as const;
/** What would succeed if the thing were the caller's own; all other writes take no body. */
const BODIES: Readonly<Record<string, object>> = {
  'PATCH /v1/keys/{id}': { label: 'somebody else was here' },
  'PUT /v1/keys/{id}/shares': { workspaces: ['somebody-else'] },
  'POST /v1/keys/{id}/rotate': { token: `vk1.a.${'y'.repeat(60)}` },
  'PUT /v1/workspace/members/{subject}/roles': { roles: ['viewer'] },
};

/** The kind of thing that an endpoint looks for by its id; undefined where there is none of a workspace alone. */
export function kindOf(path: string): string | undefined {
  // Its link is signed: one that is not is refused before anything is looked for.
  if (path === '/v1/exports/{id}/file') return undefined;
  return Object.entries(KIND_OF).find(([prefix]) => path.startsWith(prefix))?.[1];
}

/** The body of a write that names somebody else's. */
export function bodyFor(method: string, path: string): object {
  return BODIES[`${method} ${path}`] ?? {};
}

/** The caller's own audit records name what it asked for, in vain; only what is told of others counts. */
export function withoutOwnRecords(path: string, body: string, workspace: string): string {
  type Owned = { workspaceId?: string };
  if (path === '/v1/audit') {
    const { items = [] } = JSON.parse(body) as { items?: Owned[] };
    return JSON.stringify(items.filter(({ workspaceId }) => workspaceId !== workspace));
  }
  if (path !== '/v1/events') return body;
  const isOther = (line: string): boolean =>
    (JSON.parse(line) as { data?: Owned }).data?.workspaceId !== workspace;
  return body
    .split('\n')
    .filter((line) => line !== '' && isOther(line))
    .join('\n');
}

/** A request that an allowed caller may make without changing anything that matters. */
export function harmless({ path }: Permission): string {
  const ofVertex = /^\/v1\/(people|groups|posts|profiles)\//.test(path);
  return path
    .replace('{network}', path.startsWith('/v1/pool/margins') ? 'none' : 'vk')
    .replace(ID, ofVertex ? '999999999' : randomUUID())
    .replace('{by}', 'degree')
    .replace('{number}', '1');
}

/** What only its owner may change; how fresh an answer is and how much a key was used changes by itself. */
const CHANGING = /freshness|asOf|^now$|usage|limits|lastUsed|health|pause|updatedAt/i;

export function lasting(view: unknown): unknown {
  return JSON.parse(
    JSON.stringify(view, (name, value: unknown) => (CHANGING.test(name) ? undefined : value)),
  );
}
