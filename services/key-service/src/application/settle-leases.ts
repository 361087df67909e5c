import type { CallReport } from '@sociograph/contracts';
import { effectsOf } from '../domain/outcomes';
import type { KeyEvent } from '../domain/key-events';
import { QuotaLedger, type SettleStatus, type SlotReport } from '../domain/quota-ledger';
import type { NetworkRules } from '../domain/networks';

export interface SettleLeases {
  service: string;
  session: string;
  sequence: number;
  settles: {
    leaseId: string;
    fence: number;
    workspaceId: string;
    rules: NetworkRules;
    reports: CallReport[];
    unusedMethods?: Readonly<Record<string, number>> | undefined;
    /** As the worker was granted it; for figures only. */
    keyId?: string | undefined;
    methods?: Readonly<Record<string, number>> | undefined;
    grantedAt?: number | undefined;
  }[];
}

export type SettleLeasesVerdict =
  | { kind: 'settled'; poolNow: number; results: SettleStatus[]; events: KeyEvent[]; freed: boolean }
  | { kind: 'denied'; poolNow: number; reason: 'replay' | 'recovering' };

/** Hears of each lease once its settle was booked, or was found to be late, repeated or unknown. */
export type OnSettled = (
  settle: SettleLeases['settles'][number],
  status: SettleStatus,
  poolNow: number,
) => void;

/** Books what became of the slots; the ledger draws the conclusions about keys in the same step. */
export class SettleDesk {
  readonly #ledger: QuotaLedger;
  readonly #onSettled: OnSettled;

  constructor(ledger: QuotaLedger, onSettled: OnSettled) {
    this.#ledger = ledger;
    this.#onSettled = onSettled;
  }

  async settle(command: SettleLeases): Promise<SettleLeasesVerdict> {
    const results = command.settles.map((): SettleStatus => 'unknown');
    const events: KeyEvent[] = [];
    let { sequence } = command;
    let poolNow = this.#ledger.poolNow();
    const networks = new Set(command.settles.map((settle) => settle.rules));
    for (const rules of networks) {
      const indexes = command.settles.flatMap((settle, index) => (settle.rules === rules ? [index] : []));
      const verdict = await this.#ledger.settle({
        by: command.service,
        session: command.session,
        sequence,
        rules,
        settles: indexes.map((index) => {
          const { leaseId, fence, workspaceId, reports, unusedMethods } = command.settles[
            index
          ] as SettleLeases['settles'][0];
          return {
            leaseId,
            fence,
            workspaceId,
            reports: reports.map((report) => slotReport(report)),
            ...(unusedMethods !== undefined && { unusedMethods }),
          };
        }),
      });
      if (verdict.kind === 'denied') return verdict;
      poolNow = verdict.poolNow;
      verdict.statuses.forEach((status, at) => (results[indexes[at] as number] = status));
      events.push(...verdict.events);
      sequence = 0;
    }
    command.settles.forEach((settle, index) =>
      this.#onSettled(settle, results[index] as SettleStatus, poolNow),
    );
    const freed = command.settles.some(
      (settle, index) =>
        results[index] === 'settled' && settle.reports.some((report) => report.outcome === 'unsent'),
    );
    return { kind: 'settled', poolNow, results, events, freed };
  }
}

function slotReport(report: CallReport): SlotReport {
  if (report.outcome === 'unsent') return { slot: report.slot, outcome: 'unsent' };
  const effects = effectsOf(report);
  const { slot, sentAt } = report;
  if (report.outcome === 'broken') return { slot, outcome: 'broken', sentAt, effects };
  const { answeredAt, serverDate } = report;
  return { slot, outcome: 'answered', sentAt, answeredAt, serverDate, effects };
}

/** What calls are counted by: the code of the network or the status, never an id of a person. */
export function resultOf(report: CallReport): string {
  if (report.outcome !== 'answered') return report.outcome;
  if (report.error !== undefined) return `error-${report.error.code}`;
  return report.status === 200 ? 'ok' : `http-${report.status}`;
}
