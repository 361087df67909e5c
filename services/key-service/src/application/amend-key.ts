import type { Clock } from '@sociograph/kernel';
import type { ApiKey, KeySettings } from '../domain/api-key';
import { ApiKeys } from '../domain/api-keys';
import type { KeyCommand } from './change-key-state';
import { ownBucketOf } from './register-key';

/** Changes settings of keys: limits, weight, bucket, who may lease them. The next grant knows of it. */
export class KeyEditor {
  constructor(
    private readonly keys: ApiKeys,
    private readonly clock: Clock,
    private readonly refreshPool: () => Promise<unknown>,
  ) {}

  amend(command: KeyCommand & { settings: KeySettings }): Promise<ApiKey> {
    const { settings } = command;
    const change = (known: ApiKey, fingerprint: string, now: number): ApiKey =>
      known.amend(settings, ownBucketOf(fingerprint), now);
    return this.#change(command, 'key.amend', change);
  }

  /** Leases that other workspaces hold already end by themselves, within seconds. */
  share(command: KeyCommand & { workspaces: readonly string[] }): Promise<ApiKey> {
    const { workspaces } = command;
    return this.#change(command, 'key.share', (known, _, now) => known.share(workspaces, now));
  }

  async #change(
    command: KeyCommand,
    action: string,
    change: (known: ApiKey, fingerprint: string, now: number) => ApiKey,
  ): Promise<ApiKey> {
    const { workspaceId, keyId, actor, correlationId, ifVersion } = command;
    const now = this.clock.nowMs();
    const key = await this.keys.update(
      workspaceId,
      keyId,
      (known, fingerprint) => change(known, fingerprint, now),
      { actor, action, correlationId },
      ifVersion,
    );
    // A hint: the pool reads changed keys every few seconds anyway.
    await this.refreshPool().catch(() => undefined);
    return key;
  }
}
