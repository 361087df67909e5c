import type { Ids } from '@sociograph/kernel';

/** Who asked for a step of the life of an import or an upload, for the audit trail. */
export interface Act {
  readonly actor: { readonly kind: 'person' | 'service'; readonly id: string };
  /** `import.create`, `import.pause`, `upload.delete` and the like; its first word is what the step was taken with. */
  readonly action: string;
  readonly auditId: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly correlationId?: string | undefined;
  /** Why, where nobody asked for it. */
  readonly reason?: string | undefined;
}

/** Whoever sent the request. */
export interface Requester {
  readonly by: string;
  readonly correlationId?: string | undefined;
}

export function actOf(action: string, { by, correlationId }: Requester, ids: Ids, at: number): Act {
  return { actor: { kind: 'person', id: by }, action, auditId: ids.next(), at, correlationId };
}
