import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { type Clock, DomainError, type Ids, Secret } from '@sociograph/kernel';
import { sealBroken, vaultUnavailable } from '../domain/errors';
import {
  DataKeys,
  KeyVault,
  Kms,
  type SealedToken,
  type TokenBinding,
  type WrappedDataKey,
} from '../domain/sealing';

export interface EnvelopeVaultOptions {
  kms: Kms;
  dataKeys: DataKeys;
  clock: Clock;
  ids: Ids;
  /** How long an opened data key or token stays in memory (ms, 5 min). */
  maxAgeMs?: number;
  /** Encryptions of one data key by this process, after which a new one is made (2^20; GCM allows 2^32). */
  maxEncryptions?: number;
  /** A data key older than this seals nothing new (ms, 30 days). */
  rotateAfterMs?: number;
}

interface Held<T> {
  value: T;
  until: number;
}

/** The workspace of what belongs to the whole fleet: no workspace can have this name. */
const FLEET = '*';
const PURPOSE = 'sociograph-key-tokens';

/**
 * Envelope encryption: tokens under a data key of their workspace (AES-256-GCM, fresh iv, bound to workspace, key id
 * and version of the token), data keys under KMS. While KMS is away what is in memory serves until its age; then
 * sealing and opening fail with KEY_POOL.VAULT_UNAVAILABLE. Nothing is ever stored in the clear.
 */
export class EnvelopeVault extends KeyVault {
  readonly #options: EnvelopeVaultOptions;
  readonly #maxAgeMs: number;
  /** By id of the data key. */
  readonly #opened = new Map<string, Held<Buffer>>();
  /** By id of the API key: its opened token and the version that it is of. */
  readonly #tokens = new Map<string, Held<{ version: number; token: Secret }>>();
  readonly #fleetKeys = new Map<string, Held<Buffer>>();
  readonly #encryptions = new Map<string, number>();
  readonly #current = new Map<string, Held<Promise<WrappedDataKey>>>();

  constructor(options: EnvelopeVaultOptions) {
    super();
    this.#options = options;
    this.#maxAgeMs = options.maxAgeMs ?? 300_000;
  }

  async seal(token: Secret, binding: TokenBinding): Promise<SealedToken> {
    return this.sealUnder(await this.#currentKey(binding.workspaceId), token, binding);
  }

  async sealUnder(dataKey: WrappedDataKey, token: Secret, binding: TokenBinding): Promise<SealedToken> {
    const plain = await this.#open(dataKey);
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', plain, iv).setAAD(aad(binding));
    const text = Buffer.concat([cipher.update(token.reveal(), 'utf8'), cipher.final()]);
    this.#encryptions.set(dataKey.id, (this.#encryptions.get(dataKey.id) ?? 0) + 1);
    return { dataKeyId: dataKey.id, bytes: Buffer.concat([iv, cipher.getAuthTag(), text]) };
  }

  async open(sealed: SealedToken, binding: TokenBinding): Promise<Secret> {
    const now = this.#options.clock.monotonicMs();
    // A refresh token is used once: it is not kept.
    const kept = binding.part === undefined;
    const held = kept ? this.#tokens.get(binding.keyId) : undefined;
    if (held !== undefined && held.until > now && held.value.version === binding.tokenVersion) {
      return held.value.token;
    }
    const plain = await this.#openById(sealed.dataKeyId);
    const token = new Secret(decrypt(plain, sealed.bytes, aad(binding)));
    const until = now + this.#maxAgeMs;
    if (kept) this.#tokens.set(binding.keyId, { value: { version: binding.tokenVersion, token }, until });
    return token;
  }

  async fingerprint(network: string, token: Secret): Promise<string> {
    const key = await this.fleetKey('fingerprint');
    return createHmac('sha256', key).update(`${network}|${token.reveal()}`).digest('base64url');
  }

  forget(keyId: string): void {
    this.#tokens.delete(keyId);
  }

  /** A key that every instance derives alike: all of them use the oldest data key of the fleet. */
  async fleetKey(purpose: string): Promise<Buffer> {
    const now = this.#options.clock.monotonicMs();
    const held = this.#fleetKeys.get(purpose);
    if (held !== undefined && held.until > now) return held.value;
    let root = await this.#asUnavailable(this.#options.dataKeys.oldest(FLEET));
    if (root === undefined) {
      await this.#make(FLEET);
      root = await this.#asUnavailable(this.#options.dataKeys.oldest(FLEET));
    }
    const plain = await this.#open(root as WrappedDataKey);
    const value = Buffer.from(hkdfSync('sha256', plain, '', `sociograph ${purpose}`, 32));
    // No older than what it is derived from.
    this.#fleetKeys.set(purpose, {
      value,
      until: this.#opened.get((root as WrappedDataKey).id)?.until ?? now,
    });
    return value;
  }

  /** Drops what is too old to be kept; called now and then so that idle keys do not stay open. */
  sweep(): void {
    const now = this.#options.clock.monotonicMs();
    for (const [id, held] of this.#tokens) if (held.until <= now) this.#tokens.delete(id);
    for (const [purpose, held] of this.#fleetKeys) if (held.until <= now) this.#fleetKeys.delete(purpose);
    for (const [id, held] of this.#opened) {
      if (held.until > now) continue;
      held.value.fill(0);
      this.#opened.delete(id);
    }
  }

  async #currentKey(workspaceId: string): Promise<WrappedDataKey> {
    const { clock, rotateAfterMs = 30 * 86_400_000, maxEncryptions = 2 ** 20 } = this.#options;
    const held = this.#current.get(workspaceId);
    const known = held !== undefined && held.until > clock.monotonicMs() ? await held.value : undefined;
    const fresh = (key: WrappedDataKey): boolean =>
      clock.nowMs() - key.createdAt < rotateAfterMs && (this.#encryptions.get(key.id) ?? 0) < maxEncryptions;
    if (known !== undefined && fresh(known)) return known;
    const made = this.#newest(workspaceId, fresh);
    // Looked up again after a while: a newer one may have been made elsewhere.
    this.#current.set(workspaceId, { value: made, until: clock.monotonicMs() + this.#maxAgeMs });
    made.catch(() => this.#current.delete(workspaceId));
    return made;
  }

  async #newest(workspaceId: string, fresh: (key: WrappedDataKey) => boolean): Promise<WrappedDataKey> {
    const stored = await this.#asUnavailable(this.#options.dataKeys.newest(workspaceId));
    return stored !== undefined && fresh(stored) ? stored : this.#make(workspaceId);
  }

  /** A data key that seals from now on; instances that have another in mind take it after its age. */
  newDataKey(workspaceId: string): Promise<WrappedDataKey> {
    return this.#make(workspaceId);
  }

  async #make(workspaceId: string): Promise<WrappedDataKey> {
    const { kms, dataKeys, clock, ids } = this.#options;
    const { plain, wrapped } = await this.#asUnavailable(kms.generateDataKey(contextOf(workspaceId)));
    const key = { id: ids.next(), workspaceId, wrapped, createdAt: clock.nowMs() };
    await this.#asUnavailable(dataKeys.add(key));
    this.#hold(key.id, plain);
    return key;
  }

  async #openById(id: string): Promise<Buffer> {
    const held = this.#heldKey(id);
    if (held !== undefined) return held;
    const key = await this.#asUnavailable(this.#options.dataKeys.byId(id));
    if (key === undefined) throw sealBroken();
    return this.#open(key);
  }

  async #open(key: WrappedDataKey): Promise<Buffer> {
    const held = this.#heldKey(key.id);
    if (held !== undefined) return held;
    const plain = await this.#asUnavailable(
      this.#options.kms.unwrap(key.wrapped, contextOf(key.workspaceId)),
    );
    return this.#hold(key.id, plain);
  }

  #heldKey(id: string): Buffer | undefined {
    const held = this.#opened.get(id);
    return held !== undefined && held.until > this.#options.clock.monotonicMs() ? held.value : undefined;
  }

  #hold(id: string, plain: Buffer): Buffer {
    this.#opened.set(id, { value: plain, until: this.#options.clock.monotonicMs() + this.#maxAgeMs });
    return plain;
  }

  /** A domain error keeps its meaning; anything else is a server that did not answer as it should. */
  async #asUnavailable<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      throw cause instanceof DomainError ? cause : vaultUnavailable(cause);
    }
  }
}

/** What a data key is bound to. */
export function contextOf(workspaceId: string): Record<string, string> {
  return { workspace: workspaceId, purpose: PURPOSE };
}

function aad(binding: TokenBinding): Buffer {
  const { workspaceId, keyId, tokenVersion, part } = binding;
  return Buffer.from([workspaceId, keyId, tokenVersion, ...(part === undefined ? [] : [part])].join('|'));
}

function decrypt(key: Buffer, sealed: Uint8Array, bound: Buffer): string {
  const bytes = Buffer.from(sealed);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
    decipher.setAAD(bound).setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw sealBroken(cause);
  }
}
