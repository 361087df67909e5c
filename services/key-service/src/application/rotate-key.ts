import type { Clock, Ids, KeyId } from '@sociograph/kernel';
import type { ApiKey } from '../domain/api-key';
import { keyUnknown } from '../domain/errors';
import { ApiKeys } from '../domain/api-keys';
import type { KeyCommand } from './change-key-state';
import type { GivenTokens, TokenSealer } from './seal-tokens';

/** A refresh token of the old token is of no use to the new one. */
export interface RotateKey extends KeyCommand, GivenTokens {
  /** Of the new token; that of the old one goes on unless it is told. */
  consent?: { givenBy: string; at?: number | undefined } | undefined;
}

/**
 * Puts a new token into the place of an old one. The new key has an id of its own, the old key's settings and its
 * bucket; from the moment of the change only the new one is leased, and the old one is `replaced` once the leases
 * that are open have ended (FinishReplacements).
 */
export class KeyRotator {
  constructor(
    private readonly keys: ApiKeys,
    private readonly sealer: Pick<TokenSealer, 'seal'>,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly refreshPool: () => Promise<unknown>,
  ) {}

  async rotate(command: RotateKey): Promise<ApiKey> {
    const { workspaceId, keyId, token, consent, refresh, actor, correlationId, ifVersion } = command;
    const known = await this.keys.find(workspaceId, keyId);
    if (known === undefined) throw keyUnknown();
    const now = this.clock.nowMs();
    const id = this.ids.next() as KeyId;
    const tokens = { token, refresh };
    const sealed = await this.sealer.seal(known.details.network, tokens, { workspaceId, keyId: id });
    const refreshable = refresh !== undefined;
    const { successor } = await this.keys.replace(
      workspaceId,
      keyId,
      (key) => ({
        retired: key.retire(id, now),
        successor: key.successor({ id, consent, refreshable }, now),
      }),
      sealed,
      { actor, action: 'key.rotate', correlationId },
      ifVersion,
    );
    await this.refreshPool().catch(() => undefined);
    return successor;
  }
}
