import type { Clock } from '@sociograph/kernel';
import type { ApiKey } from '../domain/api-key';
import { ApiKeys } from '../domain/api-keys';
import type { AuditNote } from '../domain/audit';
import { KeyStateBroadcast } from '../domain/ports';

export type StateChange = 'pause' | 'resume' | 'delete' | 'withdrawConsent';

/** A change that somebody wants of one key. */
export interface KeyCommand {
  workspaceId: string;
  keyId: string;
  actor: AuditNote['actor'];
  correlationId?: string | undefined;
  /** The version that the caller saw, from If-Match. */
  ifVersion?: number | undefined;
}

export interface ChangeKeyState extends KeyCommand {
  change: StateChange;
}

const ACTIONS = {
  pause: 'key.pause',
  resume: 'key.resume',
  delete: 'key.delete',
  withdrawConsent: 'key.withdraw-consent',
} satisfies Record<StateChange, string>;

/** Pauses, resumes and deletes keys, ends consents; the pool and the workers hear of it at once. */
export class KeyKeeper {
  constructor(
    private readonly keys: ApiKeys,
    private readonly broadcast: KeyStateBroadcast,
    private readonly clock: Clock,
    private readonly refreshPool: () => Promise<unknown>,
  ) {}

  async change(command: ChangeKeyState): Promise<ApiKey> {
    const { workspaceId, keyId, change, actor, correlationId, ifVersion } = command;
    const now = this.clock.nowMs();
    const note: AuditNote = { actor, action: ACTIONS[change], correlationId };
    const key = await this.keys.update(workspaceId, keyId, (known) => known[change](now), note, ifVersion);
    await this.#tell(key, now);
    return key;
  }

  /** What settles said of a key: its token is refused for good. */
  async invalidate(workspaceId: string, keyId: string, reason: string, service: string): Promise<ApiKey> {
    const now = this.clock.nowMs();
    const note: AuditNote = { actor: { kind: 'service', id: service }, action: 'key.invalidate' };
    const key = await this.keys.update(workspaceId, keyId, (known) => known.invalidate(reason, now), note);
    await this.#tell(key, now);
    return key;
  }

  /** The last lease of a key that has a successor is gone. */
  async finishReplacement(workspaceId: string, keyId: string): Promise<ApiKey> {
    const now = this.clock.nowMs();
    const note: AuditNote = { actor: { kind: 'service', id: 'key-service' }, action: 'key.replaced' };
    const key = await this.keys.update(workspaceId, keyId, (known) => known.finishReplacement(now), note);
    await this.#tell(key, now);
    return key;
  }

  /** Both are hints: the ledger hears of it again by the next refresh, and refuses by itself. */
  async #tell(key: ApiKey, now: number): Promise<void> {
    await Promise.allSettled([this.refreshPool(), this.broadcast.announce(key, now)]);
  }
}
