import { type Clock, type Ids, type KeyId, Secret, type WorkspaceId } from '@sociograph/kernel';
import { ApiKey } from '../domain/api-key';
import { keyInput } from '../domain/errors';
import type { KeyLimits } from '../domain/key-settings';
import type { KeyKind } from '../domain/networks';
import { ApiKeys, type AuditNote, KeyVault } from '../domain/ports';

export interface RegisterKey {
  workspaceId: WorkspaceId;
  network: string;
  kind: KeyKind;
  token: string;
  label?: string | undefined;
  limits?: Partial<KeyLimits> | undefined;
  egress?: string | undefined;
  consent: { givenBy: string; at?: number | undefined };
  actor: AuditNote['actor'];
  correlationId?: string | undefined;
}

const TOKEN = /^[\x21-\x7e]{8,2048}$/;

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
    const { token, actor, correlationId, ...described } = command;
    const key = ApiKey.create({ ...described, id: this.ids.next() as KeyId, now: this.clock.nowMs() });
    if (!TOKEN.test(token)) {
      throw keyInput('token', 'must be 8 to 2048 printable characters without spaces');
    }
    const secret = new Secret(token);
    const { workspaceId, network, tokenVersion } = key.details;
    const sealed = await this.vault.seal(secret, { workspaceId, keyId: key.id, tokenVersion });
    const fingerprint = await this.vault.fingerprint(network, secret);
    await this.keys.add(key, sealed, fingerprint, { actor, action: 'key.register', correlationId });
    // A hint: the pool reads new keys every few seconds anyway.
    await this.refreshPool().catch(() => undefined);
    return key;
  }
}
