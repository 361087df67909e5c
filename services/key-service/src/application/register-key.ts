import type { Clock, Ids, KeyId, WorkspaceId } from '@sociograph/kernel';
import { ApiKey, type KeySettings } from '../domain/api-key';
import type { KeyKind } from '../domain/networks';
import { ApiKeys } from '../domain/api-keys';
import type { AuditNote } from '../domain/audit';
import type { SealedKey } from '../domain/ports';
import type { GivenTokens, TokenSealer } from './seal-tokens';

export interface DescribedKey extends KeySettings, GivenTokens {
  network: string;
  kind: KeyKind;
  consent: { givenBy: string; at?: number | undefined };
}

export interface RegisterKey extends DescribedKey {
  workspaceId: WorkspaceId;
  actor: AuditNote['actor'];
  correlationId?: string | undefined;
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
    private readonly sealer: Pick<TokenSealer, 'seal'>,
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
    const sealed = await this.sealer.seal(described.network, { token, refresh }, { workspaceId, keyId: id });
    const ownBucket = ownBucketOf(sealed.fingerprint);
    return { key: ApiKey.create({ ...settings, workspaceId, id, now, ownBucket }), ...sealed };
  }
}
