import type { ApiKey } from '../domain/api-key';
import { OwnerNotices } from '../domain/audit';
import { KeyRests, type StoredRest } from '../domain/key-rests';
import {
  type DueRefresh,
  type RefreshOutcome,
  type RefreshVerdict,
  TokenPairs,
  TokenRefresher,
} from '../domain/token-refresh';

interface KeptPair extends DueRefresh {
  dueAt: number | undefined;
  taken: boolean;
}

/** Pairs of tokens for as long as the process lives. */
export class InMemoryTokenPairs extends TokenPairs {
  readonly stored: { keyId: string; outcome: RefreshOutcome }[] = [];
  /** Thrown instead of storing, once each. */
  readonly faults: Error[] = [];
  readonly #pairs = new Map<string, KeptPair>();

  keep(pair: Omit<DueRefresh, 'tries' | 'answerLost'>): void {
    const { dueAt } = pair.refresh;
    this.#pairs.set(pair.keyId, { ...pair, tries: 0, answerLost: false, dueAt, taken: false });
  }

  dueAt(keyId: string): number | undefined {
    return this.#pairs.get(keyId)?.dueAt;
  }

  async want(keyId: string, tokenVersion: number, now: number): Promise<boolean> {
    const pair = this.#pairs.get(keyId);
    if (pair?.tokenVersion !== tokenVersion) return false;
    if (pair.tries === 0) pair.dueAt = Math.min(pair.dueAt ?? now, now);
    return true;
  }

  async withDue(
    now: number,
    work: (due: DueRefresh) => Promise<RefreshOutcome>,
  ): Promise<{ due: DueRefresh; outcome: RefreshOutcome } | undefined> {
    const pair = [...this.#pairs.values()].find(
      ({ dueAt, taken }) => !taken && dueAt !== undefined && dueAt <= now,
    );
    if (pair === undefined) return undefined;
    pair.taken = true;
    try {
      const due: DueRefresh = { ...pair };
      // Until what came of it is stored.
      pair.answerLost = true;
      const outcome = await work(due);
      const fault = this.faults.shift();
      if (fault !== undefined) throw fault;
      this.#store(pair, outcome);
      this.stored.push({ keyId: pair.keyId, outcome });
      return { due, outcome };
    } finally {
      pair.taken = false;
    }
  }

  #store(pair: KeptPair, outcome: RefreshOutcome): void {
    if (outcome.kind === 'refused') this.#pairs.delete(pair.keyId);
    if (outcome.kind === 'later') {
      pair.tries += 1;
      pair.dueAt = outcome.dueAt;
      pair.answerLost = outcome.answerLost;
    }
    if (outcome.kind === 'renewed') {
      pair.refresh = { ...pair.refresh, token: outcome.refreshToken };
      const { dueAt } = outcome;
      Object.assign(pair, { tokenVersion: pair.tokenVersion + 1, tries: 0, answerLost: false, dueAt });
    }
  }
}

/** Answers what it is told to, in order. */
export class ScriptedRefresher extends TokenRefresher {
  readonly verdicts: (RefreshVerdict | Promise<RefreshVerdict>)[] = [];
  readonly asked: { refreshToken: string; clientId: string; deviceId: string | undefined }[] = [];

  async refresh(request: Parameters<TokenRefresher['refresh']>[0]): Promise<RefreshVerdict> {
    const { refreshToken, clientId, deviceId } = request;
    this.asked.push({ refreshToken: refreshToken.reveal(), clientId, deviceId });
    return this.verdicts.shift() ?? { kind: 'failed', cause: 'nothing scripted' };
  }
}

export class InMemoryKeyRests extends KeyRests {
  readonly kept = new Map<string, StoredRest>();
  fault: Error | undefined;

  async write(changes: Parameters<KeyRests['write']>[0]): Promise<void> {
    if (this.fault !== undefined) throw this.fault;
    for (const { keyId, kind, name } of changes.gone) this.kept.delete(`${keyId} ${kind} ${name}`);
    for (const rest of changes.kept) this.kept.set(`${rest.keyId} ${rest.kind} ${rest.name}`, rest);
  }

  async all(): Promise<StoredRest[]> {
    return [...this.kept.values()];
  }
}

export class RecordingOwnerNotices extends OwnerNotices {
  readonly told: { keyId: string; change: string; reason: string }[] = [];

  tell(key: ApiKey, notice: { change: string; reason: string }): void {
    this.told.push({ keyId: key.id, ...notice });
  }
}
