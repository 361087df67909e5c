import type { BudgetHint } from '../domain/budget-blocks';
import type { DenialReason, LedgerDeal, LedgerGrant } from '../domain/quota-ledger';
import { hintsOf } from './choice-argument';
import { figure, type ScriptReply } from './script-figures';

/** What the script dealt to `candidates` requests: a verdict for those whose turn came, and what must be booked soon. */
export function dealOf(
  reply: ScriptReply,
  poolNow: number,
  candidates: number,
): { verdicts: LedgerDeal['verdicts']; hints: BudgetHint[] } {
  const verdicts: LedgerDeal['verdicts'] = new Array<undefined>(candidates).fill(undefined);
  const [, , served, denials, hints] = reply;
  for (const denial of String(denials).split(';')) {
    if (denial === '') continue;
    const [index, reason, retryAt] = denial.split(' ') as [string, DenialReason, string];
    verdicts[figure(index) - 1] = { kind: 'denied', poolNow, reason, retryAt: figure(retryAt) / 1000 };
  }
  if (figure(served) > 0) verdicts[figure(served) - 1] = { kind: 'granted', poolNow, grant: grantOf(reply) };
  return { verdicts, hints: hints === '' ? [] : hintsOf(String(hints)) };
}

function grantOf(reply: ScriptReply): LedgerGrant {
  const [fence, keyId, tokenVersion, grantedAt, expiresAt, why, ...slots] = reply.slice(5);
  return {
    fence: figure(fence),
    keyId: String(keyId),
    tokenVersion: figure(tokenVersion),
    grantedAt: figure(grantedAt) / 1000,
    expiresAt: figure(expiresAt) / 1000,
    why: String(why),
    slots: slots.map((slot) => figure(slot) / 1000),
  };
}
