import { type Clock, type Ids, type KeyId, Secret, type WorkspaceId } from '@sociograph/kernel';
import { ApiKey, type KeySettings } from '../domain/api-key';
import { keyInput } from '../domain/errors';
import type { KeyKind } from '../domain/networks';
import { ApiKeys, type AuditNote, KeyVault, type SealedKey, type TokenBinding } from '../domain/ports';

export interface DescribedKey extends KeySettings {
  network: string;
  kind: KeyKind;
  token: string;
  consent: { givenBy: string; at?: number | undefined };
  /** With it the pool gets another token by itself when this one ran out. */
  refresh?: { token: string; clientId: string; deviceId?: string | undefined } | undefined;
}

export interface RegisterKey extends DescribedKey {
  workspaceId: WorkspaceId;
  actor: AuditNote['actor'];
  correlationId?: string | undefined;
}

const TOKEN = /^[\x21-\x7e]{8,2048}$/;

export function checkToken(token: string, field = 'token'): void {
  if (!TOKEN.test(token)) throw keyInput(field, 'must be 8 to 2048 printable characters without spaces');
}

/**
 * The bucket of a token that counts alone. It hangs on the token and not on the key: whoever deletes a key and
 * registers its token again finds its windows as they were.
 */
export function ownBucketOf(fingerprint: string): string {
  return `token:${fingerprint}`;
}

/** Takes a key into the pool: the token is sealed before anything is written, and is in no answer. */
export class KeyRegistrar {
  constructor(
    private readonly keys: ApiKeys,
    private readonly vault: KeyVault,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly refreshPool: () => Promise<unknown>,
  ) {}

  async register(command: RegisterKey): Promise<ApiKey> {
    const { workspaceId, actor, correlationId, ...described } = command;
    const { key, token, fingerprint, refresh } = await this.prepare(workspaceId, described);
    const note: AuditNote = { actor, action: 'key.register', correlationId };
    await this.keys.add(key, token, fingerprint, note, refresh);
    // A hint: the pool reads new keys every few seconds anyway.
    await this.refreshPool().catch(() => undefined);
    return key;
  }

  /** A key with its token sealed, not kept yet. */
  async prepare(workspaceId: WorkspaceId, described: DescribedKey): Promise<SealedKey> {
    const { token, refresh, ...settings } = described;
    const now = this.clock.nowMs();
    const id = this.ids.next() as KeyId;
    // The rules speak first: a token of an unknown network is not even looked at.
    ApiKey.create({ ...settings, workspaceId, id, now });
    checkToken(token);
    if (refresh !== undefined) checkToken(refresh.token, 'refresh.token');
    const secret = new Secret(token);
    const fingerprint = await this.vault.fingerprint(described.network, secret);
    const ownBucket = ownBucketOf(fingerprint);
    const key = ApiKey.create({ ...settings, workspaceId, id, now, ownBucket });
    const binding: TokenBinding = { workspaceId, keyId: id, tokenVersion: 1 };
    const sealed = await this.vault.seal(secret, binding);
    if (refresh === undefined) return { key, token: sealed, fingerprint };
    const { clientId, deviceId } = refresh;
    const sealedRefresh = await this.vault.seal(new Secret(refresh.token), { ...binding, part: 'refresh' });
    return { key, token: sealed, fingerprint, refresh: { token: sealedRefresh, clientId, deviceId } };
  }
}
