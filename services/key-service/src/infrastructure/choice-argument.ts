import { KEY_KINDS, kindsFor, type NetworkRules } from '../domain/networks';
import type { BudgetAccount, BudgetHint } from '../domain/budget-blocks';
import type { KeyExplanation, LedgerGrantRequest, OpenLease } from '../domain/quota-ledger';

/** What the choice of a key is told and tells, as the script's texts. Times of the script are microseconds. */

export function candidateArgument(request: LedgerGrantRequest): object {
  return {
    id: request.leaseId,
    by: request.by,
    session: request.session,
    seq: request.sequence,
    first: request.first,
    more: request.more,
    ws: request.workspaceId,
    imp: request.importId,
    methods: request.methods,
    calls: request.calls,
    deadline: Math.round(request.deadlineAt * 1000),
    egress: request.egress,
    lead: request.leadMs === undefined ? undefined : Math.round(request.leadMs * 1000),
    kinds: request.kinds,
    others: KEY_KINDS.filter((kind) => !request.kinds.includes(kind)),
  };
}

export function explainArgument(
  asked: { workspaceId: string; methods: Readonly<Record<string, number>>; calls: number; egress: string },
  rules: NetworkRules,
): object {
  const { workspaceId, methods, calls, egress } = asked;
  const kinds = kindsFor(rules, Object.keys(methods));
  const others = KEY_KINDS.filter((kind) => !kinds.includes(kind));
  return { ws: workspaceId, methods, calls, egress, kinds, others };
}

export function hintsOf(text: string): BudgetHint[] {
  return text.split('\n').map((line) => {
    const [bucket, limit, calls, need] = line.split('\t') as [string, string, string, string];
    return { bucket, limit, calls: Number(calls), need: Number(need) };
  });
}

/** Lua has one empty table for lists and objects. */
type List<T> = T[] | Record<string, never>;

function listOf<T>(list: List<T>): T[] {
  return Array.isArray(list) ? list : [];
}

export function accountsOf(text: string): BudgetAccount[] {
  const found = JSON.parse(text) as List<{
    bucket: string;
    limits: List<{
      limit: string;
      open: List<BudgetAccount['open'][0]>;
      closed: List<BudgetAccount['closed'][0]>;
      lastHour: number;
    }>;
  }>;
  return listOf(found).flatMap(({ bucket, limits }) =>
    listOf(limits).map(({ limit, open, closed, lastHour }) => ({
      bucket,
      limit,
      open: listOf(open),
      closed: listOf(closed),
      callsInLastHour: lastHour,
    })),
  );
}

export function explanationsOf(text: string): KeyExplanation[] {
  const found = JSON.parse(text) as {
    id: string;
    reason?: string;
    till?: string;
    slot?: string;
    weight: number;
    used: number;
    last?: string;
  }[];
  return found.map(({ id, reason, till, slot, weight, used, last }) => ({
    keyId: id,
    ...(reason !== undefined && { reason }),
    ...(till !== undefined && { untilAt: Number(till) / 1000 }),
    ...(slot !== undefined && { nextSlotAt: Number(slot) / 1000 }),
    weight,
    usedInDay: used,
    ...(last !== undefined && { lastGrantAt: Number(last) / 1000 }),
  }));
}

export function leasesOf(text: string): OpenLease[] {
  const found = JSON.parse(text) as {
    id: string;
    ws: string;
    imp: string;
    by: string;
    g: string;
    x: string;
    calls: number;
    methods: List<string>;
    why: string;
  }[];
  return found.map(({ id, ws, imp, by, g, x, calls, methods, why }) => ({
    leaseId: id,
    workspaceId: ws,
    importId: imp,
    service: by,
    grantedAt: Number(g) / 1000,
    expiresAt: Number(x) / 1000,
    calls,
    methods: listOf(methods),
    why,
  }));
}
