/** A string or number that the compiler keeps apart from others of its kind; no wrapper exists at run time. */
export type Branded<T, Name extends string> = T & { readonly __brand: Name };

export type WorkspaceId = Branded<string, 'WorkspaceId'>;
export type ImportId = Branded<string, 'ImportId'>;
export type KeyId = Branded<string, 'KeyId'>;

/** Lower-case letters, digits and hyphens, at most 63: safe in Kafka keys, ArangoDB keys, Redis keys and URLs. */
const WORKSPACE_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** True when `value` may name a workspace (shape only; it says nothing of its existence). */
export function isWorkspaceId(value: string): value is WorkspaceId {
  return WORKSPACE_ID.test(value);
}
