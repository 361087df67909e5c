import { type Deed, WriteAudit } from '@sociograph/kernel';

/** An audit trail in memory: `action target by`, and what failed with its reason. `away`: nothing can be told to it. */
export class ToldAudit extends WriteAudit {
  readonly told: string[] = [];
  away: Error | undefined;

  override async record(
    { by, action, target }: Deed,
    outcome?: { result: 'done' | 'failed'; reason?: string },
  ): Promise<void> {
    if (this.away !== undefined) throw this.away;
    const failed = outcome?.result === 'failed' ? ` failed ${outcome.reason ?? ''}` : '';
    this.told.push(`${action} ${target} ${by}${failed}`);
  }
}
