import type { Clock, Randomness, Secret } from '@sociograph/kernel';
import type { KeyVault } from '../domain/sealing';
import type { DueRefresh, RefreshOutcome, TokenPairs, TokenRefresher } from '../domain/token-refresh';
import { refreshMoment } from '../domain/token-life';
import { sealPair } from './seal-tokens';

export interface RefreshTokensParts {
  pairs: TokenPairs;
  refresher: TokenRefresher;
  vault: KeyVault;
  clock: Clock;
  chance: Randomness;
  /** The key has another token now. */
  onRenewed: (keyId: string) => Promise<unknown>;
  /** No other token is to be had: its owner has to give consent again. */
  onRefused: (workspaceId: string, keyId: string, reason: string) => Promise<unknown>;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 300_000;
/** Share of a pause by which chance shortens it. */
const SPREAD = 0.2;

interface NewPair {
  token: Secret;
  refreshToken: Secret;
  /** Unix ms, where the network says so. */
  expiresAt: number | undefined;
}

/**
 * Refreshes tokens, one process of the fleet at a time for a key: those that were refused, and those that end soon,
 * while leases go on with the old one. The new pair is stored before anybody may use it; a network that fails is asked
 * again, ever more rarely, one that refuses makes the key invalid. One whose answer got lost, on the wire or with the
 * process that had asked, is asked again, too: some networks take a refresh token once more for a while, and those that
 * do not refuse, which ends the key with a reason of its own.
 */
export class RefreshTokens {
  /** Pairs that the network gave and that could not be stored yet: it gives each only once. */
  readonly #unstored = new Map<string, NewPair & { tokenVersion: number }>();
  #running: Promise<number> | undefined;

  constructor(private readonly parts: RefreshTokensParts) {}

  /** The token of this version is good for nothing any more. False when there is no refresh token to it. */
  async want(keyId: string, tokenVersion: number): Promise<boolean> {
    const { pairs, clock } = this.parts;
    return pairs.want(keyId, tokenVersion, clock.nowMs());
  }

  /** Refreshes all that is due; answers how many keys it was at. What fails comes up again with a later run. */
  run(): Promise<number> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<number> {
    const { pairs, clock } = this.parts;
    for (let count = 0; ; count += 1) {
      const done = await pairs.withDue(clock.nowMs(), (due) => this.#refresh(due));
      if (done === undefined) return count;
      const { due, outcome } = done;
      if (outcome.kind !== 'later') this.#unstored.delete(due.keyId);
      if (outcome.kind === 'renewed') await this.parts.onRenewed(due.keyId);
      if (outcome.kind === 'refused') await this.parts.onRefused(due.workspaceId, due.keyId, outcome.reason);
    }
  }

  async #refresh(due: DueRefresh): Promise<RefreshOutcome> {
    const { keyId, workspaceId, network, tokenVersion, refresh } = due;
    const { vault, refresher, clock, chance } = this.parts;
    const held = this.#unstored.get(keyId);
    let pair = held?.tokenVersion === tokenVersion ? held : undefined;
    if (pair === undefined) {
      // Opened first: a vault that is away must show before the network gave away the only pair.
      const binding = { workspaceId, keyId, tokenVersion, part: 'refresh' as const };
      const refreshToken = await vault.open(refresh.token, binding).catch(() => undefined);
      if (refreshToken === undefined) return this.#later(due, 'vault');
      const { clientId, deviceId } = refresh;
      const askedAt = clock.nowMs();
      const verdict = await refresher.refresh({ network, refreshToken, clientId, deviceId });
      if (verdict.kind === 'refused') {
        const what = due.answerLost ? 'refresh-answer-lost' : 'refresh-refused';
        return { kind: 'refused', reason: `${what}: ${verdict.reason}` };
      }
      if (verdict.kind !== 'renewed') return this.#later(due, verdict.cause, verdict.kind === 'lost');
      const { token, refreshToken: next, expiresInMs } = verdict;
      const expiresAt = expiresInMs === undefined ? undefined : askedAt + expiresInMs;
      pair = { tokenVersion, token, refreshToken: next, expiresAt };
      this.#unstored.set(keyId, pair);
    }
    const binding = { workspaceId, keyId, tokenVersion: tokenVersion + 1 };
    try {
      const sealed = await sealPair(vault, network, pair, binding);
      const { expiresAt } = pair;
      const dueAt = expiresAt === undefined ? undefined : refreshMoment(clock.nowMs(), expiresAt, chance);
      return { kind: 'renewed', ...sealed, expiresAt, dueAt };
    } catch {
      return this.#later(due, 'vault');
    }
  }

  #later(due: DueRefresh, cause: string, lost = false): RefreshOutcome {
    const { clock, chance } = this.parts;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** due.tries, LONGEST_PAUSE_MS);
    const dueAt = clock.nowMs() + pause * (1 - SPREAD * chance.next());
    return { kind: 'later', dueAt, cause, answerLost: lost || due.answerLost };
  }
}
