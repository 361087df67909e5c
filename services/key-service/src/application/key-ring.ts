import type { Secret } from '@sociograph/kernel';
import type { ApiKey } from '../domain/api-key';
import { KeyCatalogue, type StoredKey } from '../domain/ports';
import { QuotaLedger } from '../domain/quota-ledger';
import { KeyVault } from '../domain/sealing';

/** What the ring found out about a key whose row does not know it yet. */
export type Differing = { key: ApiKey; state: string };

/**
 * All keys of the fleet in memory, sealed: leasing never waits for PostgreSQL. It follows the catalogue by revision,
 * tells the ledger what changed, and opens tokens for leases. A key costs about half a kilobyte.
 */
export class KeyRing {
  readonly #keys = new Map<string, StoredKey>();
  readonly #catalogue: KeyCatalogue;
  readonly #ledger: QuotaLedger;
  readonly #vault: KeyVault;
  /** Changed, and not yet told to the ledger. */
  readonly #untold = new Map<string, ApiKey>();
  #since = 0;
  #turn = this.#keys.values();
  #refreshing: Promise<Differing[]> | undefined;

  constructor(catalogue: KeyCatalogue, ledger: QuotaLedger, vault: KeyVault) {
    this.#catalogue = catalogue;
    this.#ledger = ledger;
    this.#vault = vault;
  }

  /** Reads what changed since the last time; answers keys that the ledger has in another state. */
  refresh(): Promise<Differing[]> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Tells the ledger everything: its memory is new. */
  async defineAll(): Promise<Differing[]> {
    return this.#define([...this.#keys.values()].map(({ key }) => key));
  }

  /**
   * Tells the ledger so many keys once more, each time the next ones; answers those that it has in another state. What an
   * answer made of a key is known to the ledger alone when its own answer is lost.
   */
  async compareNext(count: number): Promise<Differing[]> {
    const keys: ApiKey[] = [];
    while (keys.length < count) {
      const next = this.#turn.next();
      if (next.done === true) {
        this.#turn = this.#keys.values();
        break;
      }
      if (!next.value.key.tokenIsOver) keys.push(next.value.key);
    }
    return this.#define(keys);
  }

  /** Every key that was ever met, ended ones included. */
  *keys(): Generator<ApiKey> {
    for (const { key } of this.#keys.values()) yield key;
  }

  key(id: string): ApiKey | undefined {
    return this.#keys.get(id)?.key;
  }

  /** The token of a key in the version that was granted; undefined when the ring does not hold that version. */
  async token(id: string, tokenVersion: number): Promise<Secret | undefined> {
    const stored = this.#keys.get(id);
    if (stored === undefined || stored.key.details.tokenVersion !== tokenVersion) return undefined;
    // Destroyed: its key was deleted, replaced or is without consent.
    if (stored.token.bytes.length === 0) return undefined;
    const { workspaceId } = stored.key.details;
    return this.#vault.open(stored.token, { workspaceId, keyId: id, tokenVersion });
  }

  /** Keys that a workspace may lease: its own and those shared with it. */
  leasableBy(workspaceId: string, network: string): ApiKey[] {
    return [...this.#keys.values()]
      .map(({ key }) => key)
      .filter((key) => key.details.network === network && !key.tokenIsOver)
      .filter(
        ({ details }) => details.workspaceId === workspaceId || details.sharedWith.includes(workspaceId),
      );
  }

  /** Keys with a successor that are not `replaced` yet. */
  retiring(): ApiKey[] {
    return [...this.#keys.values()]
      .map(({ key }) => key)
      .filter((key) => key.details.replacedBy !== null && !key.tokenIsOver);
  }

  /** Keys by state, for a gauge. */
  countByState(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { key } of this.#keys.values()) counts.set(key.state, (counts.get(key.state) ?? 0) + 1);
    return counts;
  }

  async #refresh(): Promise<Differing[]> {
    const { keys, next } = await this.#catalogue.changedSince(this.#since);
    for (const stored of keys) {
      const { id } = stored.key;
      const known = this.#keys.get(id);
      if (known !== undefined && known.key.details.version >= stored.key.details.version) {
        if (isSealedAnew(known, stored)) this.#keys.set(id, stored);
        continue;
      }
      this.#keys.set(id, stored);
      this.#untold.set(id, stored.key);
      this.#vault.forget(id);
    }
    this.#since = next;
    return this.#untold.size === 0 ? [] : this.#define([...this.#untold.values()]);
  }

  /** What a ledger that is away could not be told stays in `untold` for the next time. */
  async #define(keys: ApiKey[]): Promise<Differing[]> {
    const differing = keys.length === 0 ? [] : await this.#ledger.define(keys);
    for (const key of keys) if (this.#untold.get(key.id) === key) this.#untold.delete(key.id);
    const told = new Map(keys.map((key) => [key.id as string, key]));
    return differing.flatMap(({ keyId, state }) => {
      const key = told.get(keyId);
      // Where another version came meanwhile, this was said of the one before.
      return key === undefined || this.key(keyId) !== key ? [] : [{ key, state }];
    });
  }
}

/** The same token under another data key: nothing else of the key changed. */
function isSealedAnew(known: StoredKey, stored: StoredKey): boolean {
  return (
    known.key.details.version === stored.key.details.version &&
    known.token.dataKeyId !== stored.token.dataKeyId
  );
}
