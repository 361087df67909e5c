import type { Secret } from '@sociograph/kernel';

/** A token as it is stored: opened only by the vault, bound to workspace, key id and version of the token. */
export interface SealedToken {
  dataKeyId: string;
  /** iv(12) | tag(16) | ciphertext. */
  bytes: Uint8Array;
}

export interface TokenBinding {
  workspaceId: string;
  keyId: string;
  tokenVersion: number;
  /** The refresh token of the pair is bound to being one. */
  part?: 'refresh' | undefined;
}

export interface WrappedDataKey {
  id: string;
  workspaceId: string;
  wrapped: Uint8Array;
  createdAt: number;
}

/** Wrapped data keys: the newest of a workspace seals, all of them open. */
export abstract class DataKeys {
  abstract oldest(workspaceId: string): Promise<WrappedDataKey | undefined>;
  abstract newest(workspaceId: string): Promise<WrappedDataKey | undefined>;
  abstract byId(id: string): Promise<WrappedDataKey | undefined>;
  abstract add(key: WrappedDataKey): Promise<void>;
}

/** Seals and opens tokens. Opened tokens and data keys stay in memory for a bounded age. */
export abstract class KeyVault {
  abstract seal(token: Secret, binding: TokenBinding): Promise<SealedToken>;
  abstract open(sealed: SealedToken, binding: TokenBinding): Promise<Secret>;
  /** Keyed digest by which a token is recognised without being read. */
  abstract fingerprint(network: string, token: Secret): Promise<string>;
  /** Drops what is held of a key in memory. */
  abstract forget(keyId: string): void;
}

/** A token as it stands in a row, wherever: what is needed to seal it anew. */
export interface StoredToken {
  /** Names the row and what it holds. */
  place: string;
  sealed: SealedToken;
  binding: TokenBinding;
}

/** All that is sealed, for a change of the master key or of data keys. Compares before it writes. */
export abstract class SealedStore {
  /** Wrapped data keys of the fleet in the order of their ids. */
  abstract dataKeys(after: string | undefined, limit: number): Promise<WrappedDataKey[]>;
  /** False: it was wrapped anew by somebody else, or is gone. */
  abstract rewrap(id: string, from: Uint8Array, to: Uint8Array): Promise<boolean>;
  /** Tokens of a workspace that are not under this data key. */
  abstract tokensNotUnder(workspaceId: string, dataKeyId: string, limit: number): Promise<StoredToken[]>;
  /** False: the token is another one by now, or destroyed. */
  abstract reseal(token: StoredToken, to: SealedToken): Promise<boolean>;
  /** What stands in the row now. */
  abstract read(token: StoredToken): Promise<SealedToken | undefined>;
}

/** Key management service: makes data keys and opens wrapped ones; `context` is bound to them. */
export abstract class Kms {
  abstract generateDataKey(context: Record<string, string>): Promise<{ plain: Buffer; wrapped: Buffer }>;
  abstract unwrap(wrapped: Uint8Array, context: Record<string, string>): Promise<Buffer>;
  /** Wraps a data key that exists, under the newest master key. */
  abstract wrap(plain: Uint8Array, context: Record<string, string>): Promise<Buffer>;
  /** False: another master key than the newest wrapped it. */
  abstract isNewest(wrapped: Uint8Array, context: Record<string, string>): Promise<boolean>;
}
