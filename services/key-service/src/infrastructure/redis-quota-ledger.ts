import type { ApiKey, KeyState } from '../domain/api-key';
import type { BudgetAccount, BudgetHint } from '../domain/budget-blocks';
import type { KeyRest, StoredRest } from '../domain/key-rests';
import type { LearnedPath, PathFacts, PathVerdict } from '../domain/learned-path';
import type { NetworkRules } from '../domain/networks';
import {
  type KeyExplanation,
  type LedgerDeal,
  type LedgerGrantRequest,
  type LedgerSettle,
  type LedgerVerdict,
  type OpenLease,
  QuotaLedger,
  type SettleStatus,
  type SettleVerdict,
} from '../domain/quota-ledger';
import { accountsOf, candidateArgument, explainArgument, explanationsOf, leasesOf } from './choice-argument';
import { dealOf } from './deal-reply';
import { keyEventsOf, reportArgument, restsOf, storedRestArgument } from './effect-argument';
import { keyArgument, poolNames } from './key-argument';
import { keptPathArgument, learnedPathOf, pathArgument } from './path-argument';
import { figure, micros, type ScriptReply } from './script-figures';
import { ScriptedPool, type ScriptedPoolOptions } from './scripted-pool';

export interface RedisQuotaLedgerOptions extends ScriptedPoolOptions {
  /** Uniform in [0, 1): keys that failed together do not come back together. */
  chance: () => number;
  /** Called with limits whose next block should be booked; must not wait. */
  onBudgetsLow?: (hints: BudgetHint[]) => void;
}

const KEYS_PER_CALL = 200;
const AWAY_RETRY_MS = 500;

/**
 * The quota ledger in one Lua script: one round trip per request. When Redis is away or lost its memory it denies
 * (`recovering`) and recovers by itself; a denial costs the caller a wait, never a key its limit.
 */
export class RedisQuotaLedger extends QuotaLedger {
  readonly #options: RedisQuotaLedgerOptions;
  readonly #pool: ScriptedPool;

  constructor(options: RedisQuotaLedgerOptions) {
    super();
    this.#options = options;
    this.#pool = new ScriptedPool(options);
  }

  /** Resolves when a memory is adopted; grants may still be denied until it is ready. */
  async start(): Promise<void> {
    await this.#pool.start();
  }

  poolNow(): number {
    return this.#pool.now();
  }

  async readClock(): Promise<number> {
    return clockOf(await this.#pool.call('clock', {}));
  }

  async grant(request: LedgerGrantRequest): Promise<LedgerVerdict> {
    return (await this.deal([request])).verdicts[0] as LedgerVerdict;
  }

  async deal(candidates: LedgerGrantRequest[]): Promise<LedgerDeal> {
    const [head] = candidates;
    if (head === undefined) return { poolNow: this.poolNow(), verdicts: [] };
    const reply = await this.#pool.callOrAway(
      'grant',
      { cands: candidates.map(candidateArgument) },
      head.rules,
    );
    const poolNow = this.#pool.orEstimate(clockOf(reply));
    if (reply[0] !== 'dealt') {
      const retryAt = this.#pool.orEstimate(NaN) + AWAY_RETRY_MS;
      const verdict: LedgerVerdict = { kind: 'denied', poolNow, reason: 'recovering', retryAt };
      return { poolNow, verdicts: candidates.map(() => verdict) };
    }
    const { verdicts, hints } = dealOf(reply, poolNow, candidates.length);
    if (hints.length > 0) this.#options.onBudgetsLow?.(hints);
    return { poolNow, verdicts };
  }

  async explain(request: Parameters<QuotaLedger['explain']>[0]): Promise<{
    poolNow: number;
    keys: KeyExplanation[];
  }> {
    const { rules, keyIds, ...asked } = request;
    const keys: KeyExplanation[] = [];
    let poolNow = this.poolNow();
    for (let from = 0; from < keyIds.length; from += KEYS_PER_CALL) {
      const ids = keyIds.slice(from, from + KEYS_PER_CALL);
      const reply = await this.#pool.call('explain', { c: explainArgument(asked, rules), ids }, rules);
      poolNow = clockOf(reply);
      keys.push(...explanationsOf(String(reply[2])));
    }
    return { poolNow, keys };
  }

  async release(workspaceId: string, leaseId: string): Promise<'released' | 'ended' | 'unknown'> {
    const reply = await this.#pool.call('release', { ws: workspaceId, id: leaseId });
    return reply[2] as 'released' | 'ended' | 'unknown';
  }

  async leasesOf(keyId: string): Promise<OpenLease[]> {
    const reply = await this.#pool.call('leases', { id: keyId });
    return leasesOf(String(reply[2]));
  }

  async accounts(
    buckets: readonly string[],
  ): Promise<{ poolNow: number; epoch: number; accounts: BudgetAccount[] }> {
    const reply = await this.#pool.call('accounts', { buckets });
    return { poolNow: clockOf(reply), epoch: figure(reply[2]), accounts: accountsOf(String(reply[3])) };
  }

  async credit(
    bucket: string,
    limit: string,
    given: { block: { id: string; size: number }; before: number } | { spentForMs: number },
  ): Promise<boolean> {
    const argument =
      'block' in given
        ? { block: given.block.id, size: given.block.size, before: micros(given.before) }
        : { wait: micros(given.spentForMs) };
    const reply = await this.#pool.call('credit', { bucket, limit, ...argument });
    return reply[2] === 1;
  }

  async settle(request: {
    by: string;
    session: string;
    sequence: number;
    rules: NetworkRules;
    settles: LedgerSettle[];
  }): Promise<SettleVerdict> {
    const { by, session, sequence: seq, rules } = request;
    const { chance } = this.#options;
    const settles = request.settles.map((settle) => ({
      id: settle.leaseId,
      fence: settle.fence,
      ws: settle.workspaceId,
      reports: settle.reports.map((report) => reportArgument(report, chance)),
      unused: settle.unusedMethods,
    }));
    const reply = await this.#pool.callOrAway('settle', { by, session, seq, settles }, rules);
    const poolNow = this.#pool.orEstimate(clockOf(reply));
    if (reply[0] === 'denied')
      return { kind: 'denied', poolNow, reason: reply[2] as 'replay' | 'recovering' };
    return {
      kind: 'settled',
      poolNow,
      statuses: String(reply[2]).split(',') as SettleStatus[],
      events: keyEventsOf(String(reply[3])),
    };
  }

  async learn(facts: PathFacts): Promise<PathVerdict> {
    const reply = await this.#pool.callOrAway('learn', pathArgument(facts), facts.rules);
    const poolNow = this.#pool.orEstimate(clockOf(reply));
    if (reply[0] === 'denied')
      return { kind: 'denied', poolNow, reason: reply[2] as 'replay' | 'recovering' };
    return { kind: 'learned', poolNow, marginMs: figure(reply[2]) / 1000 };
  }

  async learnedPath(network: string): Promise<LearnedPath | undefined> {
    const reply = await this.#pool.call('path', { network });
    return learnedPathOf(String(reply[2]));
  }

  async restorePath(network: string, path: LearnedPath): Promise<void> {
    await this.#pool.call('restore', { network, known: keptPathArgument(path) });
  }

  async forgetPath(network: string): Promise<void> {
    await this.#pool.call('forget', { network });
  }

  async capacity(request: {
    workspaceId: string;
    rules: NetworkRules;
    kinds: readonly string[];
  }): Promise<{ poolNow: number; keys: number; callsPerSecond: number }> {
    const { workspaceId, rules, kinds } = request;
    const pools = poolNames(workspaceId, rules.network, kinds);
    const reply = await this.#pool.callOrAway('capacity', { pools }, rules);
    if (reply[0] !== 'ok') return { poolNow: this.poolNow(), keys: 0, callsPerSecond: 0 };
    return { poolNow: clockOf(reply), keys: figure(reply[2]), callsPerSecond: figure(reply[3]) / 1000 };
  }

  async define(keys: ApiKey[]): Promise<{ keyId: string; state: KeyState }[]> {
    const differing: { keyId: string; state: KeyState }[] = [];
    for (let from = 0; from < keys.length; from += KEYS_PER_CALL) {
      const page = keys.slice(from, from + KEYS_PER_CALL).map(keyArgument);
      const reply = await this.#pool.call('sync', { keys: page });
      const found = JSON.parse(String(reply[2])) as { id: string; state: KeyState }[];
      differing.push(...found.map(({ id, state }) => ({ keyId: id, state })));
    }
    return differing;
  }

  async rests(keyId: string): Promise<KeyRest[]> {
    const reply = await this.#pool.call('rests', { id: keyId });
    return restsOf(String(reply[2]));
  }

  async endRests(keyId: string, which: { kind?: KeyRest['kind']; name?: string } = {}): Promise<number> {
    const reply = await this.#pool.call('endRests', { id: keyId, ...which });
    return figure(reply[2]);
  }

  async restoreRests(rests: StoredRest[]): Promise<number> {
    const reply = await this.#pool.call('restoreRests', { rests: rests.map(storedRestArgument) });
    return figure(reply[2]);
  }
}

/** The pool's clock as a reply tells it, ms. */
function clockOf(reply: ScriptReply): number {
  return figure(reply[1]) / 1000;
}
