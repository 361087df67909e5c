import type { BudgetVerdict } from './budget-run';
import type { DeadKeyVerdict } from './dead-key-run';
import type { FaultsVerdict } from './faults-run';
import type { Judged } from './verdict';

const SHOWN = 10;

export function reportFaults(verdict: FaultsVerdict): string {
  const { gapsAfterLoss, longestGap, simulatorLagMs: lag } = verdict;
  const rows: [string, string][] = [
    ['seed', String(verdict.seed)],
    ['time', `${verdict.seconds.toFixed(0)} s`],
    ['faults', words(verdict.faults)],
    ['calls accepted', String(verdict.calls)],
    ['refused with error 6', String(verdict.refused)],
    ['  oversteps', String(verdict.oversteps.length)],
    ['  through a send that was frozen between check and wire', String(verdict.frozenSends.length)],
    ['  through a path slower than its declared spread', String(verdict.slowPath.length)],
    ['sends that their own stamps show as frozen', String(verdict.lateSends)],
    ['slots not used', words(verdict.unsent)],
    ['requests denied', words(verdict.denied)],
    ['losses of Redis', String(gapsAfterLoss.length)],
    ['  longest time without a grant after one', gap(gapsAfterLoss[0])],
    ['longest time without a grant at all', gap(longestGap)],
    [
      'keys in use at the end',
      `${verdict.keysInUse} of ${verdict.keys}, ${(verdict.healedAfterMs / 1000).toFixed(0)} s after the last fault`,
    ],
    [
      'simulator, lag of its event loop',
      `mean ${lag.mean.toFixed(1)} ms, p99 ${lag.p99.toFixed(1)} ms, max ${lag.max.toFixed(1)} ms`,
    ],
    ['processes that ended by themselves', verdict.endedByThemselves.join(', ') || 'none'],
  ];
  const details = [
    ...list('overstep', verdict.oversteps),
    ...list('slow path', verdict.slowPath),
    ...list('frozen send', verdict.frozenSends),
  ];
  return [table(rows), ...details, verdict.passed ? 'passed' : 'NOT passed'].join('\n');
}

export function reportBudget(verdict: BudgetVerdict): string {
  const rows = verdict.keys.map(({ key, atFlush, total, overBudget }): [string, string] => [
    key,
    `${total} of ${verdict.perDay} (${atFlush} before FLUSHALL), ${overBudget} refused with error 29`,
  ]);
  return [table(rows), verdict.passed ? 'passed' : 'NOT passed'].join('\n');
}

export function reportDeadKeys(verdict: DeadKeyVerdict): string {
  const rows = verdict.keys.map(({ keyId, refused, soon, afterwards }): [string, string] => [
    keyId,
    `${refused} answers with error 5; sends begun within 100 ms after the first: ${soon}, later: ${afterwards}`,
  ]);
  const more: [string, string][] = [
    ['other keys in use', `${verdict.othersInUse} of ${verdict.others}`],
    ['calls accepted', String(verdict.calls)],
    ['slots not used', words(verdict.unsent)],
  ];
  return [table([...rows, ...more]), verdict.passed ? 'passed' : 'NOT passed'].join('\n');
}

function table(rows: readonly [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}

function words(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.join(', ') || 'none';
}

function gap(found: { what: string; ms: number } | undefined): string {
  return found === undefined ? 'none' : `${(found.ms / 1000).toFixed(1)} s (${found.what})`;
}

function list(what: string, judged: readonly Judged[]): string[] {
  return judged.slice(0, SHOWN).map(({ keyId, at, proof }) => {
    if (proof === undefined)
      return `${what}: key ${keyId} at ${at.toFixed(1)}, no worker wrote this call down`;
    const { worker, checkedAt, sentAt = NaN, endedAt = NaN } = proof;
    const checked = checkedAt === undefined ? '' : `checked ${(checkedAt - endedAt).toFixed(1)} ms, `;
    return `${what}: key ${keyId} at ${at.toFixed(1)}; worker ${worker}: ${checked}sent ${(sentAt - endedAt).toFixed(1)} ms after its slot's end`;
  });
}
