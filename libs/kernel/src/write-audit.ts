import { isDomainError } from './domain-error';

/** What somebody is about to do, as the audit trail of the workspace will have it. */
export interface Deed {
  readonly workspaceId: string;
  /** Subject of the token. */
  readonly by: string;
  /** `export.create` and the like. */
  readonly action: string;
  /** `export/<id>` and the like. */
  readonly target: string;
}

/** The audit trail of a service without an outbox: told before the deed, so that nothing is done that it does not have. */
export abstract class WriteAudit {
  /** Resolves when the trail has it for good. Throws `unavailable` (503) where it cannot be had. */
  abstract record(deed: Deed, outcome?: { result: 'done' | 'failed'; reason?: string }): Promise<void>;

  /** Records the deed, then does it. One that fails afterwards is recorded once more as failed, with the error's code. */
  async around<R>(deed: Deed, work: () => Promise<R>): Promise<R> {
    await this.record(deed);
    try {
      return await work();
    } catch (error) {
      const reason = isDomainError(error) ? error.code : 'UNEXPECTED';
      // The caller hears of the error itself; the trail says at worst that something was done which was not.
      await this.record(deed, { result: 'failed', reason }).catch(() => undefined);
      throw error;
    }
  }
}
