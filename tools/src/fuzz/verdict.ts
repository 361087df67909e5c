import type { Access } from './document';

/** What one run of the fuzzer saw, as `hooks.py` writes it. */
export interface FuzzRecord {
  /** Operation, then role, then status: how many answers. */
  operations: Record<string, Record<string, Record<string, number>>>;
  /** Findings of the checks, each kind with how often and an example. */
  findings: Finding[];
  /** Requests that got no answer at all. */
  broken: Finding[];
}

export interface Finding {
  operation: string;
  check: string;
  what: string;
  count: number;
  example: string;
}

export interface Verdict {
  passed: boolean;
  requests: number;
  /** Of the whole; the bar: at most 5 %. */
  tooMany: number;
  /** Sentences, empty when it passed. */
  faults: string[];
}

/** Never a right answer, whatever was asked. */
const FORBIDDEN = ['500', '502', '504'];
const MOST_TOO_MANY = 0.05;

export function mergeRecords(records: readonly FuzzRecord[]): FuzzRecord {
  const merged: FuzzRecord = { operations: {}, findings: [], broken: [] };
  for (const { operations, findings, broken } of records) {
    for (const [operation, roles] of Object.entries(operations)) {
      for (const [role, statuses] of Object.entries(roles)) {
        const counts = ((merged.operations[operation] ??= {})[role] ??= {});
        for (const [status, count] of Object.entries(statuses))
          counts[status] = (counts[status] ?? 0) + count;
      }
    }
    mergeFindings(merged.findings, findings);
    mergeFindings(merged.broken, broken);
  }
  return merged;
}

function mergeFindings(into: Finding[], more: readonly Finding[]): void {
  for (const finding of more) {
    const known = into.find(
      ({ operation, check, what }) =>
        operation === finding.operation && check === finding.check && what === finding.what,
    );
    if (known === undefined) into.push({ ...finding });
    else known.count += finding.count;
  }
}

/** Statuses of one operation, all roles together. */
export function statusesOf(record: FuzzRecord, operation: string): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const statuses of Object.values(record.operations[operation] ?? {}))
    for (const [status, count] of Object.entries(statuses)) sum[status] = (sum[status] ?? 0) + count;
  return sum;
}

/** Operations that succeeded and of which the audit trail has no record; `trail`: the actions that it has. */
export function unrecorded(
  record: FuzzRecord,
  writes: readonly { method: string; path: string; action: string }[],
  trail: ReadonlySet<string>,
): string[] {
  return writes.flatMap(({ method, path, action }) => {
    const operation = `${method} ${path}`;
    const succeeded = Object.keys(statusesOf(record, operation)).some((status) => /^2/.test(status));
    return succeeded && !trail.has(action)
      ? [`${operation}: it succeeded, and no record names ${action}`]
      : [];
  });
}

/**
 * `expected`: the operations of the document with who may call them; `least`: requests that were asked for; `more`: faults
 * that were found elsewhere.
 */
export function judge(
  record: FuzzRecord,
  expected: Access,
  least: number,
  more: readonly string[] = [],
): Verdict {
  const faults = [...more];
  let requests = 0;
  let tooMany = 0;
  for (const operation of Object.keys(expected)) {
    const statuses = statusesOf(record, operation);
    requests += Object.values(statuses).reduce((sum, count) => sum + count, 0);
    tooMany += statuses['429'] ?? 0;
    for (const status of FORBIDDEN) {
      const count = statuses[status] ?? 0;
      if (count > 0) faults.push(`${operation}: ${count} times ${status}`);
    }
    if (!Object.keys(statuses).some((status) => /^2/.test(status)))
      faults.push(`${operation}: no request succeeded`);
  }
  const share = requests === 0 ? 0 : tooMany / requests;
  if (requests < least) faults.push(`only ${requests} requests of ${least}`);
  if (share > MOST_TOO_MANY) faults.push(`${(share * 100).toFixed(1)} % of the requests were 429`);
  for (const { operation, check, what, count } of [...record.findings, ...record.broken])
    faults.push(`${operation}: ${check}: ${what} (${count} times)`);
  return { passed: faults.length === 0, requests, tooMany: share, faults };
}
