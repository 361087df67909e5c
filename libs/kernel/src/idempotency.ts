/** One creating request as its caller named it. */
export interface IdempotencyRequest {
  workspaceId: string;
  /** The `Idempotency-Key` header. */
  key: string;
  /** Method and route: one key used for two operations is two requests. */
  operation: string;
  /** SHA-256 of the body with its fields in order, hex. */
  bodyHash: string;
}

/** What a repeat is answered with. */
export interface IdempotencyAnswer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

export type IdempotencyClaim =
  | { kind: 'first' }
  | { kind: 'repeat'; answer: IdempotencyAnswer }
  | { kind: 'in-progress' }
  | { kind: 'different-body' };

/** Keeps answers for 24 h. Of two equal requests at once exactly one is `first`. Each store has its own. */
export abstract class IdempotencyStore {
  abstract claim(request: IdempotencyRequest): Promise<IdempotencyClaim>;
  /** Keeps the answer of the `first` request. */
  abstract complete(request: IdempotencyRequest, answer: IdempotencyAnswer): Promise<void>;
  /** Gives the key free: the first request failed, a repeat may try. */
  abstract release(request: IdempotencyRequest): Promise<void>;
}
