import { keyConflict, keyUnknown, leaseUnknown } from '../domain/errors';
import { ApiKeys } from '../domain/api-keys';
import { type AuditNote, AuditTrail } from '../domain/audit';
import type { KeyRest } from '../domain/key-rests';
import { type OpenLease, QuotaLedger } from '../domain/quota-ledger';
import { askPool } from './ask-pool';

export interface TendKey {
  workspaceId: string;
  keyId: string;
  actor: AuditNote['actor'];
  correlationId?: string | undefined;
}

type Which = Parameters<QuotaLedger['endRests']>[1];

/** What an operator sees and does of keys in the pool's memory: rests, trials, open leases. */
export class KeyTender {
  constructor(
    private readonly keys: Pick<ApiKeys, 'find'>,
    private readonly ledger: Pick<QuotaLedger, 'rests' | 'endRests' | 'leasesOf' | 'release'>,
    private readonly audit: Pick<AuditTrail, 'done'>,
  ) {}

  async rests(workspaceId: string, keyId: string): Promise<KeyRest[]> {
    await this.#own(workspaceId, keyId);
    return askPool(() => this.ledger.rests(keyId));
  }

  async leases(workspaceId: string, keyId: string): Promise<OpenLease[]> {
    await this.#own(workspaceId, keyId);
    return askPool(() => this.ledger.leasesOf(keyId));
  }

  /**
   * Ends all rests of a key, so that the next lease of it is a trial: what comes of its call decides, as after any
   * rest. No limit is overstepped for it. Answers how many rests there were.
   */
  async probe(command: TendKey): Promise<number> {
    const key = await this.#own(command.workspaceId, command.keyId);
    if (key.stateInPool !== 'active') throw keyConflict(key.stateInPool, 'probed');
    return this.#endRests(command, 'key.probe', undefined);
  }

  /** Ends rests before their time: all of a kind, of a method or an address. */
  async endRests(command: TendKey & { which: Which }): Promise<number> {
    await this.#own(command.workspaceId, command.keyId);
    return this.#endRests(command, 'key.end-rests', command.which);
  }

  /** Ends a stuck lease of the workspace; its slots stay charged, and what its worker says later is late. */
  async release(command: Omit<TendKey, 'keyId'> & { leaseId: string }): Promise<void> {
    const { workspaceId, leaseId, actor, correlationId } = command;
    const outcome = await askPool(() => this.ledger.release(workspaceId, leaseId));
    if (outcome === 'unknown') throw leaseUnknown();
    if (outcome === 'ended') return;
    const target = `lease/${leaseId}`;
    await this.audit.done({ workspaceId, actor, action: 'lease.release', target, correlationId });
  }

  async #endRests(command: TendKey, action: string, which: Which): Promise<number> {
    const { workspaceId, keyId, actor, correlationId } = command;
    const ended = await askPool(() => this.ledger.endRests(keyId, which));
    await this.audit.done({ workspaceId, actor, action, target: `key/${keyId}`, correlationId });
    return ended;
  }

  async #own(workspaceId: string, keyId: string) {
    const key = await this.keys.find(workspaceId, keyId);
    if (key === undefined) throw keyUnknown();
    return key;
  }
}
