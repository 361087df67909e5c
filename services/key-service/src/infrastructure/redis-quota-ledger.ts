import type { Clock } from '@sociograph/kernel';
import { PoolClock } from '@sociograph/lease-client';
import type { Redis } from 'ioredis';
import type { ApiKey, KeyState } from '../domain/api-key';
import type { KeyRest, StoredRest } from '../domain/key-rests';
import type { LearnedPath } from '../domain/learned-path';
import {
  type BudgetAccount,
  type BudgetHint,
  type DenialReason,
  type KeyExplanation,
  type LedgerDeal,
  type LedgerGrantRequest,
  type LedgerSettle,
  type LedgerVerdict,
  type OpenLease,
  type PathFacts,
  type PathVerdict,
  QuotaLedger,
  type SettleStatus,
  type SettleVerdict,
  type SlotReport,
} from '../domain/ports';
import type { NetworkRules } from '../domain/networks';
import {
  accountsOf,
  candidateArgument,
  explainArgument,
  explanationsOf,
  hintsOf,
  leasesOf,
  limitsArgument,
} from './choice-argument';
import { effectArgument, keyEventsOf, restsOf, storedRestArgument } from './effect-argument';
import type { MemoryRecord, PoolMemory } from './pool-memory';

export interface LedgerLogger {
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
}

export interface RedisQuotaLedgerOptions {
  redis: Redis;
  memory: PoolMemory;
  clock: Clock;
  logger: LedgerLogger;
  prefix: string;
  /** Uniform in [0, 1): keys that failed together do not come back together. */
  chance: () => number;
  /** Called with each new memory: it knows no key yet. */
  onMemory: () => Promise<void>;
  /** Called with limits whose next block should be booked; must not wait. */
  onBudgetsLow?: (hints: BudgetHint[]) => void;
  /** Two more arguments of the script in simulations: seconds and microseconds of a virtual clock. */
  virtualTime?: () => [number, number];
  /** How simulations wait. */
  sleep?: (ms: number) => Promise<void>;
}

type Reply = (string | number)[];

const LEAD_MS = 10;
/** A memory is ready this long after it began, at the most (2 windows, tolerance and margin). */
const MEMORY_TOLERANCE_MS = 3_500;
const HOLD_MS = 30_000;
const TRIAL_MS = 60_000;
const KEYS_PER_CALL = 200;
/** Share of a pause by which chance shortens it. */
const SPREAD = 0.1;
const AWAY_RETRY_MS = 500;
/** Clocks drift apart: only a reading as young as this shows that one of them was set. */
const RECENT_MS = 10_000;

class Lost extends Error {}

/**
 * The quota ledger in one Lua script: one round trip per request. When Redis is away or lost its memory it denies
 * (`recovering`) and recovers by itself; a denial costs the caller a wait, never a key its limit.
 */
export class RedisQuotaLedger extends QuotaLedger {
  readonly #options: RedisQuotaLedgerOptions;
  #record: MemoryRecord | undefined;
  #adopting: Promise<void> | undefined;
  #poolClock: PoolClock;
  /** Monotonic, ms: when Redis last told its time. */
  #heardAt = -Infinity;

  constructor(options: RedisQuotaLedgerOptions) {
    super();
    this.#options = options;
    this.#poolClock = new PoolClock({ clock: options.clock });
  }

  /** Resolves when a memory is adopted; grants may still be denied until it is ready. */
  async start(): Promise<void> {
    await this.#adopt(undefined);
  }

  poolNow(): number {
    return this.#poolClock.now();
  }

  async readClock(): Promise<number> {
    const reply = await this.#call('clock', {});
    return number(reply[1]) / 1000;
  }

  async grant(request: LedgerGrantRequest): Promise<LedgerVerdict> {
    return (await this.deal([request])).verdicts[0] as LedgerVerdict;
  }

  async deal(candidates: LedgerGrantRequest[]): Promise<LedgerDeal> {
    const [head] = candidates;
    if (head === undefined) return { poolNow: this.poolNow(), verdicts: [] };
    const { rules } = head;
    const reply = await this.#call('grant', { cands: candidates.map(candidateArgument) }, rules).catch(
      (error: unknown) => this.#away(error),
    );
    const poolNow = this.#orEstimate(number(reply[1]) / 1000);
    if (reply[0] !== 'dealt') {
      const retryAt = this.#orEstimate(NaN) + AWAY_RETRY_MS;
      const verdict: LedgerVerdict = { kind: 'denied', poolNow, reason: 'recovering', retryAt };
      return { poolNow, verdicts: candidates.map(() => verdict) };
    }
    const verdicts: LedgerDeal['verdicts'] = candidates.map(() => undefined);
    for (const denial of String(reply[3]).split(';')) {
      if (denial === '') continue;
      const [index, reason, retryAt] = denial.split(' ') as [string, DenialReason, string];
      verdicts[number(index) - 1] = { kind: 'denied', poolNow, reason, retryAt: number(retryAt) / 1000 };
    }
    if (reply[4] !== '') this.#options.onBudgetsLow?.(hintsOf(String(reply[4])));
    const served = number(reply[2]);
    if (served > 0) {
      const [fence, keyId, tokenVersion, grantedAt, expiresAt, why, ...slots] = reply.slice(5);
      const grant = {
        fence: number(fence),
        keyId: String(keyId),
        tokenVersion: number(tokenVersion),
        grantedAt: number(grantedAt) / 1000,
        expiresAt: number(expiresAt) / 1000,
        why: String(why),
        slots: slots.map((slot) => number(slot) / 1000),
      };
      verdicts[served - 1] = { kind: 'granted', poolNow, grant };
    }
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
      const reply = await this.#call('explain', { c: explainArgument(asked, rules), ids }, rules);
      poolNow = number(reply[1]) / 1000;
      keys.push(...explanationsOf(String(reply[2])));
    }
    return { poolNow, keys };
  }

  async release(workspaceId: string, leaseId: string): Promise<'released' | 'ended' | 'unknown'> {
    const reply = await this.#call('release', { ws: workspaceId, id: leaseId });
    return reply[2] as 'released' | 'ended' | 'unknown';
  }

  async leasesOf(keyId: string): Promise<OpenLease[]> {
    const reply = await this.#call('leases', { id: keyId });
    return leasesOf(String(reply[2]));
  }

  async accounts(
    buckets: readonly string[],
  ): Promise<{ poolNow: number; epoch: number; accounts: BudgetAccount[] }> {
    const reply = await this.#call('accounts', { buckets });
    const poolNow = number(reply[1]) / 1000;
    return { poolNow, epoch: number(reply[2]), accounts: accountsOf(String(reply[3])) };
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
    const reply = await this.#call('credit', { bucket, limit, ...argument });
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
    const settles = request.settles.map((settle) => ({
      id: settle.leaseId,
      fence: settle.fence,
      ws: settle.workspaceId,
      reports: settle.reports.map((report) => this.#reportArgument(report)),
      unused: settle.unusedMethods,
    }));
    const reply = await this.#call('settle', { by, session, seq, settles }, rules).catch((error: unknown) =>
      this.#away(error),
    );
    const poolNow = this.#orEstimate(number(reply[1]) / 1000);
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
    const { rules, lateness } = facts;
    const measured = {
      session: facts.session,
      seq: facts.sequence,
      probes: facts.probes.map((probe) => ({
        sent: micros(probe.sentAt),
        trip: micros(probe.roundTripMs),
        date: micros(probe.serverDate ?? 0),
      })),
      late: lateness && {
        n: lateness.sends,
        mean: micros(lateness.meanMs),
        max: micros(lateness.maxMs),
      },
      err: micros(facts.clockErrorMs),
      issued: micros(facts.issuedAt ?? 0),
    };
    const reply = await this.#call('learn', measured, rules).catch((error: unknown) => this.#away(error));
    const poolNow = this.#orEstimate(number(reply[1]) / 1000);
    if (reply[0] === 'denied')
      return { kind: 'denied', poolNow, reason: reply[2] as 'replay' | 'recovering' };
    return { kind: 'learned', poolNow, marginMs: number(reply[2]) / 1000 };
  }

  async learnedPath(network: string): Promise<LearnedPath | undefined> {
    const reply = await this.#call('path', { network });
    const known = JSON.parse(String(reply[2])) as PathRecord | null;
    return known === null ? undefined : learnedPathOf(known);
  }

  async restorePath(network: string, path: LearnedPath): Promise<void> {
    const known = {
      s: micros(path.spreadMs),
      e: micros(path.clockErrorMs),
      lo: micros(path.shortestTripMs),
      t: micros(path.learnedAt),
    };
    await this.#call('restore', { network, known });
  }

  async forgetPath(network: string): Promise<void> {
    await this.#call('forget', { network });
  }

  async capacity(request: {
    workspaceId: string;
    rules: NetworkRules;
    kinds: readonly string[];
  }): Promise<{ poolNow: number; keys: number; callsPerSecond: number }> {
    const { workspaceId, rules, kinds } = request;
    const pools = poolNames(workspaceId, rules.network, kinds);
    const reply = await this.#call('capacity', { pools }, rules).catch((error: unknown) => this.#away(error));
    if (reply[0] !== 'ok') return { poolNow: this.poolNow(), keys: 0, callsPerSecond: 0 };
    return {
      poolNow: number(reply[1]) / 1000,
      keys: number(reply[2]),
      callsPerSecond: number(reply[3]) / 1000,
    };
  }

  async define(keys: ApiKey[]): Promise<{ keyId: string; state: KeyState }[]> {
    const differing: { keyId: string; state: KeyState }[] = [];
    for (let from = 0; from < keys.length; from += KEYS_PER_CALL) {
      const reply = await this.#call('sync', {
        keys: keys.slice(from, from + KEYS_PER_CALL).map(({ details, stateInPool }) => ({
          id: details.id,
          r: details.version,
          v: details.tokenVersion,
          s: stateInPool,
          n: details.network,
          ...(details.refreshable === true && { rf: 1 }),
          c: micros(details.createdAt),
          q: details.limits.perSecond,
          b: details.bucket,
          z: [details.workspaceId, ...details.sharedWith].flatMap((workspaceId) =>
            poolNames(workspaceId, details.network, [details.kind]),
          ),
          e: details.egress ?? undefined,
          w: details.weight === 1 ? undefined : details.weight,
          lim: limitsArgument(details),
        })),
      });
      const found = JSON.parse(String(reply[2])) as { id: string; state: KeyState }[];
      differing.push(...found.map(({ id, state }) => ({ keyId: id, state })));
    }
    return differing;
  }

  async rests(keyId: string): Promise<KeyRest[]> {
    const reply = await this.#call('rests', { id: keyId });
    return restsOf(String(reply[2]));
  }

  async endRests(keyId: string, which: { kind?: KeyRest['kind']; name?: string } = {}): Promise<number> {
    const reply = await this.#call('endRests', { id: keyId, ...which });
    return number(reply[2]);
  }

  async restoreRests(rests: StoredRest[]): Promise<number> {
    const reply = await this.#call('restoreRests', { rests: rests.map(storedRestArgument) });
    return number(reply[2]);
  }

  /** The script's answer; `rules` are those of the network that the call is about. */
  async #call(op: string, payload: object, rules?: NetworkRules): Promise<Reply> {
    const record = this.#record;
    if (record === undefined) {
      this.#recover(undefined);
      throw new Lost('no memory adopted');
    }
    const { redis, memory, prefix, clock, virtualTime } = this.#options;
    const sentAt = clock.monotonicMs();
    const estimate = this.#poolClock.errorMs < 100 ? micros(this.#poolClock.now()) : 0;
    const extra = virtualTime?.() ?? [];
    let reply: Reply;
    try {
      reply = (await redis.evalsha(
        memory.sha,
        1,
        prefix,
        op,
        record.text,
        record.runId,
        estimate,
        rules === undefined ? JSON.stringify(payload) : withRules(rules, payload),
        ...extra,
      )) as Reply;
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error;
      this.#recover(record);
      throw new Lost('NOSCRIPT');
    }
    // Another reply showed meanwhile that this memory must not be relied on; this one would begin the clock anew.
    if (this.#record !== record) throw new Lost('memory replaced');
    const receivedAt = clock.monotonicMs();
    const poolNow = number(reply[1]);
    if (reply[0] !== 'lost') {
      const isRecent = receivedAt - this.#heardAt < RECENT_MS;
      this.#heardAt = receivedAt;
      if (this.#poolClock.observe(sentAt, receivedAt, poolNow / 1000) || !isRecent) return reply;
      // Redis' clock was set by less than the script looks for: what it grants now would come too soon.
      this.#recover(record);
      throw new Lost('clock');
    }
    // A call that lay in a queue arrives late without any clock having been set: the round trip explains it.
    const behind = poolNow - estimate;
    if (reply[2] === 'clock' && behind > 0 && behind / 1000 <= receivedAt - sentAt)
      return this.#call(op, payload, rules);
    this.#recover(record);
    throw new Lost(String(reply[2]));
  }

  /** Redis away or its memory gone: the same answer for everyone who asks. */
  #away(error: unknown): Reply {
    if (isRefusal(error))
      this.#options.logger.warn({ err: String(error) }, 'Redis refuses what the pool asks of it');
    return ['denied', 0, 'recovering', 0];
  }

  #recover(lost: MemoryRecord | undefined): void {
    void this.#adopt(lost).catch(() => undefined);
  }

  #adopt(lost: MemoryRecord | undefined): Promise<void> {
    // A call that left before the recovery reports the loss of a memory that is replaced already.
    if (lost !== undefined && this.#record !== lost) return this.#adopting ?? Promise.resolve();
    this.#record = undefined;
    this.#adopting ??= this.#adoptNow(lost).finally(() => {
      this.#adopting = undefined;
    });
    return this.#adopting;
  }

  async #adoptNow(lost: MemoryRecord | undefined): Promise<void> {
    this.#options.logger.warn({ epoch: lost?.epoch ?? null }, 'the pool takes up its memory anew');
    for (let broken = lost; ;) {
      let record: MemoryRecord | undefined;
      try {
        record = await this.#options.memory.adopt(broken);
        this.#poolClock = new PoolClock({ clock: this.#options.clock });
        this.#record = record;
        await this.#options.onMemory();
      } catch (error) {
        this.#options.logger.warn({ err: String(error) }, 'the memory of the pool cannot be reached');
        await (this.#options.sleep?.(200) ?? new Promise((resolve) => setTimeout(resolve, 200)));
        if (this.#record === record) continue;
      }
      if (record !== undefined && this.#record === record) {
        this.#options.logger.info({ epoch: record.epoch }, 'the pool has a memory');
        return;
      }
      // It was found broken while the keys were told to it.
      broken = record ?? broken;
    }
  }

  /** Without Redis there is no pool clock; the wall clock is as good a guess as any for a time to ask again. */
  #orEstimate(poolNow: number): number {
    if (poolNow > 0) return poolNow;
    const estimated = this.#poolClock.now();
    return Number.isNaN(estimated) ? this.#options.clock.nowMs() : estimated;
  }

  #reportArgument(report: SlotReport): object {
    if (report.outcome === 'unsent') return { slot: report.slot, o: 'unsent', effects: [] };
    return {
      slot: report.slot,
      o: report.outcome,
      sent: micros(report.sentAt),
      answered: report.outcome === 'answered' ? micros(report.answeredAt) : 0,
      date: report.outcome === 'answered' ? micros(report.serverDate ?? 0) : 0,
      effects: report.effects.map((effect) => effectArgument(effect, -SPREAD * this.#options.chance())),
    };
  }
}

/** The record of learning.lua; microseconds. */
interface PathRecord {
  s: number;
  e: number;
  t: number;
  n: number;
  lo?: number;
  m?: { mean: number; max: number };
  h?: { s: number; u: number };
}

function learnedPathOf(known: PathRecord): LearnedPath {
  return {
    spreadMs: known.s / 1000,
    clockErrorMs: known.e / 1000,
    shortestTripMs: (known.lo ?? 0) / 1000,
    samples: known.n,
    learnedAt: known.t / 1000,
    ...(known.m && { lateness: { meanMs: known.m.mean / 1000, maxMs: known.m.max / 1000 } }),
    ...(known.h && { heldUntil: known.h.u / 1000 }),
  };
}

const rulesTexts = new WeakMap<NetworkRules, string>();

/** The payload with the rules of its network. They are the same in each call, so their text is made once. */
function withRules(rules: NetworkRules, payload: object): string {
  const known = rulesTexts.get(rules) ?? JSON.stringify(rulesArgument(rules)).slice(0, -1);
  rulesTexts.set(rules, known);
  return `${known},${JSON.stringify(payload).slice(1)}`;
}

function rulesArgument(rules: NetworkRules): object {
  return {
    network: rules.network,
    kind: rules.windowKind,
    align: rules.windowAlignment,
    window: micros(rules.windowMs),
    margin: micros(rules.marginMs),
    slack: micros(rules.slackMs),
    lead: micros(LEAD_MS),
    horizon: micros(rules.horizonMs),
    hold: micros(HOLD_MS),
    trial: micros(TRIAL_MS),
    settle: micros(MEMORY_TOLERANCE_MS),
    strategy: rules.strategy ?? 'earliest-free',
    egressQuota: rules.egressQuota,
  };
}

function poolNames(workspaceId: string, network: string, kinds: readonly string[]): string[] {
  return kinds.map((kind) => `${workspaceId}:${network}:${kind}`);
}

function micros(ms: number): number {
  return Math.round(ms * 1000);
}

function number(value: string | number | undefined): number {
  return Number(value);
}

/** What Redis itself answers (an error of the script, a right that is missing): never cured by waiting. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof Error && error.name === 'ReplyError' && !/LOADING|BUSY|READONLY/.test(error.message)
  );
}
