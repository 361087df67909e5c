import type { ApiKey } from '../domain/api-key';
import { Utilisation } from '../domain/utilisation';
import { PoolFigures } from '../domain/pool-report';
import type { LedgerGrant, SettleStatus } from '../domain/quota-ledger';
import type { AcquireLease } from './acquire-lease';
import type { KeyRing } from './key-ring';
import type { UseRecorder } from './record-uses';
import { resultOf, type SettleLeases } from './settle-leases';

export interface LeaseWatchParts {
  ring: Pick<KeyRing, 'key' | 'keys'>;
  recorder: Pick<UseRecorder, 'granted' | 'settled'>;
  figures: PoolFigures;
}

type Settle = SettleLeases['settles'][number];
type Report = Settle['reports'][number];

/** Notes what is granted and what came of it, for figures and for the record of uses. Never waits, never throws. */
export class LeaseWatch {
  readonly #parts: LeaseWatchParts;
  readonly #used = new Map<string, Utilisation>();

  constructor(parts: LeaseWatchParts) {
    this.#parts = parts;
  }

  /** `waitedMs`: from the request to its answer. */
  granted(command: AcquireLease, grant: LedgerGrant, poolNow: number, waitedMs: number): void {
    const { ring, recorder, figures } = this.#parts;
    const { requestId: leaseId, rules, workspaceId, importId, service, methods } = command;
    const { keyId, grantedAt, slots } = grant;
    const { network } = rules;
    figures.keyUsed(keyId, slots.length);
    figures.waited((waitedMs + Math.max(0, (slots[0] ?? poolNow) - poolNow)) / 1000);
    recorder.granted({
      leaseId,
      keyId,
      keyWorkspaceId: ring.key(keyId)?.details.workspaceId ?? workspaceId,
      network,
      workspaceId,
      importId,
      service,
      methods,
      calls: slots.length,
      grantedAt,
      settledAt: null,
      results: null,
    });
  }

  /** What a settle said of one lease; repeated and unknown ones change no figure. */
  settled(settle: Settle, status: SettleStatus, poolNow: number): void {
    if (status === 'unknown' || status === 'already-settled') return;
    const { recorder, figures } = this.#parts;
    const { leaseId, rules, reports, grantedAt } = settle;
    recorder.settled(leaseId, reports, poolNow);
    if (grantedAt !== undefined) figures.held(Math.max(0, poolNow - grantedAt) / 1000);
    for (const report of reports) this.#count(settle, report);
    const sent = reports.filter(({ outcome }) => outcome !== 'unsent').length;
    this.#utilisationOf(rules.network).add(sent, poolNow);
  }

  /** Calls sent within the last minute over what the active keys allow, by network. As this process was told. */
  utilisation(poolNow: number): Map<string, number> {
    const perMs = new Map<string, number>();
    for (const key of this.#parts.ring.keys()) {
      if (key.state !== 'active') continue;
      const { network } = key.details;
      perMs.set(network, (perMs.get(network) ?? 0) + quotaPerMs(key));
    }
    const shares = [...perMs].map(
      ([network, ceiling]) => [network, this.#utilisationOf(network).share(ceiling, poolNow)] as const,
    );
    return new Map(shares);
  }

  #count(settle: Settle, report: Report): void {
    const { figures, ring } = this.#parts;
    const { rules, keyId } = settle;
    const { network } = rules;
    const result = resultOf(report);
    if (report.outcome === 'unsent') figures.slotLost(network, report.cause ?? 'unknown');
    const failed = report.outcome === 'answered' ? (report.methodErrors ?? []) : [];
    for (const [method, count] of methodsOf(settle)) {
      const errors = failed.filter((error) => error.method === method);
      for (const { code } of errors) figures.called(network, method, `error-${code}`, 1);
      if (count > errors.length) figures.called(network, method, result, count - errors.length);
    }
    if (report.outcome !== 'answered' || keyId === undefined || ring.key(keyId) === undefined) return;
    if (report.error !== undefined) figures.keyErred(keyId, String(report.error.code));
    else if (report.status !== 200) figures.keyErred(keyId, `http-${report.status}`);
  }

  #utilisationOf(network: string): Utilisation {
    const known = this.#used.get(network);
    if (known !== undefined) return known;
    const made = new Utilisation();
    this.#used.set(network, made);
    return made;
  }
}

/** Methods of one call of the lease; those that the network does not declare, or nobody told, are `other`. */
function methodsOf({ methods, reports, rules }: Settle): [string, number][] {
  const told = Object.entries(methods ?? {});
  if (told.length === 0) return [['other', 1]];
  return told.map(([method, count]) => [
    Object.hasOwn(rules.callers, method) ? method : 'other',
    Math.max(1, Math.round(count / reports.length)),
  ]);
}

function quotaPerMs(key: ApiKey): number {
  return key.details.limits.perSecond / 1000;
}
