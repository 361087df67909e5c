import type { SimulatedKey } from './keys';

/** What became of a request: within the limits, refused by the per-second limit (6), or by a daily budget (29). */
export type Fate = 'served' | 'refused' | 'overBudget';

/** Times kept per key, method and fate; later ones are counted but not listed. */
const MOST_TIMES = 100_000;

class Tally {
  count = 0;
  firstAt: number | null = null;
  lastAt: number | null = null;
  readonly times: number[] = [];

  add(at: number): void {
    this.count += 1;
    if (this.firstAt === null || at < this.firstAt) this.firstAt = at;
    if (this.lastAt === null || at > this.lastAt) this.lastAt = at;
    if (this.times.length < MOST_TIMES) this.times.push(Math.round(at * 1000) / 1000);
  }

  report(withTimes: boolean): object {
    const { count, firstAt, lastAt, times } = this;
    return withTimes ? { count, firstAt, lastAt, times } : { count, firstAt, lastAt };
  }
}

class Row {
  readonly fates: Record<Fate, Tally> = {
    served: new Tally(),
    refused: new Tally(),
    overBudget: new Tally(),
  };
  /** Served requests that were answered with an error of the method (30, 18, 100 ...), by code. */
  readonly errors: Record<string, number> = {};
}

/** Counts what was served and refused, per key and method. Times are arrivals at the limiter. */
export class Usage {
  private rows = new Map<string, Map<string, Row>>();
  private inner = new Map<string, Map<string, number>>();
  private totals: Record<Fate, Tally> = {
    served: new Tally(),
    refused: new Tally(),
    overBudget: new Tally(),
  };
  private rejected = 0;
  private probes = 0;

  request(key: SimulatedKey, method: string, fate: Fate, at: number): void {
    this.row(key, method).fates[fate].add(at);
    this.totals[fate].add(at);
  }

  methodError(key: SimulatedKey, method: string, code: number): void {
    const { errors } = this.row(key, method);
    errors[code] = (errors[code] ?? 0) + 1;
  }

  /** A call inside `execute`: part of one request, yet counted for the reader of the statistics. */
  innerCall(key: SimulatedKey, method: string): void {
    let calls = this.inner.get(key.name);
    if (calls === undefined) this.inner.set(key.name, (calls = new Map<string, number>()));
    calls.set(method, (calls.get(method) ?? 0) + 1);
  }

  /** A request without a valid token: no key to count it under. */
  withoutKey(): void {
    this.rejected += 1;
  }

  probe(): void {
    this.probes += 1;
  }

  report(keys: readonly SimulatedKey[], withTimes: boolean): object {
    const { served, refused, overBudget } = this.totals;
    const seconds = served.firstAt === null ? 0 : ((served.lastAt as number) - served.firstAt) / 1000;
    return {
      totals: {
        served: served.count,
        refused: refused.count,
        overBudget: overBudget.count,
        withoutValidToken: this.rejected,
        probes: this.probes,
        firstAt: served.firstAt,
        lastAt: served.lastAt,
        seconds,
      },
      keys: keys.map((key) => ({
        key: key.name,
        kind: key.kind,
        perSecond: key.perSecond,
        bucket: key.bucket,
        methods: Object.fromEntries(
          [...(this.rows.get(key.name) ?? [])].map(([method, row]) => [method, describe(row, withTimes)]),
        ),
        innerCalls: Object.fromEntries(this.inner.get(key.name) ?? []),
      })),
    };
  }

  reset(): void {
    this.rows = new Map<string, Map<string, Row>>();
    this.inner = new Map<string, Map<string, number>>();
    this.totals = { served: new Tally(), refused: new Tally(), overBudget: new Tally() };
    this.rejected = 0;
    this.probes = 0;
  }

  private row(key: SimulatedKey, method: string): Row {
    let methods = this.rows.get(key.name);
    if (methods === undefined) this.rows.set(key.name, (methods = new Map<string, Row>()));
    let row = methods.get(method);
    if (row === undefined) methods.set(method, (row = new Row()));
    return row;
  }
}

function describe(row: Row, withTimes: boolean): object {
  return {
    served: row.fates.served.report(withTimes),
    refused: row.fates.refused.report(withTimes),
    overBudget: row.fates.overBudget.report(withTimes),
    errors: row.errors,
  };
}
