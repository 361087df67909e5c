import type { ApiKey, KeyState } from './api-key';
import type { AuditNote } from './audit';
import type { KeyKind } from './networks';
import type { SealedKey } from './ports';
import type { SealedToken } from './sealing';
import type { SealedRefresh } from './token-refresh';

export interface KeyFilter {
  network?: string | undefined;
  state?: KeyState | undefined;
  kind?: KeyKind | undefined;
  labelPrefix?: string | undefined;
  egress?: string | undefined;
  /** Name of a bucket of the workspace. */
  bucket?: string | undefined;
}

/** One version of a key: what became different, by whom. Never a token. */
export interface KeyHistoryEntry {
  version: number;
  at: number;
  actor: AuditNote['actor'];
  action: string;
  changes: Record<string, { from: unknown; to: unknown }>;
  reason: string | null;
  correlationId: string | null;
}

/** Keys of one workspace. Every change writes its event and its audit record in the same transaction. */
export abstract class ApiKeys {
  /** Throws KEY_POOL.TOKEN_REGISTERED when a key of the fleet that may still be used has this fingerprint. */
  abstract add(
    key: ApiKey,
    token: SealedToken,
    fingerprint: string,
    note: AuditNote,
    refresh?: SealedRefresh,
  ): Promise<void>;
  /** Keeps all whose fingerprint is new; answers the ids of these. Keys of one workspace, fingerprints all different. */
  abstract addMany(keys: readonly SealedKey[], note: AuditNote): Promise<ReadonlySet<string>>;
  /** Deleted keys are not found. */
  abstract find(workspaceId: string, id: string): Promise<ApiKey | undefined>;
  abstract list(
    workspaceId: string,
    filter: KeyFilter,
    page: { limit: number; after?: string | undefined },
  ): Promise<ApiKey[]>;
  /**
   * Applies a pure change to the newest state, again when another change came first. Throws KEY_POOL.KEY_UNKNOWN,
   * and KEY_POOL.KEY_CHANGED when `ifVersion` is not the version it would change. When the token is over after the
   * change its sealed bytes are overwritten in the same transaction.
   */
  abstract update(
    workspaceId: string,
    id: string,
    change: (key: ApiKey, fingerprint: string) => ApiKey,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<ApiKey>;
  /** Like `update`, and keeps the successor that the change made in the same transaction. */
  abstract replace(
    workspaceId: string,
    id: string,
    change: (key: ApiKey) => { retired: ApiKey; successor: ApiKey },
    sealed: Omit<SealedKey, 'key'>,
    note: AuditNote,
    ifVersion?: number,
  ): Promise<{ retired: ApiKey; successor: ApiKey }>;
  /** Newest first, those before version `before`; of deleted keys too. Throws KEY_POOL.KEY_UNKNOWN. */
  abstract history(
    workspaceId: string,
    id: string,
    page: { limit: number; before?: number | undefined },
  ): Promise<KeyHistoryEntry[]>;
}
