import type { KeyEvent } from '../domain/key-events';
import type { LedgerGrant, LedgerGrantRequest } from '../domain/quota-ledger';
import type { World } from './world';

interface Rest {
  since: number;
  /** Pool clock, ms; nothing of it may be granted for before. */
  until: number;
  trial: { lease: string; until: number } | undefined;
}

/** Rounding of whole microseconds and milliseconds. */
const EPSILON_MS = 1.5;

/** What the ledger said that a key rests from: all of it, a method, an address; and who is the one trial after it. */
export class RestWatch {
  readonly #world: World;
  readonly #ofKeys = new Map<string, { since: number; until: number }>();
  /** `key method`, `key from address`. */
  readonly #ofNames = new Map<string, Rest>();

  constructor(world: World) {
    this.#world = world;
  }

  forgetAll(): void {
    this.#ofKeys.clear();
    this.#ofNames.clear();
  }

  forgetKey(keyId: string): void {
    this.#ofKeys.delete(keyId);
    for (const name of this.#ofNames.keys()) if (name.startsWith(`${keyId} `)) this.#ofNames.delete(name);
  }

  /** A lease is being settled: whatever it was the trial of is decided by that. */
  forgetTrial(leaseId: string): void {
    for (const [name, rest] of this.#ofNames) if (rest.trial?.lease === leaseId) this.#ofNames.delete(name);
  }

  note({ keyId, kind, untilAt, method, egress }: KeyEvent): void {
    const since = this.#world.time.micros;
    const until = untilAt ?? 0;
    if (kind === 'resting') this.#ofKeys.set(keyId, { since, until });
    if (kind === 'method-barred' || kind === 'method-resting')
      this.#ofNames.set(`${keyId} ${method ?? ''}`, { since, until, trial: undefined });
    if (kind === 'egress-barred')
      this.#ofNames.set(`${keyId} from ${egress ?? ''}`, { since, until, trial: undefined });
  }

  /** `askedAt`: when the question left (us); rests that were not known then do not count. */
  judge(request: LedgerGrantRequest, grant: LedgerGrant, poolNow: number, askedAt: number): void {
    const { leaseId } = request;
    const { keyId } = grant;
    const slot = grant.slots[0] as number;
    const rest = this.#ofKeys.get(keyId);
    if (rest !== undefined && rest.since <= askedAt && slot < rest.until - EPSILON_MS)
      this.#world.broken('key-rests', `${leaseId}: ${keyId}, ${(rest.until - slot).toFixed(1)} ms early`);
    const names = Object.keys(request.methods).map((method) => `${keyId} ${method}`);
    for (const name of [...names, `${keyId} from ${request.egress}`]) {
      const known = this.#ofNames.get(name);
      if (known === undefined || known.since > askedAt) continue;
      if (poolNow < known.until - EPSILON_MS) this.#world.broken('method-rests', `${leaseId}: ${name}`);
      else if (known.trial !== undefined && poolNow < known.trial.until)
        this.#world.broken('second-trial', `${leaseId}: ${name}, the first is ${known.trial.lease}`);
      else known.trial = { lease: leaseId, until: grant.expiresAt - EPSILON_MS };
    }
  }
}
