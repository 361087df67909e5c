import type { Ids } from '@sociograph/kernel';

/** Who asked for a step of an import's life, for the audit trail. */
export interface Act {
  readonly actor: { readonly kind: 'person' | 'service'; readonly id: string };
  /** `import.create`, `import.pause` and the like. */
  readonly action: string;
  readonly auditId: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly correlationId?: string | undefined;
}

/** Whoever sent the request. */
export interface Requester {
  readonly by: string;
  readonly correlationId?: string | undefined;
}

export function actOf(action: string, { by, correlationId }: Requester, ids: Ids, at: number): Act {
  return { actor: { kind: 'person', id: by }, action, auditId: ids.next(), at, correlationId };
}
