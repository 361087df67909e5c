import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { DomainError, type Clock } from '@sociograph/kernel';

/** Keys older than this are fetched again before use: a key that Keycloak withdrew is trusted no longer than this. */
const FRESH_MS = 30_000;
/** How long known keys serve while Keycloak does not answer. */
const STALE_MS = 600_000;
/** After a failed refresh, requests do not wait for the next attempt more often than this. */
const RETRY_MS = 5_000;
/** At most one request to Keycloak in this time, however many unknown key ids arrive. */
const GAP_MS = 1_000;
/** How long an id that was not among the keys is refused without asking again. */
const ABSENT_MS = 5_000;
const MAX_ABSENT = 1_000;
const MIN_MODULUS_BITS = 2_048;

export interface KeySetOptions {
  clock: Clock;
  /** Answers the JWKS document. */
  fetch: () => Promise<unknown>;
  sleep?: (ms: number) => Promise<void>;
}

/**
 * Keycloak's signing keys by key id. Unknown ids join ONE fetch that begins after they arrived, so a new key is
 * found at once; forged ids cost Keycloak one request a second and each a place in a bounded list, and never delay
 * a known id.
 */
export class KeySet {
  private keys = new Map<string, KeyObject>();
  /** When the fetch that brought `keys` began. */
  private fetchedAt = -Infinity;
  private startedAt = -Infinity;
  private failedAt = -Infinity;
  private running: Promise<void> | undefined;
  private readonly absentUntil = new Map<string, number>();

  constructor(private readonly options: KeySetOptions) {}

  /**
   * The key, or undefined when Keycloak has none of this id, or is away and the keys that it had lately hold none;
   * `unavailable` when there are no such keys.
   */
  async find(keyId: string): Promise<KeyObject | undefined> {
    const now = this.now();
    if (now - this.fetchedAt > FRESH_MS && now - this.failedAt > RETRY_MS) {
      const refreshed = this.refresh().catch(() => undefined);
      // Away at the last attempt: a server that hangs must not hold up every token of a known key again and again.
      if (this.failedAt < this.fetchedAt || this.areTooOld()) await refreshed;
    }
    if (this.areTooOld()) throw keysUnavailable();
    const key = this.keys.get(keyId);
    if (key !== undefined) return key;
    if ((this.absentUntil.get(keyId) ?? -Infinity) > now) return undefined;
    try {
      while (this.fetchedAt < now) await this.refresh();
    } catch {
      return this.keys.get(keyId);
    }
    const found = this.keys.get(keyId);
    if (found === undefined) this.rememberAbsent(keyId);
    return found;
  }

  private areTooOld(): boolean {
    return this.now() - this.fetchedAt > STALE_MS;
  }

  private refresh(): Promise<void> {
    this.running ??= this.fetchKeys().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async fetchKeys(): Promise<void> {
    const wait = this.startedAt + GAP_MS - this.now();
    if (wait > 0) await (this.options.sleep ?? pause)(wait);
    this.startedAt = this.now();
    try {
      this.keys = usableKeys(await this.options.fetch());
      this.fetchedAt = this.startedAt;
    } catch (cause) {
      this.failedAt = this.now();
      throw keysUnavailable(cause);
    }
  }

  private rememberAbsent(keyId: string): void {
    const oldest = this.absentUntil.keys().next();
    if (this.absentUntil.size >= MAX_ABSENT && oldest.done !== true) this.absentUntil.delete(oldest.value);
    this.absentUntil.set(keyId, this.now() + ABSENT_MS);
  }

  private now(): number {
    return this.options.clock.monotonicMs();
  }
}

/** Fetches a JWKS document; 3 s at most. */
export function jwksOver(url: string): () => Promise<unknown> {
  return async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(3000), redirect: 'error' });
    if (!response.ok) throw new Error(`the key endpoint answered ${response.status}`);
    return response.json();
  };
}

/** RSA signature keys of at least 2048 bits; whatever else the document holds (encryption keys) is left out. */
function usableKeys(document: unknown): Map<string, KeyObject> {
  const list = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw new Error('the key endpoint did not answer a key set');
  const keys = new Map<string, KeyObject>();
  for (const jwk of list as (JsonWebKey & { kid?: unknown; use?: unknown; alg?: unknown })[]) {
    if (jwk.kty !== 'RSA' || typeof jwk.kid !== 'string') continue;
    if ((jwk.use ?? 'sig') !== 'sig' || (jwk.alg ?? 'RS256') !== 'RS256') continue;
    const key = createPublicKey({ key: { kty: 'RSA', n: jwk.n, e: jwk.e } as JsonWebKey, format: 'jwk' });
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_MODULUS_BITS) keys.set(jwk.kid, key);
  }
  return keys;
}

function keysUnavailable(cause?: unknown): DomainError {
  return new DomainError({
    code: 'AUTH.KEYS_UNAVAILABLE',
    kind: 'unavailable',
    message: 'Tokens cannot be verified at the moment.',
    retryAfterSeconds: 2,
    cause,
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
